"""Reads a whole dataset once, and lists what it holds, what is wrong and what looks odd."""

from gridgen.data.check.checking import Checked as Checked, check_data as check_data
from gridgen.data.check.readings import DataFinding as DataFinding, Split as Split
