"""Total dropout (section 3.1): exact probabilities that paths are whole in one training step.

A path is whole if none of its units is dropped. An identity beside a dropped unit still passes
the map on, but nothing there is learnt in this step.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from gridgen.arguments import checked
from gridgen.grid import Connection, FeatureMap, Grid, GridLike, as_grid

EFFORT = 50_000
"""Number of sets after which a computation is given up: each more stream has four times as many."""

States = dict[int, float]
"""The probability of each set of reached maps, a set being the bits of an integer."""


@dataclass(frozen=True)
class Dropout:
    """The effect of total dropout on the paths in one training step.

    `whole` is the share of paths that are whole, on average; `some` the chance that there is a
    whole path at all, `depths` the chance that there is one whose lowest stream this is. None
    where that would take too long to compute.
    """

    whole: float
    some: float | None
    depths: dict[int, float | None]

    def others(self, stream: int) -> float | None:
        """The chance of a whole path given that none has this depth; None if one always has."""
        depth = self.depths[stream]
        if depth is None or self.some is None or depth >= 1:
            return None
        return (self.some - depth) / (1 - depth)

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return asdict(self)


def has_dropout(grid: Grid) -> bool:
    """Whether any unit can be dropped."""
    return any(connection.dropout for connection in grid)


@checked
def dropout(grid: GridLike) -> Dropout:
    """Compute the chances of whole paths under the dropout of each unit of `grid`.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=2, columns="1+1", base_channels=4, classes=2, total_dropout=0.1)
    >>> left = dropout(build_grid(spec))  # two paths, a lateral unit on each
    >>> round(left.whole, 3), round(left.some, 3), round(left.others(0), 3)
    (0.9, 0.99, 0.9)
    """
    grid = as_grid(grid)
    streams = sorted({feature_map.stream for feature_map in grid.maps})
    return Dropout(
        whole=_whole(grid),
        some=_chance(grid, _links(grid, streams[-1]), None),
        depths={stream: _chance(grid, _links(grid, stream), stream) for stream in streams},
    )


def silence(grid: Grid) -> float | None:
    """The chance that in a training step the prediction does not depend on the image.

    Identities always pass the image on.

    None where that would take too long to compute.
    """
    lowest = max(feature_map.stream for feature_map in grid.maps)
    links = (
        link if link.shortcut is None else replace(link, dropout=0.0)
        for link in _links(grid, lowest)
    )
    passes = _chance(grid, links, None)
    return None if passes is None else 1 - passes


def _whole(grid: Grid) -> float:
    """The mean over all paths of the chance that they are whole."""
    paths, mean = {grid.input: 1}, {grid.input: 1.0}
    for target in grid.maps:
        arrivals = grid.into(target)
        if arrivals:
            total = sum(paths[arrival.source] for arrival in arrivals)
            mean[target] = sum(
                paths[arrival.source] / total * mean[arrival.source] * (1 - arrival.dropout)
                for arrival in arrivals
            )
            paths[target] = total
    return mean[grid.output]


def _chance(grid: Grid, links: Iterable[Connection], wanted: int | None) -> float | None:
    """The chance of a whole path of `links` that visits the stream `wanted`.

    Connection by connection, over all sets of maps that whole paths lead to. A map has two bits:
    it is reached by a path that has not been to `wanted`, and by one that has.
    """
    links = tuple(links)
    last = {link.source: link for link in links}
    place = {feature_map: 2 * i for i, feature_map in enumerate(grid.maps)}
    states, steps = {_bits(1, grid.input, wanted) << place[grid.input]: 1.0}, 0
    for link in links:
        states = _passed(states, link, place, wanted)
        # Sets that differ only in maps without further readers are one set from here on.
        if last[link.source] is link:
            states = _forgotten(states, place[link.source])
        steps += len(states)
        # The sets grow exponentially with the streams; counting them is cheaper than a time limit.
        if steps > EFFORT:
            return None
    ends = (0b11 if wanted is None else 0b10) << place[grid.output]
    return sum(chance for state, chance in states.items() if state & ends)


def _links(grid: Grid, lowest: int) -> list[Connection]:
    """The connections of paths that go no deeper than the stream `lowest`."""
    leading, links = {grid.output}, []
    for connection in reversed(grid.connections):
        deepest = max(connection.source.stream, connection.target.stream)
        if connection.target in leading and deepest <= lowest:
            leading.add(connection.source)
            links.append(connection)
    return links[::-1]


def _passed(
    states: States, link: Connection, place: dict[FeatureMap, int], wanted: int | None
) -> States:
    """The sets after one more connection, which may be dropped."""
    passed: States = defaultdict(float)
    for state, chance in states.items():
        bits = _bits(state >> place[link.source] & 0b11, link.target, wanted)
        passed[state | bits << place[link.target]] += chance * (1 - link.dropout)
        if link.dropout:
            passed[state] += chance * link.dropout
    return passed


def _bits(bits: int, feature_map: FeatureMap, wanted: int | None) -> int:
    """The two bits of a map that is reached from a map with `bits`."""
    return 0b10 if bits and feature_map.stream == wanted else bits


def _forgotten(states: States, place: int) -> States:
    """The sets without the map at `place`, from which no further connection leads."""
    left: States = defaultdict(float)
    for state, chance in states.items():
        left[state & ~(0b11 << place)] += chance
    return left
