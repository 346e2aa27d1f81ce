"""Every sub-topology of a grid: each set of its connections in which all lie on paths from input to
output.

A set with dead ends is the network without them, so it is no sub-topology of its own. The full grid
is one, and so is what each named topology keeps.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import combinations
from math import prod
from random import Random
from typing import Any

from gridgen.arguments import checked, checked_fields
from gridgen.errors import TopologyError
from gridgen.grid.building import GridLike, as_grid, build_grid, prune
from gridgen.grid.grid import Connection, FeatureMap, Grid
from gridgen.grid.topologies import TOPOLOGIES
from gridgen.spec import CustomTopology, GridSpec
from gridgen.spec.columns import Column

MOST = 100_000
"""Sub-topologies that are listed; of more, the number is told."""
DIGITS = 12
"""Of a name: with 100,000 names, two are equal in one grid of 50,000."""


@checked_fields
@dataclass(frozen=True)
class Subtopology:
    """Connections that are kept, by name, in the order in which the full grid computes them."""

    connections: tuple[str, ...]

    @classmethod
    @checked
    def of(cls, grid: GridLike) -> "Subtopology":
        """The one that a spec or grid is.

        >>> spec = GridSpec(streams=2, columns="1+1", base_channels=8, classes=4, topology="resnet")
        >>> Subtopology.of(spec).connections
        ('lateral_0_1',)
        """
        grid = as_grid(grid)
        kept = {connection.name for connection in grid}
        # In the order of the full grid, so that the same connections are equal.
        return cls(tuple(each.name for each in grid.full if each.name in kept))

    @property
    def name(self) -> str:
        """A hash of the names of its connections, the same in every grid that has them.

        >>> Subtopology(("lateral_0_1", "lateral_0_2")).name
        '7f737f29f96d'
        """
        return sha256(" ".join(sorted(self.connections)).encode()).hexdigest()[:DIGITS]

    @property
    def topology(self) -> CustomTopology:
        """What a spec's `topology` says to build it."""
        return CustomTopology(keep=self.connections)


def named_subtopologies(spec: GridSpec) -> dict[Subtopology, str]:
    """The sub-topologies of the full grid of a spec that have names; columns may not suit all.

    >>> spec = GridSpec(streams=2, columns="1+1", base_channels=8, classes=4)
    >>> list(named_subtopologies(spec).values())
    ['gridnet', 'conv-deconv', 'resnet']
    """
    return dict(_named(spec.streams, spec.columns))


@lru_cache(maxsize=64)
def _named(streams: int, columns: tuple[Column, ...]) -> tuple[tuple[Subtopology, str], ...]:
    """The same by what alone decides the names of connections: a page asks for each network."""
    full = build_grid(GridSpec(streams=streams, columns=columns, base_channels=1, classes=1))
    found: dict[Subtopology, str] = {}
    for name in TOPOLOGIES:
        with suppress(TopologyError):
            found.setdefault(Subtopology.of(prune(full, name)), name)
    return tuple(found.items())


@checked
def count_subtopologies(grid: GridLike) -> int:
    """The number of sub-topologies of the full grid of a spec or grid, however large.

    Errors: `TopologyError` for a network of another family.

    >>> count_subtopologies(GridSpec(streams=3, columns="2+2", base_channels=8, classes=4))
    279
    """
    return Ways(_full(grid)).total


@checked
def subtopologies(grid: GridLike) -> tuple[Subtopology, ...]:
    """All sub-topologies of the full grid of a spec or grid, the smallest first.

    Errors: `TopologyError` for more than 100,000, with their number, and for a network of another
    family.

    >>> spec = GridSpec(streams=2, columns="1+1", base_channels=8, classes=4)
    >>> [each.connections for each in subtopologies(spec)]
    [('lateral_0_1',), ('sub_1_0', 'lateral_1_1', 'up_0_1'), \
('sub_1_0', 'lateral_1_1', 'lateral_0_1', 'up_0_1')]
    """
    full = _full(grid)
    number = count_subtopologies(full)
    if number > MOST:
        fact = f"the grid has {number:,} sub-topologies, and {MOST:,} are listed at most"
        raise TopologyError(f"{fact}; use fewer streams or columns", ("topology",))
    order = {connection: place for place, connection in enumerate(full.connections)}
    found = [
        Subtopology(tuple(c.name for c in sorted(kept, key=order.__getitem__)))
        for kept in _selections(_leaving(full), frozenset([full.input]), ())
    ]
    return tuple(sorted(found, key=lambda each: (len(each.connections), each.name)))


