"""Searching grids under a budget: study spec, running it, what it found."""

from gridgen.study.driver import search
from gridgen.study.old_report import Result
from gridgen.study.sampling import PRUNERS, SAMPLERS
from gridgen.study.study import Study
