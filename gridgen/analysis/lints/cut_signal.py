"""Total dropout that leaves nothing."""

from collections.abc import Iterator
from itertools import accumulate

from gridgen.analysis.lints.case import Case
from gridgen.analysis.lints.finding import Finding, Fix
from gridgen.grid import Connection, Grid

FIX = Fix("add the identity along the streams, or set total_dropout=0", {"residual.lateral": True})


def cut_signal(case: Case) -> Iterator[Finding]:
    """A unit that total dropout drops, without an identity, and that every path leads through.

    In such a step the prediction knows nothing of the image. The paper's networks have other
    paths, and identities, which always pass (section 3.1).
    """
    for connection in single_ways(case.grid):
        if connection.dropout and connection.shortcut is None:
            odds = f"total dropout drops it with probability {connection.dropout:g}"
            fact = f"{odds}, and no identity or other path leads around it"
            yield Finding("cut-signal", (connection.name,), fact, FIX)


def single_ways(grid: Grid) -> Iterator[Connection]:
    """The connections that every path from input to output leads through.

    Of these, and of no others, it is the only connection from the maps that are computed up to
    its source to the later ones: every map lies before the source, or behind the target.
    """
    order = {feature_map: index for index, feature_map in enumerate(grid.maps)}
    change = [0] * len(order)
    for connection in grid:
        change[order[connection.source]] += 1
        change[order[connection.target]] -= 1
    crossing = list(accumulate(change))
    yield from (connection for connection in grid if crossing[order[connection.source]] == 1)
