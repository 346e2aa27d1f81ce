"""Searching grids under a budget: study spec, running it, what it found."""

from gridgen.study.report import Result
from gridgen.study.samplers import PRUNERS, SAMPLERS
from gridgen.study.search import search
from gridgen.study.study import Study

__all__ = ["PRUNERS", "SAMPLERS", "Result", "Study", "search"]
