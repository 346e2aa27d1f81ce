"""What the exact costs of candidates foretell of their scores, before these are trained.

Parameters, activations and multiply-accumulates of a candidate are known at once. From candidates
that were trained to the end, a Gaussian process over the logarithms of these costs tells what
another one is likely to score, and so by how much it is likely to better the best of those that are
as cheap: its expected improvement (Jones et al., "Efficient global optimization of expensive
black-box functions", Journal of Global Optimization 13, 1998, equation 15).
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import erf, exp, isfinite, log, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridgen.study.candidates.counting import EXACT
from gridgen.study.trials import Candidate, Objectives, TrialRecord, log_costs

LEAST = 5
"""Trained candidates from which on scores are foretold."""
DRAWN = 64
"""Candidates of which the one that promises most is trained."""
LENGTHS = (1.0, 2.0, 4.0)
"""Distances over which scores are alike, in standard deviations of the logarithms of costs."""
NOISES = (0.1, 0.3, 1.0)
"""Variances of what costs do not tell, as shares of the scores' variance."""

Floats = NDArray[np.float64]


class Foretold(NamedTuple):
    """A score that is likely, and its standard deviation."""

    mean: float
    deviation: float

    def improvement(self, best: float) -> float:
        """By how much the score is above another one, on average, where not to be is no loss."""
        if not self.deviation:
            return max(0.0, self.mean - best)
        apart = (self.mean - best) / self.deviation
        below = (1 + erf(apart / sqrt(2))) / 2
        return self.deviation * (apart * below + exp(-apart * apart / 2) / sqrt(2 * pi))


class _Scored(NamedTuple):
    features: Floats
    costs: tuple[float, ...]
    score: float


class Forecast:
    """Scores by costs, learnt from the candidates that were trained to the end.

    `against` are the costs that scores are held against, all of them exact before training.
    """

    def __init__(self, against: Objectives) -> None:
        self.against = against
        self._known: list[_Scored] = []
        self._process: GaussianProcess | None = None

    @property
    def ready(self) -> bool:
        """Whether enough is known to choose by it."""
        return len(self._known) >= LEAST

    def learn(self, record: TrialRecord) -> None:
        """Note a trial that has ended. Those that were not trained to the end, and those of another
        study's table whose costs are not all known, are left out.
        """
        candidate, score = record.candidate, record.score
        if record.state != "finished" or score is None or not isfinite(score):
            return
        if {*EXACT, *self.against} <= candidate.costs.keys():
            costs = log_costs(candidate, self.against)
            self._known.append(_Scored(_features(candidate), costs, score))
            self._process = None

    def promise(self, candidate: Candidate) -> float:
        """The expected improvement over the highest score of those that are as cheap; where there
        are none, over the lowest of all.
        """
        costs = log_costs(candidate, self.against)
        as_cheap = (
            each.score
            for each in self._known
            if all(theirs <= ours for theirs, ours in zip(each.costs, costs, strict=True))
        )
        best = max(as_cheap, default=min(each.score for each in self._known))
        return self.foretold(candidate).improvement(best)

    def foretold(self, candidate: Candidate) -> Foretold:
        """What a candidate is likely to score."""
        if self._process is None:
            features = np.stack([each.features for each in self._known])
            scores = np.array([each.score for each in self._known])
            self._process = likeliest(features, scores)
        return self._process.at(_features(candidate))


def _features(candidate: Candidate) -> Floats:
    return np.array([log(max(1, candidate.costs[name])) for name in EXACT])


def likeliest(points: Floats, scores: Floats) -> "GaussianProcess":
    """The process, of those with some lengths and noises, under which the scores are likeliest."""
    kinds = product(LENGTHS, NOISES)
    return max(
        (GaussianProcess(points, scores, length, noise) for length, noise in kinds),
        key=lambda process: process.likelihood,
    )


@dataclass
class GaussianProcess:
    """Regression from points to scores, each with mean 0 and variance 1 inside (Rasmussen and
    Williams, "Gaussian Processes for Machine Learning", 2006, algorithm 2.1).
    """

    points: Floats
    scores: Floats
    length: float
    noise: float

    def __post_init__(self) -> None:
        self._unit = _deviation(self.points)
        self._mean, self._scale = float(self.scores.mean()), float(_deviation(self.scores))
        scaled = (self.scores - self._mean) / self._scale
        noise = self.noise * np.eye(len(scaled))
        self._root = np.linalg.cholesky(self._alike(self.points) + noise)
        self._weights = np.linalg.solve(self._root.T, np.linalg.solve(self._root, scaled))
        # But for a constant.
        self.likelihood = float(-scaled @ self._weights / 2 - np.log(np.diag(self._root)).sum())

    def at(self, point: Floats) -> Foretold:
        """The score at a point, without the noise of a training."""
        (alike,) = self._alike(point[None])
        mean = self._mean + self._scale * float(alike @ self._weights)
        explained = self._inverse @ alike
        variance = 1.0 - float(explained @ explained)
        return Foretold(mean, self._scale * sqrt(max(0.0, variance)))

    # Many points are asked for of a process that is kept.
    @cached_property
    def _inverse(self) -> Floats:
        inverse: Floats = np.linalg.inv(self._root)
        return inverse

    def _alike(self, points: Floats) -> Floats:
        """How alike the scores at points are to those that are known, from 0 to 1."""
        apart = (points[:, None] - self.points[None]) / self._unit
        alike: Floats = np.exp(-(apart**2).sum(axis=-1) / (2 * self.length**2))
        return alike


def _deviation(values: Floats) -> Floats:
    """The standard deviation of each column, 1 where all are equal."""
    found = values.std(axis=0)
    return np.where(found > 0, found, 1.0)
