"""Scores of candidates, predicted from their exact costs before these are trained.

Parameters, activations and multiply-accumulates of a candidate are known at once. From candidates
that were trained to the end, a Gaussian process over the logarithms of these costs predicts what
another one scores, and so by how much it is likely to better the best of those that are as cheap:
its expected improvement (Jones et al., "Efficient global optimization of expensive black-box
functions", Journal of Global Optimization 13, 1998, equation 15).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import erf, exp, isfinite, log, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridgen.study.candidates.counting import EXACT
from gridgen.study.trials import Candidate, Objectives, log_costs

LEAST = 5
"""Trained candidates from which on scores are predicted."""
DRAWN = 64
"""Candidates of which the one that promises most is trained."""
LENGTHS = (1.0, 2.0, 4.0)
"""Length scales of the kernel, in standard deviations of the logarithms of costs."""
NOISES = (0.1, 0.3, 1.0)
"""Variances of what costs do not tell, as shares of the scores' variance."""
LEAST_DEVIATION = 0.1
"""Of the logarithms of a cost: candidates that differ by less than a tenth cost about the same, as
where a study matches that cost within a tolerance.
"""

Floats = NDArray[np.float64]


class PredictedScore(NamedTuple):
    """A score that is likely, and its standard deviation."""

    mean: float
    deviation: float

    def improvement(self, best: float) -> float:
        """By how much the score is above another one, on average, where not to be is no loss."""
        if not self.deviation:
            return max(0.0, self.mean - best)
        z = (self.mean - best) / self.deviation
        return self.deviation * (z * (1 + erf(z / sqrt(2))) / 2 + exp(-z * z / 2) / sqrt(2 * pi))


class _Scored(NamedTuple):
    """What is known of a candidate: the logarithms of its exact costs, of those that its score is
    held against, and the score.
    """

    features: Floats
    costs: tuple[float, ...]
    score: float


class Forecast:
    """Predicts scores by costs, learnt from the candidates that were trained to the end.

    `against` are the costs that scores are held against, all of them exact before training.
    Candidates that are being trained count as if they scored what is predicted of them, so that
    the next one is not their twin ("kriging believer", Ginsbourger et al., 2010).
    """

    def __init__(self, against: Objectives) -> None:
        self.against = against
        self._scored: list[_Scored] = []
        self._begun: dict[str, Candidate] = {}

    @property
    def ready(self) -> bool:
        """Whether enough was trained to choose by it."""
        return len(self._scored) >= LEAST

    def choose(self, first: Candidate, draw: Callable[[], Candidate | None]) -> Candidate:
        """Of a candidate and more that are drawn the one that promises most; the first itself
        where too little was trained to tell.
        """
        if not self.ready:
            return first
        others = (draw() for _ in range(DRAWN - 1))
        different = {each.key: each for each in (first, *others) if each is not None}
        return max(different.values(), key=self.promise)

    def begin(self, candidate: Candidate) -> None:
        """Note a candidate whose training begins."""
        self._begun[candidate.key] = candidate
        self._forget("_believed", "_process")

    def learn(self, candidate: Candidate, score: float | None) -> None:
        """Note the score of a candidate that was trained to its end; None of what was not, which
        teaches nothing.
        """
        self._begun.pop(candidate.key, None)
        if score is not None and isfinite(score):
            self._scored.append(self._with_score(candidate, score))
            self._forget("_learnt")
        self._forget("_believed", "_process")

    def promise(self, candidate: Candidate) -> float:
        """The expected improvement over the highest score of those that are as cheap; where there
        are none, over the lowest of all.
        """
        costs = log_costs(candidate, self.against)
        as_cheap = (
            each.score
            for each in self._believed
            if all(theirs <= ours for theirs, ours in zip(each.costs, costs, strict=True))
        )
        best = max(as_cheap, default=min(each.score for each in self._believed))
        return self.predict(candidate).improvement(best)

    def predict(self, candidate: Candidate) -> PredictedScore:
        """The score of a candidate by its costs."""
        return self._process.predict(_features(candidate))

    def _with_score(self, candidate: Candidate, score: float) -> _Scored:
        return _Scored(_features(candidate), log_costs(candidate, self.against), score)

    # Of nine processes the likeliest is fitted anew where a score was added, and not before.
    def _forget(self, *names: str) -> None:
        for name in names:
            self.__dict__.pop(name, None)

    @cached_property
    def _learnt(self) -> "GaussianProcess":
        return likeliest(*_stacked(self._scored))

    @cached_property
    def _believed(self) -> list[_Scored]:
        """What was scored, and what is being trained with the scores that are predicted of it."""
        return self._scored + [
            self._with_score(each, self._learnt.predict(_features(each)).mean)
            for each in self._begun.values()
        ]

    @cached_property
    def _process(self) -> "GaussianProcess":
        points, scores = _stacked(self._believed)
        return GaussianProcess(points, scores, self._learnt.length, self._learnt.noise)


def _features(candidate: Candidate) -> Floats:
    return np.array([log(max(1, candidate.costs[name])) for name in EXACT])


def _stacked(known: list[_Scored]) -> tuple[Floats, Floats]:
    return np.stack([each.features for each in known]), np.array([each.score for each in known])


def likeliest(points: Floats, scores: Floats) -> "GaussianProcess":
    """The process, of those with some lengths and noises, under which the scores are likeliest."""
    kinds = product(LENGTHS, NOISES)
    return max(
        (GaussianProcess(points, scores, length, noise) for length, noise in kinds),
        key=lambda process: process.likelihood,
    )


@dataclass
class GaussianProcess:
    """Regression from points to scores, which have mean 0 and variance 1 inside (Rasmussen and
    Williams, "Gaussian Processes for Machine Learning", 2006, algorithm 2.1).
    """

    points: Floats
    scores: Floats
    length: float
    noise: float

    def __post_init__(self) -> None:
        self._unit = np.maximum(self.points.std(axis=0), LEAST_DEVIATION)
        self._mean, self._scale = float(self.scores.mean()), float(self.scores.std()) or 1.0
        scaled = (self.scores - self._mean) / self._scale
        root = np.linalg.cholesky(self._kernel(self.points) + self.noise * np.eye(len(scaled)))
        self._inverse = np.linalg.inv(root)
        self._weights = self._inverse.T @ (self._inverse @ scaled)
        # But for a constant.
        self.likelihood = float(-scaled @ self._weights / 2 - np.log(np.diag(root)).sum())

    def predict(self, point: Floats) -> PredictedScore:
        """The score at a point, without the noise of a training."""
        (beside,) = self._kernel(point[None])
        mean = self._mean + self._scale * float(beside @ self._weights)
        explained = self._inverse @ beside
        variance = 1.0 - float(explained @ explained)
        return PredictedScore(mean, self._scale * sqrt(max(0.0, variance)))

    def _kernel(self, points: Floats) -> Floats:
        """Squared exponential, between points and those that are known."""
        differences = (points[:, None] - self.points[None]) / self._unit
        kernel: Floats = np.exp(-(differences**2).sum(axis=-1) / (2 * self.length**2))
        return kernel
