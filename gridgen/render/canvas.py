"""The parts of pictures: an empty canvas, maps, connections, words. No grid as a whole."""

import graphviz

from gridgen.grid import Connection, FeatureMap
from gridgen.render import style
from gridgen.render.routes import Maps, route
from gridgen.render.style import columns_wide, inches, position

SMALL = 10  # points
FONT_SIZES = {1: "9", 2: "7"}
"""Of the label of a map, by its line breaks."""


def blank_canvas() -> graphviz.Digraph:
    """An empty canvas; boxes are maps, lines are straight unless their course is given."""
    return graphviz.Digraph(
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


def add_connection(
    canvas: graphviz.Digraph, connection: Connection, maps: Maps, look: style.Look, note: str = ""
) -> None:
    """Add a connection, around other `maps`; a tooltip says what it computes."""
    add_line(canvas, connection.source, connection.target, maps, look, _describe(connection) + note)


def add_line(
    canvas: graphviz.Digraph,
    source: FeatureMap,
    target: FeatureMap,
    maps: Maps,
    look: style.Look,
    tooltip: str,
) -> None:
    """Add an arrow between two maps; its id is the first word of its tooltip."""
    path = route(source, target, maps, look.arrow)
    canvas.edge(
        source.name,
        target.name,
        id=tooltip.split(":")[0],
        tooltip=tooltip,
        **look.attributes,
        **({"pos": path} if path else {}),
    )


def add_map(
    canvas: graphviz.Digraph, feature_map: FeatureMap, label: str, tooltip: str, **look: str
) -> None:
    """Add a map in its place; a label of several lines is small."""
    canvas.node(
        feature_map.name,
        label=label,
        id=feature_map.name,
        tooltip=f"{feature_map}: {tooltip}",
        pos=position(feature_map.column, feature_map.stream),
        **({"fontsize": FONT_SIZES[lines]} if (lines := label.count("\\n")) else {}),
        **look,
    )


def add_words(
    canvas: graphviz.Digraph,
    name: str,
    label: str,
    column: float,
    row: float,
    *,
    size: int = SMALL,
    colour: str = style.FAINT,
    left: bool = False,
) -> None:
    """Add text centred at a place, or beginning about there with `left`."""
    # A node is centred at its position, so text that begins there is shifted by half its width.
    shift = columns_wide(label, size) / 2 if left else 0.0
    canvas.node(
        name,
        # Graphviz would take what stands between < and > for markup.
        label=graphviz.nohtml(label.replace("\\n", "\\l") + "\\l" if left else label),
        shape="plaintext",
        fixedsize="false",
        width="0.1",
        fontsize=str(size),
        fontcolor=colour,
        tooltip=graphviz.nohtml(label.replace("\\n", ", ")),
        pos=position(column + shift, row),
        style="",
    )


def _describe(connection: Connection) -> str:
    layers = "-".join(type(layer).__name__ for layer in connection.unit) or "as it is"
    identity = "" if connection.shortcut is None else " + identity"
    return f"{connection.name}: {layers}{identity}, {connection.parameters:,} parameters"
