"""Total dropout that leaves nothing."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import log, prod

import networkx as nx

from gridgen.analysis.dropout import silence
from gridgen.analysis.lints.case import Case
from gridgen.analysis.lints.finding import Finding, Fix
from gridgen.grid import Connection, FeatureMap, Grid

FIX = Fix("add the identity along the streams, or set total_dropout=0", {"residual.lateral": True})
RARE = 0.001
"""Chance in a step below which nothing is said: an epoch of the paper's training has some 700."""
LEAST = 1e-6
"""Chance of one cut below which none is looked for; many such may come to more than `RARE`."""
FINE = 1 << 20
"""Capacities are whole multiples of 1 / FINE, of which sums are exact."""


def cut_signal(case: Case) -> Iterator[Finding]:
    """Units without an identity that total dropout can drop at once, so that no path is left.

    In such a step the prediction knows nothing of the image. The paper's networks have identities,
    which always pass (section 3.1).
    """
    cut = likeliest_cut(case.grid)
    if not cut:
        return
    exact, odds = silence(case.grid), prod(link.dropout for link in cut)
    if (exact or odds) < RARE:
        return
    steps = f"{exact:.1%}" if exact else f"at least {odds:.1%}"
    alone = [link.name for link in single_ways(case.grid) if _droppable(link)]
    yield _finding(alone or [link.name for link in cut], bool(alone), steps)


def _finding(names: Sequence[str], alone: bool, steps: str) -> Finding:
    """`alone` is whether each of the names cuts, and not only all of them together."""
    drops = "drops it" if alone else f"can drop these {len(names)} at once"
    around = f"no identity or other path leads around {'it' if alone else 'them'}"
    fact = f"total dropout {drops}, and {around}; no signal in {steps} of the training steps"
    return Finding("cut-signal", tuple(names), fact, FIX)


def _droppable(connection: Connection) -> bool:
    """Whether nothing passes it in some training steps."""
    return connection.dropout > 0 and connection.shortcut is None


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


def likeliest_cut(grid: Grid) -> tuple[Connection, ...]:
    """The droppable connections that part input and output and are most likely dropped at once.

    A minimum cut where each has the capacity -log of its dropout and the others have no end.
    Nothing where there is none, or where that is less likely than `LEAST`.
    """
    dag: nx.DiGraph[FeatureMap] = nx.DiGraph()
    dag.add_nodes_from((grid.input, grid.output))
    firm = [(link.source, link.target) for link in grid if not _droppable(link)]
    dag.add_edges_from(firm)
    weak = {(link.source, link.target): link for link in grid if _droppable(link)}
    if not weak or nx.has_path(dag, grid.input, grid.output):
        return ()
    for step, link in weak.items():
        dag.add_edge(*step, capacity=round(-log(link.dropout) * FINE))
    reached = _reached(dag, grid)
    return tuple(link for (a, b), link in weak.items() if a in reached and b not in reached)


def _reached(dag: "nx.DiGraph[FeatureMap]", grid: Grid) -> set[FeatureMap]:
    """The maps on the input's side of a minimum cut; all where it is more than it may be."""
    most = round(-log(LEAST) * FINE) + 1
    flow = nx.algorithms.flow.edmonds_karp(dag, grid.input, grid.output, cutoff=most)
    if flow.graph["flow_value"] >= most:
        return set(dag)
    open_steps = nx.subgraph_view(flow, filter_edge=lambda a, b: _is_open(flow.edges[a, b]))
    return {grid.input, *nx.descendants(open_steps, grid.input)}


def _is_open(step: dict[str, int]) -> bool:
    """Whether a step of the residual network takes more."""
    return step["flow"] < step["capacity"]
