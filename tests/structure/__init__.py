"""The shape of the package, measured: each file is a script for a person and a rule for a test.

`python -m tests.structure.size`, `.names`, `.docstrings` and `.order` print what they find.
"""
