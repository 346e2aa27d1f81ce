"""How the table of `gridgen.topology_benchmark()` was made, and what it says: see README.md."""
