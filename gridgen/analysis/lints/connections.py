"""Lints on which connections there are: dead ends, lost streams, cuts by total dropout."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import accumulate, pairwise
from math import log, prod
from typing import TYPE_CHECKING, Any

from gridgen.analysis.dropout import silence
from gridgen.analysis.lints.case import Case, Finding, Fix
from gridgen.errors import SpecError
from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.spec import CustomTopology, GridSpec
from gridgen.spec.columns import Column, as_written

if TYPE_CHECKING:
    import networkx as nx

DEAD = "on no path from input to output, so removed"
IDENTITIES = Fix(
    "add the identity along the streams, or set total_dropout=0", {"residual.lateral": True}
)
RARE = 0.001
"""Chance in a step below which nothing is reported; an epoch of the paper has some 700 steps."""
LEAST = 1e-6
"""Chance below which a cut is not searched for; many such may add up to more than `RARE`."""
FINE = 1 << 20
"""Capacities are integers, multiples of 1 / FINE: sums of floats would not be exact."""


def dead_ends(case: Case) -> Iterator[Finding]:
    """Connections of the topology, or of the columns, that lie on no path and are not built."""
    grid = case.grid
    if not grid.dead_ends:
        return
    fix = _without_dead_ends(grid)
    for connection in grid.dead_ends:
        yield Finding("dead-ends", (connection.name,), DEAD, fix)


def _without_dead_ends(grid: Grid) -> Fix:
    topology = grid.spec.topology
    if isinstance(topology, CustomTopology):
        words, lists = _without_them(grid, topology)
        return Fix(words, {"topology": lists})
    assert isinstance(grid.spec, GridSpec), "the others lay no connection that is on no path"
    return Fix("begin with sub and end with up", {"columns": _columns(grid.spec)})


def _without_them(grid: Grid, topology: CustomTopology) -> tuple[str, dict[str, list[str]]]:
    """A topology of the connections that the grid has and no others: in words, and its lists."""
    names = [connection.name for connection in grid.full]
    dead = [connection.name for connection in grid.dead_ends]
    if topology.keep:
        return "keep the others", {"keep": without(topology.keep, names, dead)}
    if set(dead) <= set(names):
        return "drop them as well", {"drop": [*(topology.drop or ()), *dead]}
    return "keep the others", {"keep": [connection.name for connection in grid]}


def _columns(spec: GridSpec) -> str | list[Column]:
    """The columns without up before the first sub and without sub after the last up."""
    columns = spec.columns
    first, last = columns.index("sub"), len(columns) - columns[::-1].index("up")
    return as_written(columns[first:last])


def lost_stream(case: Case) -> Iterator[Finding]:
    """A stream that lists of connections leave no path through.

    A topology that has a name says what it is; of lists, nobody may have noticed.
    """
    grid, topology = case.grid, case.grid.spec.topology
    if not isinstance(topology, CustomTopology):
        return
    lost = sorted(_streams(grid.full) - _streams(grid))
    fix = _keep_also(case, topology, _missing(grid, lost))
    fact = f"the topology leaves no map of it, though {grid.spec.needs}"
    yield from (Finding("lost-stream", (f"stream {stream}",), fact, fix) for stream in lost)


def _keep_also(case: Case, topology: CustomTopology, missing: list[str]) -> Fix:
    """The missing connections kept as well; all of them, where that makes no network."""
    names = [connection.name for connection in case.grid.full]
    lists: dict[str, Any] = {"drop": without(topology.drop or (), names, missing)}
    if topology.keep:
        lists = {"keep": [*topology.keep, *missing]}
    fix = Fix(f"keep also {', '.join(missing)}", {"topology": lists})
    try:
        case.mended(fix)
    except SpecError:
        return Fix("keep all connections", {"topology": None})
    return fix


def _missing(grid: Grid, lost: list[int]) -> list[str]:
    """The connections to add for a path through every lost stream; the lowest may do for all."""
    asked = {connection.name for connection in (*grid, *grid.dead_ends)}
    missing: dict[str, Connection] = {}
    for stream in reversed(lost):
        if stream not in {connection.target.stream for connection in missing.values()}:
            path = _path(grid.full, stream, asked | missing.keys())
            missing |= {step.name: step for step in path if step.name not in asked}
    return list(missing)


def _path(grid: Grid, stream: int, asked: set[str]) -> list[Connection]:
    """A path through `stream` with as few connections as can be beside those asked for."""
    import networkx as nx  # here, since commands that build no grid start without it

    dag: nx.DiGraph[FeatureMap] = nx.DiGraph()
    for connection in grid:
        weight = 0 if connection.name in asked else 1
        dag.add_edge(connection.source, connection.target, weight=weight, connection=connection)
    down = nx.single_source_dijkstra_path_length(dag, grid.input)
    up = nx.single_source_dijkstra_path_length(dag.reverse(), grid.output)
    inside = [place for place in grid.maps if place.stream == stream]
    middle = min(inside, key=lambda place: down[place] + up[place])
    ways = [nx.dijkstra_path(dag, *ends) for ends in ((grid.input, middle), (middle, grid.output))]
    return [dag.edges[step]["connection"] for way in ways for step in pairwise(way)]


def _streams(grid: Grid) -> set[int]:
    return {feature_map.stream for feature_map in grid.maps}


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
    yield _cut_finding(alone or [link.name for link in cut], bool(alone), steps)


def _cut_finding(names: Sequence[str], alone: bool, steps: str) -> Finding:
    """The finding for a cut; `alone` if each connection cuts by itself, not only all together."""
    drops = "drops it" if alone else f"can drop these {len(names)} at once"
    around = f"no identity or other path leads around {'it' if alone else 'them'}"
    fact = f"total dropout {drops}, and {around}; no signal in {steps} of the training steps"
    return Finding("cut-signal", tuple(names), fact, IDENTITIES)


def _droppable(connection: Connection) -> bool:
    """Whether there are training steps in which nothing passes."""
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
    import networkx as nx  # here, since commands that build no grid start without it

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
    import networkx as nx  # here, since commands that build no grid start without it

    most = round(-log(LEAST) * FINE) + 1
    # Not nx.minimum_cut: where the cutoff ends the search, it would return the cut of a partial
    # flow as if it were the minimum.
    flow = nx.algorithms.flow.edmonds_karp(dag, grid.input, grid.output, cutoff=most)
    if flow.graph["flow_value"] >= most:
        return set(dag)
    open_steps = nx.subgraph_view(flow, filter_edge=lambda a, b: _is_open(flow.edges[a, b]))
    return {grid.input, *nx.descendants(open_steps, grid.input)}


def _is_open(step: dict[str, int]) -> bool:
    """Whether an edge of the residual network has capacity left."""
    return step["flow"] < step["capacity"]


def without(patterns: Iterable[str], names: Iterable[str], unwanted: Collection[str]) -> list[str]:
    """Patterns that match the same of `names` as `patterns` do, without the unwanted.

    Only a pattern that matches an unwanted name is written out.

    >>> without(["up_*", "sub_1_0"], ["sub_1_0", "up_0_1", "up_0_2"], ["up_0_2"])
    ['up_0_1', 'sub_1_0']
    """
    kept: list[str] = []
    for pattern in patterns:
        matched = [name for name in names if fnmatchcase(name, pattern)]
        wanted = [name for name in matched if name not in unwanted]
        kept += [pattern] if wanted == matched else wanted
    return list(dict.fromkeys(kept))
