"""Rungs of successive halving: where trainings are paused, and which of them go on.

Where scores are held against costs, the best of a rung are those of the first fronts, as in
Schmucker et al., "Multi-objective Asynchronous Successive Halving" (2021). All of the first go on.

Asynchronous successive halving is algorithm 2 of Li et al., "A System for Massively Parallel
Hyperparameter Tuning" (MLSys 2020), its brackets are those of Li et al., "Hyperband" (JMLR 2018).
Knows trials by number, epochs and scores; never a network, a store or a process.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, inf, isfinite

from gridgen.study.fronts import front_of, pareto_order

Ladder = tuple[int, ...]
"""The epochs of the rungs that a training comes by, from the lowest."""
Standing = list[tuple[float, int]]
SHORTEST = 100
"""No rung is lower than this part of a training: so early, scores tell nothing."""


@dataclass(frozen=True)
class Halving:
    """Of the trainings that reach a rung, the best one in `reduction` goes on.

    With `brackets`, some trainings leave out the lowest rung, some the lowest two, and so on, in
    case that early scores mislead; those that leave out the same are compared with each other.
    """

    reduction: int
    brackets: bool = False

    def rungs(self, epochs: int, every: int) -> Ladder:
        """The rungs of trainings of so many epochs, each validated `every` so many.

        They stand at validated epochs, the highest near the end divided by `reduction`, each of
        the others near the one above it divided likewise.

        >>> Halving(4).rungs(64, 1), Halving(3).rungs(24, 2), Halving(3).rungs(2, 1)
        ((1, 4, 16), (2, 8), ())
        """
        least, share, found = max(every, epochs / SHORTEST), epochs / self.reduction, set[int]()
        while share >= least:
            found.add(every * max(1, floor(share / every + 0.5)))
            share /= self.reduction
        return tuple(sorted(found))

    def ladders(self, epochs: int, every: int) -> tuple[Ladder, ...]:
        """The rungs of trial after trial, which take turns: number n has those at n, modulo.

        >>> Halving(3, brackets=True).ladders(24, 8)
        ((8,), (), (8,), (), (8,))
        """
        rungs = self.rungs(epochs, every)
        if not self.brackets:
            return (rungs,)
        most = len(rungs)
        # As many trainings as give each bracket the same number of epochs, spread evenly.
        sizes = (ceil((most + 1) * self.reduction**s / (s + 1)) for s in range(most, -1, -1))
        turns = [
            ((place + 0.5) / size, left_out)
            for left_out, size in enumerate(sizes)
            for place in range(size)
        ]
        return tuple(rungs[left_out:] for _, left_out in sorted(turns))


@dataclass
class _Climb:
    """A training on its ladder: epoch and score at each rung it has reached."""

    ladder: Ladder
    reached: list[tuple[int, float]] = field(default_factory=list)
    promotions: int = 0

    @property
    def paused(self) -> bool:
        return len(self.reached) > self.promotions


class Rungs:
    """Which trainings of a search are paused at which rung. `halving.ladders` gives `ladders`."""

    def __init__(self, reduction: int, ladders: Sequence[Ladder]) -> None:
        self.reduction, self.ladders = reduction, ladders
        self.costs: dict[int, tuple[float, ...]] = {}
        """By number of the trial, what its score is held against, less of which is better."""
        self._climbs: dict[int, _Climb] = {}
        # By ladder and number of the rung: negated score and number of the trials there, in order.
        self._standings: dict[tuple[Ladder, int], Standing] = defaultdict(list)

    def reached(self, number: int, epoch: int, score: float) -> bool:
        """Note a validation, and say whether the training is paused there."""
        climb = self._climb(number)
        while len(climb.reached) < len(climb.ladder):
            if epoch < climb.ladder[len(climb.reached)]:
                break
            climb.reached.append((epoch, score))
            if len(climb.reached) == climb.promotions + 1:
                self._enter(number, climb)
        return climb.paused

    def paused(self, number: int) -> bool:
        """Whether a training waits at a rung."""
        return self._climb(number).paused

    def passed(self, number: int) -> bool:
        """Whether a training has been promoted at all of its rungs."""
        climb = self._climb(number)
        return climb.promotions == len(climb.ladder)

    def epoch(self, number: int) -> int:
        """The epoch at which a paused training waits."""
        climb = self._climb(number)
        return climb.reached[climb.promotions][0]

    def promotable(self, least: int = 0) -> list[int]:
        """The paused trainings that are among the best of their rung, the highest rung first.

        `least` is how many go on past a rung although so few have reached it.
        """
        highest_first = sorted(self._standings, key=lambda key: (-key[0][key[1]], key))
        return [
            number
            for key in highest_first
            for number in self._best(key, least)
            if self._climb(number).promotions == key[1]
        ]

    def promote(self, number: int) -> None:
        """A paused training goes on to the next rung, or to its end."""
        climb = self._climb(number)
        climb.promotions += 1
        if climb.paused:
            self._enter(number, climb)

    def take_up(self, number: int, curve: Iterable[tuple[int, float]]) -> None:
        """Note the validations of an earlier time: past a rung went what was promoted there."""
        for epoch, score in curve:
            while self.paused(number) and epoch > self.epoch(number):
                self.promote(number)
            self.reached(number, epoch, score)

    def _climb(self, number: int) -> _Climb:
        ladder = self.ladders[number % len(self.ladders)]
        return self._climbs.setdefault(number, _Climb(ladder))

    def _enter(self, number: int, climb: _Climb) -> None:
        level = climb.promotions
        score = climb.reached[level][1]
        place = (-score if isfinite(score) else inf, number)
        insort(self._standings[climb.ladder, level], place)

    def _best(self, key: tuple[Ladder, int], least: int) -> Iterable[int]:
        standing = self._standings[key]
        many = max(least, len(standing) // self.reduction)
        if self.costs:
            return self._best_by_fronts(standing, many)
        return (number for _, number in standing[:many])

    def _best_by_fronts(self, standing: Standing, many: int) -> Iterable[int]:
        """The best by score and costs: all of the first front, though no more than half of those
        that are there, or more of them where that is more.
        """
        scored = [(-worse, number) for worse, number in standing if isfinite(worse)]
        points = [(score, *(-cost for cost in self.costs[n])) for score, n in scored]
        first = min(len(front_of(points)), len(standing) // 2)
        return (scored[place][1] for place in pareto_order(points)[: max(many, first)])
