"""The driver of a search: the process that asks for candidates and writes what becomes of them."""
