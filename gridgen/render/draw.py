"""Drawing a grid where the paper has it: streams as rows, columns as columns (figure 1).

Positions are fixed, so Graphviz lays nothing out and the same grid always gives the same picture.
"""

import graphviz

from gridgen.grid import Connection, Grid
from gridgen.render import style
from gridgen.render.layout import inches, position
from gridgen.render.legend import add_legend, add_title
from gridgen.render.picture import Picture


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
    for connection in grid.full:
        ghost = connection.name not in kept
        canvas.edge(
            connection.source.name,
            connection.target.name,
            id=connection.name,
            tooltip=_describe(connection) + (" (dropped)" if ghost else ""),
            color=style.GHOST if ghost else style.COLOURS[connection.kind],
            penwidth=str(style.GHOST_LINE if ghost else style.LINE),
            arrowsize="0.5" if ghost else "0.7",
        )


def _add_maps(canvas: graphviz.Digraph, grid: Grid) -> None:
    for feature_map in grid.full.maps:
        ghost = feature_map not in grid.dag
        channels = grid.full.channels_of(feature_map)
        canvas.node(
            feature_map.name,
            label="" if ghost else str(channels),
            id=feature_map.name,
            tooltip=f"X({feature_map.stream}, {feature_map.column}): {channels} channels",
            pos=position(feature_map.column, feature_map.stream),
            **({"color": style.GHOST, "fillcolor": "white"} if ghost else {}),
        )


def _add_ends(canvas: graphviz.Digraph, grid: Grid) -> None:
    """The stem and head as boxes, with arrows from the input and to the prediction."""
    spec = grid.spec
    last = grid.output.column
    for name, label, column in (
        ("stem", "stem", -1.0),
        ("head", "head", last + 1.0),
        ("input", f"input\\n{spec.in_channels} ch", -1.9),
        ("prediction", f"prediction\\n{spec.classes} classes", last + 2.0),
    ):
        outside = name in ("input", "prediction")
        canvas.node(
            name,
            label=label,
            pos=position(column, 0),
            tooltip=name,
            **({"shape": "plaintext", "style": "", "width": "0.9"} if outside else {}),
        )
    for source, target in (
        ("input", "stem"),
        ("stem", grid.input.name),
        (grid.output.name, "head"),
        ("head", "prediction"),
    ):
        canvas.edge(source, target, color=style.INK, penwidth="1.4", arrowsize="0.6")


def _add_labels(canvas: graphviz.Digraph, grid: Grid) -> None:
    """What each row and column is."""
    for column, kind in enumerate(grid.spec.columns):
        _text(canvas, f"column_{column}", f"{kind} {column}", column, -0.62)
    for stream in range(1, grid.spec.streams):
        _text(canvas, f"stream_{stream}", f"stream {stream}\\n1/{2**stream}", -1.0, stream)


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
    layers = "-".join(type(layer).__name__ for layer in connection.unit)
    identity = "" if connection.shortcut is None else " + identity"
    return f"{connection.name}: {layers}{identity}, {connection.parameters:,} parameters"
