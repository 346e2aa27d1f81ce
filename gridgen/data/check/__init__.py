"""Everything that a dataset holds, read once: what there is, what is wrong, what looks odd."""

from gridgen.data.check.checking import Checked, check
from gridgen.data.check.readings import DataFinding, Split

__all__ = ["Checked", "DataFinding", "Split", "check"]
