"""The parts of pictures: an empty canvas, maps, connections, words. No grid as a whole."""

from math import floor

import graphviz

from gridgen.grid import Connection, FeatureMap
from gridgen.render import style
from gridgen.render.routes import Maps, route
from gridgen.render.style import columns_wide, inches, position

SMALL = 10  # points
FONT_SIZES = 11.0, 9.0, 7.0
"""Of the label of a map, by its line breaks: as large as its height lets them be."""
DIGIT, ROOM = 0.54, style.MAP_WIDTH - 6
"""Width of a digit as a share of the font size; points that a line of such a label may take."""
WIDE = 0.6
"""Width of a letter that few exceed, as a share of the font size."""


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
    """Add a map in its place; a label of several lines, or of a long one, is small."""
    canvas.node(
        feature_map.name,
        label=label,
        id=feature_map.name,
        tooltip=f"{feature_map}: {tooltip}",
        pos=position(feature_map.column, feature_map.stream),
        fontsize=_font_size(label),
        **look,
    )


def _font_size(label: str) -> str:
    r"""The largest at which a label fits into a map.

    >>> _font_size("16"), _font_size("16\\n400x400"), _font_size("16\\n1024x2048")
    ('11', '9', '7.8')
    """
    lines = label.split("\\n")
    fitting = ROOM / (DIGIT * max(1, *map(len, lines)))
    return f"{min(FONT_SIZES[len(lines) - 1], floor(10 * fitting) / 10):g}"


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
    """Add text centred at a place, or beginning there with `left`."""
    # A node is centred at its position. Text at its left begins where it should, however wide it
    # becomes, if the node is wide enough.
    wide = columns_wide(label, size, WIDE) if left else 0.0
    canvas.node(
        name,
        # Graphviz would take what stands between < and > for markup.
        label=graphviz.nohtml(label.replace("\\n", "\\l") + "\\l" if left else label),
        shape="plaintext",
        fixedsize="false",
        width=inches(wide * style.COLUMN_STEP),
        margin="0,0.055",  # inches: left and right, above and below
        fontsize=str(size),
        fontcolor=colour,
        tooltip=graphviz.nohtml(label.replace("\\n", ", ")),
        pos=position(column + wide / 2, row),
        style="",
    )


def _describe(connection: Connection) -> str:
    layers = "-".join(type(layer).__name__ for layer in connection.unit) or "as it is"
    identity = "" if connection.shortcut is None else " + identity"
    return f"{connection.name}: {layers}{identity}, {connection.parameters:,} parameters"
