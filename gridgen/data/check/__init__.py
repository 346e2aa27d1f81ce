"""Everything that a dataset holds, read once: what there is, what is wrong, what looks odd."""

from gridgen.data.check.check import Checked, check
from gridgen.data.check.split import Finding, Split

__all__ = ["Checked", "Finding", "Split", "check"]
