"""Searching networks and recipes under a budget: the study, running it, what it found."""

from gridgen.study.driver.search import search
from gridgen.study.language.study import Study
from gridgen.study.methods import BASELINES, PRUNERS, SAMPLERS
from gridgen.study.report.result import Result
