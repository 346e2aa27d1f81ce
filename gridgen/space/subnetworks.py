"""The sub-networks of one grid among which a supernet is trained: how many there are, and drawing
some of them at random. Add a way to draw as a function and a line in `SAMPLINGS`.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from math import exp, log
from random import Random
from typing import NamedTuple

from gridgen.analysis.sizes import default_size
from gridgen.errors import SpecError, TopologyError
from gridgen.grid import FeatureMap, Grid, GridSpec, build_grid, prune
from gridgen.grid.subtopologies import Subtopology, Ways, count_subtopologies, subtopologies
from gridgen.grid.tracing import trace
from gridgen.spec import CustomTopology

LISTED = 10_000
"""Sub-topologies that are listed; of more, each is drawn by itself."""
CANDIDATES = 8
"""Networks that are drawn where one is to be chosen by its cost or its connections."""
LEVELS = (-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0)
"""How strongly cheaper networks are preferred; each candidate is drawn with one of these."""


class Chosen(NamedTuple):
    """A sub-network: its connections, and its `base_channels` where these vary."""

    topology: Subtopology
    width: int | None


@dataclass(frozen=True)
class Subnetworks:
    """Sub-networks of `whole`: connections, in each of some widths; and `whole` itself.

    `topologies` are those of which some are drawn in each step, None for all of a full grid, where
    these are too many to list. No widths stand for the channels that `whole` has.
    """

    whole: GridSpec
    topologies: tuple[Subtopology, ...] | None
    widths: tuple[int, ...] = ()

    @classmethod
    def every(cls, spec: GridSpec, widths: Sequence[int] = ()) -> "Subnetworks":
        """All sub-topologies of the full grid of `spec`."""
        whole = _widest(spec.but(topology=None), widths)
        listed = count_subtopologies(whole) <= LISTED
        return cls(whole, subtopologies(whole) if listed else None, tuple(sorted(widths)))

    @classmethod
    def some(
        cls, spec: GridSpec, given: Sequence[str | CustomTopology], widths: Sequence[int] = ()
    ) -> "Subnetworks":
        """These topologies alone; the whole network has the connections that any of them has.

        Errors: `TopologyError` at the place in the list; `SpecError` where `spec` keeps other
        connections than these together.
        """
        whole = _widest(spec.but(topology=None), widths)
        full = build_grid(whole)
        kept = dict.fromkeys(_kept(full, each, place) for place, each in enumerate(given))
        names = {name for each in kept for name in each.connections}
        if spec.topology is not None and names != {each.name for each in build_grid(spec)}:
            fact = f"together these are not {spec.title}, which the spec keeps"
            raise SpecError(f"{fact}; leave the topology out there", ("topologies",))
        return cls(_keeping(names, whole), tuple(kept), tuple(sorted(widths)))

    @cached_property
    def number(self) -> int:
        """How many there are."""
        if self.topologies is None:
            return count_subtopologies(self.whole) * len(self._widths)
        return sum(1 for _ in self)

    @property
    def _widths(self) -> tuple[int | None, ...]:
        return self.widths or (None,)

    def __iter__(self) -> Iterator[Chosen]:
        """All of them. Errors: `SpecError` where they are too many to list."""
        yield from self.drawable
        if self.largest not in self.drawable:
            yield self.largest

    @cached_property
    def drawable(self) -> tuple[Chosen, ...]:
        """Those that steps draw. The whole network, which every step trains, may be none of them.

        Errors: `SpecError` where they are too many to list.
        """
        if self.topologies is None:
            raise SpecError(f"{self.number:,} sub-networks are too many to list; draw some")
        return tuple(Chosen(*each) for each in product(self.topologies, self._widths))

    def require(self, grid: Grid) -> None:
        """Refuse a sub-network that is none of these. Errors: `SpecError`."""
        assert isinstance(grid.spec, GridSpec)
        spec = grid.spec.by_base_channels()
        if self.widths and spec.base_channels not in self.widths:
            known = ", ".join(map(str, self.widths))
            given = spec.base_channels or f"left out for channels {[*spec.stream_channels]}"
            fact = f"base_channels is {given}, which was not trained"
            raise SpecError(f"{fact}; give one of {known}", ("base_channels",))
        if not self.widths and spec.stream_channels != self.whole.stream_channels[: spec.streams]:
            fact = f"F0 is {spec.stream_channels[0]}, and {self.whole.stream_channels[0]} alone"
            raise SpecError(f"{fact} was trained; take that, or train more widths", ("channels",))
        if self.topologies is not None and not self._complete:
            kept = frozenset(connection.name for connection in grid)
            if (kept, spec.base_channels if self.widths else None) not in self._trained:
                number = len({connections for connections, _ in self._trained})
                fact = f"its connections are none of the {number} topologies that were trained"
                raise SpecError(f"{fact}; take one of these", ("topology",))

    @cached_property
    def _trained(self) -> set[tuple[frozenset[str], int | None]]:
        """Connections and widths of all, in any order of connections."""
        return {(frozenset(each.topology.connections), each.width) for each in self}

    @cached_property
    def _complete(self) -> bool:
        """Whether these are all sub-topologies of the full grid."""
        listed = self.topologies
        return listed is None or len(listed) == count_subtopologies(self.whole)

    def draw(self, random: Random, level: float = 0.0) -> Chosen:
        """One of them, each with the same probability; of those that are not listed, with a level
        above 0 the cheaper ones more often, below 0 the dearer ones.
        """
        listed, width = self.topologies, random.choice(self._widths)
        if listed is None:
            return Chosen(self._ways(level).subtopology(random), width)
        return Chosen(random.choice(listed), width)

    @cached_property
    def _ways(self) -> Callable[[float], Ways]:
        """By level, a connection's weight falls with its cost, of which the mean counts 1."""
        full = build_grid(self.whole)
        costs = self._costs[self._widths[-1]]
        mean = sum(costs.values()) / len(costs)

        def ways(level: float) -> Ways:
            return Ways(full, {name: exp(-level * cost / mean) for name, cost in costs.items()})

        return cache(ways)

    def nearest(self, cost: float) -> list[Chosen]:
        """Those listed ones whose cost is nearest to this one; several where equally near."""
        costs = self._by_cost
        found = min(costs, key=lambda each: abs(log(each) - log(cost)))
        return costs[found]

    @cached_property
    def _by_cost(self) -> dict[int, list[Chosen]]:
        found: dict[int, list[Chosen]] = {}
        for each in self.drawable:
            found.setdefault(self.cost(each), []).append(each)
        return found

    def spec(self, chosen: Chosen) -> GridSpec:
        """The network as a spec, to build or to store."""
        width = {} if chosen.width is None else {"base_channels": chosen.width}
        return self.whole.but(topology=chosen.topology.topology, **width)

    @cached_property
    def largest(self) -> Chosen:
        """The whole network."""
        return Chosen(Subtopology.of(self.whole), self._widths[-1])

    @cached_property
    def smallest(self) -> Chosen:
        """The one whose units compute least."""
        width, known = self._widths[0], self.topologies
        if known is None:  # every sub-topology holds a path from input to output
            known = (self._cheapest_path(width),)
        return Chosen(min(known, key=lambda each: self.cost(Chosen(each, width))), width)

    def cost(self, chosen: Chosen) -> int:
        """Multiply-accumulates of the units of one, for an image of the default size."""
        costs = self._costs[chosen.width]
        return sum(costs[name] for name in chosen.topology.connections)

    @cached_property
    def _costs(self) -> dict[int | None, dict[str, int]]:
        """The cost of each unit, by the name of its connection, for each width."""
        found = {}
        for width in self._widths:
            grid = build_grid(self.whole if width is None else self.whole.but(base_channels=width))
            traced = trace(grid, default_size(grid.spec))
            named = zip(grid, traced.connections, strict=True)
            found[width] = {connection.name: cost.macs for connection, cost in named}
        return found

    def _cheapest_path(self, width: int | None) -> Subtopology:
        grid, costs = build_grid(self.whole), self._costs[width]
        cheapest: dict[FeatureMap, tuple[int, tuple[str, ...]]] = {grid.input: (0, ())}
        for target in grid.maps[1:]:
            ways = ((*cheapest[each.source], each.name) for each in grid.into(target))
            cheapest[target] = min((cost + costs[name], (*path, name)) for cost, path, name in ways)
        return Subtopology(cheapest[grid.output][1])


