"""Two grids in one picture: what both have, what each has alone, what is not the same."""

import graphviz

from gridgen.analysis.relations import Relation, relate
from gridgen.grid import Grid
from gridgen.render import style
from gridgen.render.canvas import add_connection, add_map, blank_canvas
from gridgen.render.ends import add_ends, add_stream_names
from gridgen.render.layout import last_column, last_stream, stream_sizes
from gridgen.render.legend import add_legend, add_title
from gridgen.render.picture import Picture

LEGEND = [
    ("in both", style.BOTH),
    ("only in A", style.ONLY_A),
    ("only in B", style.ONLY_B),
    ("in both, not the same", style.CHANGED),
]


def draw_difference(a: Grid, b: Grid) -> Picture:
    """The maps and connections of both grids at their coordinates, coloured by whose they are.

    Grey in both, blue only in A, orange only in B, purple in both but with another unit, identity
    or dropout; a map whose channels differ shows both.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> draw_difference(prune(grid, "resnet"), grid).source.startswith("digraph")
    True
    """
    canvas = blank_canvas()
    relation = relate(a, b)
    _add_connections(canvas, a, b, relation)
    _add_maps(canvas, a, b, relation)
    last = max(last_column(a), last_column(b))
    add_ends(canvas, [a, b], last)
    add_stream_names(canvas, a, _sizes(a, b))
    row = max(last_stream(a), last_stream(b)) + 0.75
    add_legend(canvas, LEGEND, last / 2, row)
    facts = f"A: {a.spec.shape} · B: {b.spec.shape}"
    add_title(canvas, f"{a.spec.title} (A) and {b.spec.title} (B)", facts, last / 2)
    return Picture(canvas.source)


def _add_connections(canvas: graphviz.Digraph, a: Grid, b: Grid, relation: Relation) -> None:
    looks = dict.fromkeys(relation.common, style.BOTH)
    looks |= dict.fromkeys(relation.only_in_a, style.ONLY_A)
    looks |= dict.fromkeys(relation.only_in_b, style.ONLY_B)
    looks |= dict.fromkeys(relation.differing, style.CHANGED)
    maps = frozenset(a.dag) | frozenset(b.dag)
    theirs = {connection.name: connection for connection in (*b, *a)}
    for name, connection in theirs.items():
        add_connection(canvas, connection, maps, looks[name])


def _add_maps(canvas: graphviz.Digraph, a: Grid, b: Grid, relation: Relation) -> None:
    differing = set(relation.differing_maps)
    for feature_map in (*a.maps, *(other for other in b.maps if other not in a.dag)):
        holders = [grid for grid in (a, b) if feature_map in grid.dag]
        channels = dict.fromkeys(str(grid.channels_of(feature_map)) for grid in holders)
        look = style.CHANGED if feature_map.name in differing else None
        if len(holders) == 1:
            look = style.ONLY_A if feature_map in a.dag else style.ONLY_B
        label = "\\n".join(channels)
        tooltip = " and ".join(channels) + " channels"
        add_map(canvas, feature_map, label, tooltip, **({"color": look.colour} if look else {}))


def _sizes(a: Grid, b: Grid) -> dict[int, str]:
    """The size of each stream's maps; both where they differ."""
    ours, theirs = stream_sizes(a), stream_sizes(b)
    streams = sorted({*ours, *theirs})
    return {
        i: ", ".join(dict.fromkeys(sizes[i] for sizes in (ours, theirs) if i in sizes))
        for i in streams
    }
