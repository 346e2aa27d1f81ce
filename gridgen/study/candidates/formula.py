"""What a budget by the paper's formulas (section 3.2) lets through that exact counts would not."""

import numpy as np

from gridgen.space import Feasible
from gridgen.space.quantities import BY_FORMULA
from gridgen.study.candidates.branches import branches
from gridgen.study.candidates.drawing import MOST_POINTS
from gridgen.study.language.study import Study


def let_through(study: Study) -> str:
    """How many networks the formulas admit, how many of them are within by exact counts, and by
    how much the largest is over; "" for a budget of exact counts, and where no table says so.
    """
    limits = study.limits
    if limits.bound != "paper" or all(getattr(limits, name) is None for name in BY_FORMULA):
        return ""
    parts = branches(study)
    sizes = [part.networks if part.tabled else None for part in parts]
    if any(size is None or size > MOST_POINTS for size in sizes):
        return ""
    tables = [part.feasible(memory=False) for part in parts]
    admitted = sum(table.feasible for table in tables)
    excess = np.concatenate([_excess(table) for table in tables])
    over = excess[excess > 1]
    if not len(over):
        return f"the formulas admit {admitted:,} networks, all of them within by exact counts"
    most = (over.max() - 1) * 100
    return (
        f"the formulas admit {admitted:,} networks, of which {len(over):,} are over by exact "
        f"counts, the largest by {most:.0f} %"
    )


def _excess(table: Feasible) -> np.ndarray:
    """For each admitted network, its worst exact count over the limit."""
    points = table.feasible_points()
    limited = [name for name in BY_FORMULA if getattr(table.budget, name) is not None]
    shares = [table.at(name, points) / getattr(table.budget, name) for name in limited]
    worst: np.ndarray = np.max(shares, axis=0).astype(float)
    return worst
