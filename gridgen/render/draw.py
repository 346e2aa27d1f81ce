"""Drawing a grid where the paper has it: streams as rows, columns as columns (figure 1).

Positions are fixed, so Graphviz lays nothing out and the same grid always gives the same picture.
"""

import graphviz

from gridgen.analysis import count_paths
from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.units import Kind
from gridgen.render import style
from gridgen.render.canvas import add_connection, add_line, add_map, add_words, blank_canvas
from gridgen.render.ends import add_ends, add_stream_names
from gridgen.render.layout import last_column, last_stream, stream_sizes
from gridgen.render.legend import Entry, add_legend, add_title
from gridgen.render.picture import Picture
from gridgen.spec import GridSpec


def draw(grid: Grid) -> Picture:
    """The picture of `grid`; what pruning dropped from the full grid stays as a faint ghost.

    Green lateral, red subsampling, yellow upsampling connections, thin where the map passes as it
    is; a map shows its channels, and how what arrives is joined where it is not added up.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> draw(prune(grid, "resnet")).source.startswith("digraph")
    True
    """
    canvas = blank_canvas()
    _add_connections(canvas, grid)
    _add_maps(canvas, grid)
    add_ends(canvas, [grid], last_column(grid))
    _add_column_names(canvas, grid)
    add_stream_names(canvas, grid, stream_sizes(grid.full))
    middle = last_column(grid) / 2
    add_legend(canvas, _entries(grid), middle, last_stream(grid) + 0.75)
    add_title(canvas, grid.spec.title, _facts(grid), middle)
    return Picture(canvas.source)


def _add_connections(canvas: graphviz.Digraph, grid: Grid) -> None:
    kept = {connection.name for connection in grid}
    maps = frozenset(grid.full.maps)
    for connection in grid.full:
        if connection.name in kept:
            add_connection(canvas, connection, maps, _look(connection))
        else:
            add_connection(canvas, connection, maps, style.DROPPED, " (dropped)")
    for seen, target in _readings(grid):
        tooltip = f"{target.name} looks at {seen.name}"
        add_line(canvas, seen, target, maps, style.LOOKED_AT, tooltip)


def _readings(grid: Grid) -> list[tuple[FeatureMap, FeatureMap]]:
    """Maps that connections look at, and where those lead, unless a connection shows it too."""
    pairs = {(c.auxiliary, c.target) for c in grid if c.auxiliary}
    return sorted(pair for pair in pairs if not grid.dag.has_edge(*pair))


def _look(connection: Connection) -> style.Look:
    width = style.LINE if connection.unit else style.THIN_LINE
    return style.Look(style.COLOURS[connection.kind], width)


def _add_maps(canvas: graphviz.Digraph, grid: Grid) -> None:
    for feature_map in grid.full.maps:
        channels = grid.full.channels_of(feature_map)
        join = grid.full.fusion_of(feature_map).join
        dag = grid.dag if feature_map in grid.dag else grid.full.dag
        joined = join != "sum" and dag.in_degree(feature_map) > 1
        label, tooltip = f"{channels}", f"{channels} channels"
        if joined:
            label, tooltip = f"{label}\\n{join}", f"{tooltip}, {join}"
        if feature_map in grid.dag:
            look = {"fillcolor": style.LAYERED} if grid.info(feature_map).after else {}
            add_map(canvas, feature_map, label, tooltip, **look)
        else:
            add_map(canvas, feature_map, "", tooltip, color=style.GHOST, fillcolor="white")


def _add_column_names(canvas: graphviz.Digraph, grid: Grid) -> None:
    columns = grid.spec.columns if isinstance(grid.spec, GridSpec) else ()
    for column, kind in enumerate(columns):
        add_words(canvas, f"column_{column}", f"{kind} {column}", column, -0.62)


def _facts(grid: Grid) -> str:
    kept, full = len(grid.connections), len(grid.full.connections)
    share = f"{kept} of {full}" if kept < full else f"{full}"
    paths = count_paths(grid)
    plural = "s" if paths != 1 else ""
    return f"{grid.spec.shape} · {share} connections · {paths:,} path{plural}"


def _entries(grid: Grid) -> list[Entry]:
    """What each kind of line in the picture means."""
    entries: list[Entry] = []
    for kind in style.COLOURS:
        of_kind = [connection for connection in grid if connection.kind == kind]
        units = [connection for connection in of_kind if connection.unit]
        bare = [connection for connection in of_kind if not connection.unit]
        if units:
            entries.append((_label(kind, units), _look(units[0])))
        if bare:
            entries.append((f"{kind}, as it is", _look(bare[0])))
    if any(grid.info(feature_map).after for feature_map in grid.dag):
        entries.append(("map with layers of its own", style.LAYERED))
    if _readings(grid):
        entries.append(("looked at", style.LOOKED_AT))
    if len(grid.connections) < len(grid.full.connections):
        entries.append(("dropped", style.DROPPED))
    return entries


def _label(kind: Kind, connections: list[Connection]) -> str:
    """What the connections of a kind are, and what holds for all of them."""
    residual = all(connection.shortcut is not None for connection in connections)
    dropout = {connection.dropout for connection in connections}
    label = kind + (", residual" if residual else "")
    return label + "".join(f"\\ntotal dropout {share:g}" for share in dropout if share)