def _kept(full: Grid, topology: str | CustomTopology, place: int) -> Subtopology:
    try:
        return Subtopology.of(prune(full, topology))
    except TopologyError as error:
        raise TopologyError(str(error), ("topologies", place)) from error


def _widest(spec: GridSpec, widths: Sequence[int]) -> GridSpec:
    """`spec`, which has the widest of these, without total dropout: that would take connections
    away from the networks that are drawn. Errors: `SpecError` where it has another width.
    """
    spec = spec.but(total_dropout=0.0)
    if not widths:
        return spec
    if spec.channels is not None:
        fact = "widths are those of base_channels, but the spec gives channels"
        raise SpecError(f"{fact}; give base_channels there", ("base_channels",))
    if spec.base_channels != max(widths):
        fact = f"the widest is {max(widths)}, but the spec has {spec.base_channels}"
        raise SpecError(f"{fact}; give the spec the widest of them", ("base_channels",))
    return spec


def _keeping(names: Container[str], spec: GridSpec) -> GridSpec:
    """The spec of a full grid with these connections, without a topology where they are all."""
    full = build_grid(spec)
    kept = tuple(connection.name for connection in full if connection.name in names)
    everything = len(kept) == len(full.connections)
    return spec.but(topology=None if everything else CustomTopology(keep=kept))


