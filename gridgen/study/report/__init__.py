"""The answer of a search: what is told while it runs, what it found, and how sure that is."""
