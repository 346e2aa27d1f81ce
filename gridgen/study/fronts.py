"""Fronts of candidates by several objectives: which ones nothing beats in all, and their volume.

Points are rows of numbers of which more is better. Ranks and distances are those of Deb et al.,
"A fast and elitist multiobjective genetic algorithm: NSGA-II" (2002), sections III-A and III-B.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ObjectivePoints = Sequence[Sequence[float]]


def as_good(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether a point is at least as good as another in everything."""
    return all(ours >= theirs for ours, theirs in zip(one, other, strict=True))


def pareto_front(costs: Sequence[float], scores: Sequence[float]) -> list[int]:
    """The places that nothing as cheap beats, the cheapest first.

    >>> pareto_front([3, 1, 2], [0.5, 0.2, 0.1])
    [1, 0]
    """
    front: list[int] = []
    for place in sorted(range(len(costs)), key=lambda each: (costs[each], -scores[each])):
        if not front or scores[place] > scores[front[-1]]:
            front.append(place)
    return front


def front_of(points: ObjectivePoints) -> list[int]:
    """The places of the points that no other beats, which is to be as good in all and not equal.

    Of equal points the first one stands for all.

    >>> front_of([(0.5, -3), (0.2, -1), (0.1, -2), (0.2, -1)])
    [0, 1]
    """
    front = np.flatnonzero(ranks_of_points(points) == 0).tolist()
    first = {tuple(points[place]): place for place in reversed(front)}
    return sorted(first.values())


def ranks_of_points(points: ObjectivePoints) -> NDArray[np.intp]:
    """0 for the points of the front, 1 for the front of the others, and so on.

    >>> ranks_of_points([(0.5, -3), (0.2, -1), (0.1, -2)]).tolist()
    [0, 0, 1]
    """
    values = _rows(points)
    beaten_by = _beaten_by(values)
    ranks, left, rank = np.zeros(len(values), dtype=np.intp), np.arange(len(values)), 0
    while len(left):
        front = ~beaten_by[np.ix_(left, left)].any(axis=1)
        ranks[left[front]] = rank
        left, rank = left[~front], rank + 1
    return ranks


def _rows(points: ObjectivePoints) -> NDArray[np.float64]:
    return np.asarray(points, dtype=float).reshape(len(points), len(points[0]) if points else 0)


def _beaten_by(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the point of each row is beaten by that of each column."""
    as_good = np.ones((len(values), len(values)), dtype=bool)
    better = np.zeros_like(as_good)
    for column in values.T:
        as_good &= column[None, :] >= column[:, None]
        better |= column[None, :] > column[:, None]
    return as_good & better


def pareto_order(points: ObjectivePoints) -> list[int]:
    """All places, the best first: by rank, then those that stand farthest from their neighbours.

    >>> pareto_order([(0.1, -2), (0.5, -3), (0.45, -2.9), (0.2, -1)])
    [1, 3, 2, 0]
    """
    values = _rows(points)
    ranks, apart = ranks_of_points(points), np.zeros(len(values))
    for rank in set(ranks.tolist()):
        places = np.flatnonzero(ranks == rank)
        apart[places] = _distances(values[places])
    return [int(place) for place in np.lexsort((-apart, ranks))]


def places_by_volume(points: ObjectivePoints, many: int) -> list[int]:
    """So many places that stand for all, those of the front before those of the next one.

    Of a front the one that is best in the first objective, then one after the other what adds the
    most to the volume, each objective scaled as in `scaled`, as in greedy hypervolume subset
    selection (Guerreiro et al., Evolutionary Computation 24(3), 2016).

    >>> places_by_volume([(0.5, -9), (0.1, -1), (0.45, -3), (0.44, -2.9)], many=2)
    [0, 2]
    """
    values, ranks, chosen = scaled(points), ranks_of_points(points), list[int]()
    for rank in sorted({*ranks.tolist()}):
        places = np.flatnonzero(ranks == rank)
        chosen += places[_adding_most(values[places], many - len(chosen))].tolist()
    return chosen


def scaled(points: ObjectivePoints) -> NDArray[np.float64]:
    """Each objective from 0 for the worst point to 1 for the best, 1 where all are equal."""
    values = _rows(points)
    least = values.min(axis=0, initial=np.inf)
    width = values.max(axis=0, initial=-np.inf) - least
    return np.where(width > 0, (values - least) / np.where(width > 0, width, 1.0), 1.0)


def _adding_most(values: NDArray[np.float64], many: int) -> list[int]:
    """The best in the first column, then one after the other what adds the most volume."""
    taken, reference = [int(values[:, 0].argmax())][:many], [0.0] * values.shape[1]
    # What a point adds only falls as others are taken, so that an older number is a bound.
    gains = dict.fromkeys(set(range(len(values))) - {*taken}, np.inf)
    while gains and len(taken) < many:
        before = hypervolume(values[taken].tolist(), reference)
        fresh = set[int]()
        while (best := max(gains, key=gains.__getitem__)) not in fresh:
            gains[best] = hypervolume(values[[*taken, best]].tolist(), reference) - before
            fresh.add(best)
        taken.append(best)
        del gains[best]
    return taken


def _distances(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the neighbours of each point on a front lie apart; the ends stand infinitely far."""
    apart = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        apart[order[[0, -1]]] = np.inf
        gaps = column[order[2:]] - column[order[:-2]]
        apart[order[1:-1]] += gaps / (np.ptp(column) or 1.0)
    return apart


def hypervolume(points: ObjectivePoints, reference: Sequence[float]) -> float:
    """The volume of what the points beat, down to a reference that is no better than any of them.

    >>> hypervolume([(2, 1), (1, 3), (1, 1)], (0, 0))
    4.0
    """
    values = np.asarray(points, dtype=float).reshape(-1, len(reference)) - np.asarray(reference)
    values = values[(values > 0).all(axis=1)]
    return _volume(values[np.argsort(-values[:, -1], kind="stable")])


def _volume(values: NDArray[np.float64]) -> float:
    """The same of points in falling order of their last number: the sum of slices."""
    if not len(values):
        return 0.0
    if values.shape[1] == 1:
        return float(values[:, 0].max())
    total = 0.0
    for many in range(1, len(values) + 1):
        low = values[many, -1] if many < len(values) else 0.0
        thick = values[many - 1, -1] - low
        if thick > 0:
            below = values[:many, :-1]
            total += thick * _volume(below[np.argsort(-below[:, -1], kind="stable")])
    return float(total)
