"""Drawing a grid where the paper has it: streams as rows, columns as columns (figure 1).

Positions are fixed, so Graphviz lays nothing out and the same grid always gives the same picture.
"""

from itertools import pairwise

import graphviz

from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.render import style
from gridgen.render.layout import inches, last_column, position, stream_sizes
from gridgen.render.legend import add_legend, add_title
from gridgen.render.picture import Picture
from gridgen.render.routes import route
from gridgen.spec import GridSpec


def draw(grid: Grid) -> Picture:
    """The picture of `grid`; what pruning dropped from the full grid stays as a faint ghost.

    Green lateral, red subsampling, yellow upsampling connections; a map shows its channels.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> draw(prune(grid, "resnet")).source.startswith("digraph")
    True
    """
    canvas = graphviz.Digraph(
        graph_attr={
            "bgcolor": "white",
            "outputorder": "edgesfirst",
            "splines": "line",
            "pad": "0.25",
            "fontname": style.FONT,
        },
        node_attr={
            "shape": "box",
            "style": "filled,rounded",
            "fixedsize": "true",
            "width": inches(style.MAP_WIDTH),
            "height": inches(style.MAP_HEIGHT),
            "fillcolor": style.PAPER,
            "color": style.INK,
            "fontcolor": style.INK,
            "fontname": style.FONT,
            "fontsize": "11",
        },
        edge_attr={"penwidth": str(style.LINE), "arrowsize": "0.7"},
    )
    _add_connections(canvas, grid)
    _add_maps(canvas, grid)
    _add_ends(canvas, grid)
    _add_labels(canvas, grid)
    add_legend(canvas, grid)
    add_title(canvas, grid)
    return Picture(canvas.source)


def _add_connections(canvas: graphviz.Digraph, grid: Grid) -> None:
    kept = {connection.name for connection in grid}
    maps = frozenset(grid.full.maps)
    for connection in grid.full:
        ghost = connection.name not in kept
        line = style.GHOST_LINE if ghost or not connection.unit else style.LINE
        path = route(connection.source, connection.target, maps)
        canvas.edge(
            connection.source.name,
            connection.target.name,
            id=connection.name,
            tooltip=_describe(connection) + (" (dropped)" if ghost else ""),
            color=style.GHOST if ghost else style.COLOURS[connection.kind],
            penwidth=str(line),
            arrowsize="0.5" if ghost else "0.7",
            **({"pos": path} if path else {}),
        )
    for seen, target in sorted({(c.reads, c.target) for c in grid if c.reads}):
        if not grid.dag.has_edge(seen, target):
            _add_reading(canvas, seen, target, maps)


def _add_reading(
    canvas: graphviz.Digraph, seen: FeatureMap, target: FeatureMap, maps: frozenset[FeatureMap]
) -> None:
    """The further map that connections to `target` look at, as a dashed line."""
    path = route(seen, target, maps)
    canvas.edge(
        seen.name,
        target.name,
        tooltip=f"connections to {target.name} look at {seen.name}",
        color=style.FAINT,
        style="dashed",
        penwidth=str(style.SEEN_LINE),
        arrowsize="0.5",
        **({"pos": path} if path else {}),
    )


def _add_maps(canvas: graphviz.Digraph, grid: Grid) -> None:
    for feature_map in grid.full.maps:
        ghost = feature_map not in grid.dag
        channels = grid.full.channels_of(feature_map)
        join = grid.full.fusion_of(feature_map).join
        arrivals = grid.full.dag.in_degree(feature_map)
        joined = f"\\n{join}" if join != "sum" and arrivals > 1 else ""
        canvas.node(
            feature_map.name,
            label="" if ghost else f"{channels}{joined}",
            id=feature_map.name,
            tooltip=f"X({feature_map.stream}, {feature_map.column}): {channels} channels",
            pos=position(feature_map.column, feature_map.stream),
            **({"fontsize": "9"} if joined else {}),
            **({"color": style.GHOST, "fillcolor": "white"} if ghost else {}),
        )


def _add_ends(canvas: graphviz.Digraph, grid: Grid) -> None:
    """The stem and head, if any, as boxes, with arrows from the input and to the prediction."""
    spec = grid.spec
    before = ["input", *(["stem"] if grid.stem else []), grid.input.name]
    after = [grid.output.name, *(["head"] if grid.head else []), "prediction"]
    ends = {*before, *after}
    first, last = -1.0, last_column(grid) + 1.0
    for name, label, column, row in (
        ("stem", "stem", first, grid.input.stream),
        ("head", "head", last, grid.output.stream),
        ("input", f"input\\n{spec.in_channels} ch", first - 0.9, grid.input.stream),
        ("prediction", f"prediction\\n{spec.classes} classes", last + 1.0, grid.output.stream),
    ):
        if name not in ends:
            continue
        outside = name in ("input", "prediction")
        canvas.node(
            name,
            label=label,
            pos=position(column, row),
            tooltip=name,
            **({"shape": "plaintext", "style": "", "width": "0.9"} if outside else {}),
        )
    for source, target in (*pairwise(before), *pairwise(after)):
        canvas.edge(source, target, color=style.INK, penwidth="1.4", arrowsize="0.6")


def _add_labels(canvas: graphviz.Digraph, grid: Grid) -> None:
    """What each row and column is."""
    columns = grid.spec.columns if isinstance(grid.spec, GridSpec) else ()
    for column, kind in enumerate(columns):
        _text(canvas, f"column_{column}", f"{kind} {column}", column, -0.62)
    for stream, size in stream_sizes(grid.full).items():
        row = stream + 0.42 if stream == grid.input.stream else stream
        _text(canvas, f"stream_{stream}", f"stream {stream}\\n{size}", -1.0, row)


def _text(canvas: graphviz.Digraph, name: str, label: str, column: float, row: float) -> None:
    canvas.node(
        name,
        label=label,
        shape="plaintext",
        style="",
        fontcolor=style.FAINT,
        fontsize="10",
        tooltip=label.replace("\\n", ", "),
        pos=position(column, row),
    )


def _describe(connection: Connection) -> str:
    layers = "-".join(type(layer).__name__ for layer in connection.unit) or "as it is"
    identity = "" if connection.shortcut is None else " + identity"
    return f"{connection.name}: {layers}{identity}, {connection.parameters:,} parameters"
