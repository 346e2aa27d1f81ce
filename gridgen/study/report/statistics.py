"""How far the scores of two candidates lie apart, and whether so few seeds can tell.

Welch's t interval of the difference of two means, which takes neither equal spreads nor equal
numbers of seeds, with Holm's correction over all pairs that are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt
from statistics import fmean, stdev

from gridgen.study.report.student import critical, two_sided

LEVEL = 0.95
"""Of the intervals around one value alone."""
ERROR = 0.05
"""Chance that any difference is claimed where there is none."""
MINUS = "\u2212"


@dataclass(frozen=True)
class SeedScores:
    """The scores of a candidate, one for each seed."""

    name: str
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """What the report calls the score of a candidate."""
        return fmean(self.scores)

    @property
    def variance(self) -> float | None:
        """The variance of their mean, None for one score."""
        return stdev(self.scores) ** 2 / len(self.scores) if len(self.scores) > 1 else None

    def told(self, digits: int) -> str:
        """Mean and standard deviation between seeds.

        >>> SeedScores("unet", (0.40, 0.42)).told(3), SeedScores("unet", (0.4,)).told(3)
        ('0.410 ± 0.014', '0.400')
        """
        spread = f" ± {stdev(self.scores):.{digits}f}" if len(self.scores) > 1 else ""
        return signed(self.mean, digits) + spread

    def named(self, digits: int) -> str:
        """The same behind the name of the candidate, which may end in a number."""
        return f"{self.name} has {self.told(digits)}"


@dataclass(frozen=True)
class Comparison:
    """The mean of `candidate` less that of `baseline`, and the interval in which it may lie.

    Without an interval, where a side has one seed or no seed changed anything, nothing is claimed.
    """

    candidate: SeedScores
    baseline: SeedScores
    interval: tuple[float, float] | None = None

    @property
    def mean(self) -> float:
        """How much higher the scores of the candidate are."""
        return self.candidate.mean - self.baseline.mean

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    def sentence(self, digits: int) -> str:
        """What is known of the difference, in words."""
        one, other = self.candidate, self.baseline
        sides = f"{one.named(digits)}, {other.named(digits)}"
        apart = f"difference {signed(self.mean, digits)}"
        if self.interval is None:
            lone = min(len(one.scores), len(other.scores)) < 2
            why = "one seed gives no interval" if lone else "no seed changed a score"
            return f"{sides}: {apart}, no difference is claimed: {why}"
        low, high = (signed(end, digits) for end in self.interval)
        verdict = "" if self.distinguishable else "not "
        return f"{sides}: {apart} ({low} to {high}), {verdict}distinguishable with {self.seeds}"

    @property
    def seeds(self) -> str:
        """The numbers of seeds, in words."""
        many, others = len(self.candidate.scores), len(self.baseline.scores)
        return f"{many} seeds" if many == others else f"{many} and {others} seeds"


def signed(value: float, digits: int) -> str:
    """A number with a true minus sign, and 0 without one.

    >>> signed(-0.0042, 3), signed(-0.0004, 3)
    ('−0.004', '0.000')
    """
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", MINUS)


def differences(
    candidates: Sequence[SeedScores], baselines: Sequence[SeedScores]
) -> tuple[Comparison, ...]:
    """Every candidate against every baseline, in their order.

    All claims together are wrong with a chance of `ERROR` at most (Holm 1979): the surest is held
    to ERROR / pairs, the next to ERROR / (pairs - 1), and so on up to the first that fails. Each
    interval is drawn at the level to which its pair is held, so that it leaves out 0 exactly where
    the difference is claimed.
    """
    pairs = [Comparison(one, other) for one, other in product(candidates, baselines)]
    tests = {number: Welch.of(pair) for number, pair in enumerate(pairs)}
    known = {number: test for number, test in tests.items() if test is not None}
    failed: float | None = None
    for rank, number in enumerate(sorted(known, key=lambda number: known[number].chance)):
        test = known[number]
        held_to = failed or ERROR / (len(known) - rank)
        if test.chance > held_to:
            failed = held_to
        half = critical(1 - held_to, test.freedom) * test.error
        mean, pair = pairs[number].mean, pairs[number]
        pairs[number] = Comparison(pair.candidate, pair.baseline, (mean - half, mean + half))
    return tuple(pairs)


@dataclass(frozen=True)
class Welch:
    """Welch's test of a difference: its standard error, degrees of freedom, and the chance of one
    so far from 0 were there none.
    """

    error: float
    freedom: float
    chance: float

    @classmethod
    def of(cls, pair: Comparison) -> "Welch | None":
        """The test of a pair; None where the scores of a side do not tell their spread."""
        one, other = pair.candidate.variance, pair.baseline.variance
        if one is None or other is None or one + other == 0:
            return None
        many, others = len(pair.candidate.scores) - 1, len(pair.baseline.scores) - 1
        error = sqrt(one + other)
        freedom = (one + other) ** 2 / (one**2 / many + other**2 / others)
        return cls(error, freedom, two_sided(pair.mean / error, freedom))


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def told(self, digits: int) -> str:
        """The value and the interval.

        >>> Estimate(0.5, -0.25, 0.75).told(2)
        '0.50 (−0.25 to 0.75)'
        """
        value, low, high = (signed(each, digits) for each in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


def mean_interval(values: Sequence[float], further: float = 0.0) -> Estimate:
    """The mean of two values or more with Student's interval, where the mean has a `further`
    variance that all values share.

    >>> mean_interval([1.0, 2.0, 3.0]).told(1)
    '2.0 (−0.5 to 4.5)'
    """
    mean = fmean(values)
    half = critical(LEVEL, len(values) - 1) * sqrt(stdev(values) ** 2 / len(values) + further)
    return Estimate(mean, mean - half, mean + half)