Leaving = Sequence[tuple[FeatureMap, tuple[Connection, ...]]]
Reached = frozenset[FeatureMap]


class Ways:
    """In how many ways a choice of connections can be completed, map by map.

    What can still be chosen depends on the maps that are reached alone, so sets of maps are
    counted, not sub-topologies. With `weights` of connections by name, each counts as often as the
    product of the weights of its connections says.
    """

    def __init__(self, full: Grid, weights: Mapping[str, float] | None = None) -> None:
        self.full, self.weights = full, weights
        self.maps, self.begin = _leaving(full), frozenset([full.input])
        reached = [{self.begin}]
        for place in range(len(self.maps)):
            reached.append({after for each in reached[-1] for *_, after in self._next(place, each)})
        # The last map is the output, which all paths reach.
        self.numbers: list[dict[Reached, Any]] = [dict.fromkeys(reached.pop(), 1)]
        for place in reversed(range(len(self.maps))):
            later = self.numbers[-1]
            sums = ((each, self._next(place, each)) for each in reached.pop())
            found = {each: sum(w * later[after] for w, _, after in n) for each, n in sums}
            if weights is not None:  # whose products would overflow; what is drawn needs ratios
                most = max(found.values())
                found = {each: number / most for each, number in found.items()}
            self.numbers.append(found)
        self.numbers.reverse()

    @property
    def total(self) -> int:
        """The number of sub-topologies, where there are no weights."""
        return int(self.numbers[0][self.begin])

    def subtopology(self, random: Random) -> Subtopology:
        """One of them, all with the same probability, or by their weights.

        >>> spec = GridSpec(streams=6, columns="5+5", base_channels=8, classes=4)
        >>> len(Ways(build_grid(spec)).subtopology(Random(0)).connections)
        76
        """
        kept = {connection.name for connection in self._drawn(random)}
        return Subtopology(tuple(each.name for each in self.full if each.name in kept))

    def _drawn(self, random: Random) -> Iterator[Connection]:
        reached = self.begin
        for place in range(len(self.maps)):
            ways = list(self._next(place, reached))
            numbers = [weight * self.numbers[place + 1][after] for weight, _, after in ways]
            [(_, chosen, reached)] = random.choices(ways, numbers)
            yield from chosen

    def _next(
        self, place: int, reached: Reached
    ) -> Iterator[tuple[Any, tuple[Connection, ...], Reached]]:
        """What may be kept of the connections that leave a map, with its weight, and the maps that
        are reached after it.
        """
        feature_map, leaving = self.maps[place]
        left = reached - {feature_map}
        for chosen in _choices(leaving) if feature_map in reached else [()]:
            # Whole numbers stay whole without weights, however large they are.
            weight = 1 if self.weights is None else prod(self.weights[c.name] for c in chosen)
            yield weight, chosen, left.union(connection.target for connection in chosen)


def _full(grid: GridLike) -> Grid:
    full = as_grid(grid).full
    if not isinstance(full.spec, GridSpec):
        fact = f"sub-topologies are those of the paper's grid; {full.spec.title} is a network"
        raise TopologyError(f"{fact} of its own", ("topology",))
    return full


def _leaving(grid: Grid) -> Leaving:
    """Each map but the output, in the order in which they are computed, and what leaves it."""
    leaving: dict[FeatureMap, list[Connection]] = {each: [] for each in grid.maps}
    for connection in grid.connections:
        leaving[connection.source].append(connection)
    return [(each, tuple(out)) for each, out in leaving.items() if each != grid.output]


def _choices(leaving: tuple[Connection, ...]) -> Iterator[tuple[Connection, ...]]:
    """What may be kept of the connections that leave a map which is reached: one at least."""
    for number in range(1, len(leaving) + 1):
        yield from combinations(leaving, number)


def _selections(
    maps: Leaving, reached: frozenset[FeatureMap], kept: tuple[Connection, ...]
) -> Iterator[tuple[Connection, ...]]:
    """The connections of each sub-topology that keeps `kept`, which reach these of the maps left.

    All maps but the output have connections that leave them, so whatever is reached leads there.
    """
    for place, (feature_map, leaving) in enumerate(maps):
        if feature_map in reached:
            for chosen in _choices(leaving):
                targets = reached.union(connection.target for connection in chosen)
                yield from _selections(maps[place + 1 :], targets, (*kept, *chosen))
            return
    yield kept