Drawn = Counter[str]
"""How many times each connection was drawn so far."""
Draw = Callable[[Subnetworks, Random, Drawn], Chosen]


def uniform(networks: Subnetworks, random: Random, drawn: Drawn) -> Chosen:
    """Each network with the same probability."""
    return networks.draw(random)


def by_cost(networks: Subnetworks, random: Random, drawn: Drawn) -> Chosen:
    """Costs spread evenly by their logarithm, as few networks are very cheap or very dear.

    Of those that are listed, the nearest to a cost that is drawn; of more, the nearest of a few.
    """
    ends = [log(networks.cost(each)) for each in (networks.smallest, networks.largest)]
    aim = random.uniform(*ends)
    if networks.topologies is not None:
        near = networks.nearest(exp(aim))
        return random.choice(near)
    candidates = [networks.draw(random, random.choice(LEVELS)) for _ in range(CANDIDATES)]
    return min(candidates, key=lambda each: abs(log(networks.cost(each)) - aim))


def fair(networks: Subnetworks, random: Random, drawn: Drawn) -> Chosen:
    """Of a few, that whose connections were drawn least in this epoch, so that all are trained more
    equally (after Chu et al., "FairNAS", ICCV 2021).
    """
    names = networks.largest.topology.connections
    mean = drawn.total() / len(names)
    candidates = [networks.draw(random) for _ in range(CANDIDATES)]
    # What was drawn seldom is to be drawn now, and what was drawn often is not.
    return max(candidates, key=lambda x: sum(mean - drawn[n] for n in x.topology.connections))


SAMPLINGS: dict[str, Draw] = {"uniform": uniform, "cost": by_cost, "fair": fair}


def draw_each(
    networks: Subnetworks, sampling: str, random: Random, steps: int, samples: int
) -> Iterator[tuple[Chosen, ...]]:
    """`samples` networks for each of some steps."""
    drawn: Drawn = Counter()
    for _ in range(steps):
        found = []
        for _ in range(samples):
            found.append(SAMPLINGS[sampling](networks, random, drawn))
            drawn.update(found[-1].topology.connections)
        yield tuple(found)
