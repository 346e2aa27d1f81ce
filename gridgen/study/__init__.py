"""Searching networks and recipes under a budget: the study, running it, what it found."""

from gridgen.study.driver.search import search as search
from gridgen.study.language.study import Study as Study
from gridgen.study.methods import BASELINES as BASELINES, PRUNERS as PRUNERS, SAMPLERS as SAMPLERS
from gridgen.study.report.result import Result as Result
