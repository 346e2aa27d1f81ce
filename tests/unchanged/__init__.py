"""What must not move: counts, memory, names, and outputs of seeded networks, as once written down.

`table.json` was made from the code as it stood before the house was rebuilt. The tests here compare
the code of today with it. `python -m tests.unchanged.write` writes the table again; a change of
behaviour on purpose is the one reason to do so.
"""
