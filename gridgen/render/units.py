"""Draws figure 2 of the paper: the layers of a unit as blocks, from map to map.

Layers stand in a row. What a residual block adds to its layers passes above them, through the
layers of its projection where it has one. Blocks that repeat stand once, with their number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import graphviz

from gridgen.arguments import checked
from gridgen.errors import UsageError, unknown
from gridgen.grid import Connection, Grid, GridLike, as_grid
from gridgen.grid.layers import BatchNorm, Conv, Deconv, GroupNorm, Layer, Layers, Residual
from gridgen.render import style
from gridgen.render.annotations import Heading
from gridgen.render.canvas import add_words, blank_canvas
from gridgen.render.picture import Picture
from gridgen.text import number_text

ARC = 0.85
"""Rows from the layers to what passes above them."""
GAP, HEIGHT, NARROW, END_WIDTH, SUM_SIZE = 26.0, 42.0, 40.0, 64.0, 16.0
"""Points: between blocks, of a block, of the narrowest, of the maps at both ends, of a plus."""
LETTER = 5.1
"""Points of a letter of a label, its share of the block's border included."""
WIDE = 19
"""Letters in a line of a block at most."""


@checked
def draw_unit(grid: GridLike, name: str = "lateral", *, title: bool = True) -> Picture:
    """The picture of the layers under one name, as figure 2 has those of three units.

    `name` is a kind of connection (lateral, subsampling, upsampling), of which the first is
    drawn, a connection (`sub_1_2`), `stem`, `head`, or a map (`map_0_5`) that has layers of its
    own. Errors: `UsageError` for another name.

    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=2, columns="1+1", base_channels=4, classes=2)
    >>> "transposed" in draw_unit(spec, "upsampling").source
    True
    """
    grid = as_grid(grid)
    drawn = _drawn(grid, name)
    canvas = blank_canvas()
    pen = _Pen(canvas, drawn.colour)
    pen.unit(drawn)
    if title:
        number = number_text(sum(each.parameters for each in (*drawn.layers, *drawn.identity)))
        heading = Heading(drawn.title, f"{grid.spec.title} · {number} parameters")
        heading.add(canvas, pen.right / 2 / style.COLUMN_STEP, -ARC * pen.levels - 0.6)
    return Picture(canvas.source)


@dataclass(frozen=True)
class _Unit:
    """What is drawn: layers between two ends, and what is added beside them."""

    title: str
    source: str
    target: str
    layers: Layers
    colour: str
    identity: Layers = ()
    adds: bool = False
    note: str = ""


def _drawn(grid: Grid, name: str) -> _Unit:
    """What a name stands for. Errors: `UsageError`."""
    connections = {each.name: each for each in grid}
    first: dict[str, Connection] = {
        each.kind: each for each in reversed(grid.connections) if each.unit
    }
    maps = {each.name: each for each in grid.maps if grid.fusion_layers(each)}
    if found := connections.get(name) or first.get(name):
        return _of_connection(found)
    if name in maps:
        at = maps[name]
        join = grid.fusion_of(at).join if at != grid.input else "given"
        layers = grid.fusion_layers(at)
        return _Unit(f"{at}", f"what arrives\\n({join})", f"{at}", layers, style.INK)
    ends = {
        "stem": _Unit("stem", "images", f"{grid.input}", grid.stem, style.INK),
        "head": _Unit("head", f"{grid.output}", "prediction", grid.head, style.INK),
    }
    if name in ends and ends[name].layers:
        return ends[name]
    named = [*first, *(end for end, each in ends.items() if each.layers)]
    known = [*named, *maps, *connections]
    listed = [*sorted(named), f"or a connection such as {next(iter(connections))}"]
    raise UsageError(f"--unit: {unknown('unit', name, known, listed=listed)}")


def _of_connection(connection: Connection) -> _Unit:
    drop = f"left out of {connection.dropout:.0%}\\nof training steps" if connection.dropout else ""
    return _Unit(
        f"{connection.name}: {connection.source} to {connection.target}",
        f"{connection.source}",
        f"{connection.target}",
        connection.unit,
        style.COLOURS[connection.kind],
        connection.shortcut or (),
        connection.shortcut is not None,
        drop,
    )


class _Pen:
    """Places blocks from left to right, in points; nodes have numbers, in the order of drawing.

    `right` is where the last block of the row of layers ends.
    """

    def __init__(self, canvas: graphviz.Digraph, colour: str) -> None:
        self.canvas, self.colour, self.drawn = canvas, colour, 0
        self.right, self.levels = 0.0, 0

    def unit(self, unit: _Unit) -> None:
        """Draw it, from one end to the other."""
        begin = self._end(unit.source)
        block = (Residual(unit.layers, unit.identity),) if unit.adds else unit.layers
        last = self._sequence(block, begin)
        if unit.note:
            self._words("note", unit.note, self.right / 2, 0.62)
        self._line(last, self._end(unit.target))

    def _sequence(self, layers: Layers, last: str) -> str:
        """Layers after the node `last`; gives the last of them."""
        for part, times in _runs(layers):
            begin = self.right + GAP
            for layer in part:
                if isinstance(layer, Residual):
                    last = self._block(layer, last)
                else:
                    last = self._layer(layer, last)
            if times > 1:
                self._repeated(times, begin, self.right)
        return last

    def _block(self, block: Residual, last: str) -> str:
        """A residual block: its layers in the row, what is added above, a plus at its end."""
        begin = self._corner(self.right + GAP, 0.0)
        self._line(last, begin, head=False)
        left = self.right = self.right + GAP
        inner = self._sequence(block.layers, begin)
        plus = self._plus()
        self._line(inner, plus)
        level = _levels(block.layers) + 1
        self.levels = max(self.levels, level)
        above, end = -ARC * level, self.right - SUM_SIZE / 2
        middle = self._corner(left, above)
        self._line(begin, middle, head=False)
        widths = [_width(each) for each in block.shortcut]
        space = (end - left - sum(widths)) / (len(widths) + 1)
        at = left
        for layer, width in zip(block.shortcut, widths, strict=True):
            node = self._box(layer, at + space + width / 2, above)
            self._line(middle, node)
            middle, at = node, at + space + width
        corner = self._corner(end, above)
        self._line(middle, corner, head=False)
        self._line(corner, plus)
        return plus

    def _layer(self, layer: Layer, last: str) -> str:
        node = self._box(layer, self.right + GAP + _width(layer) / 2, 0.0)
        self._line(last, node)
        self.right += GAP + _width(layer)
        return node

    def _box(self, layer: Layer, at: float, row: float) -> str:
        label = "\\n".join([*_wrapped(layer.words), *_channels(layer)])
        fill = "white"
        if isinstance(layer, Conv | Deconv):
            fill = f"{self.colour}33"
        elif isinstance(layer, BatchNorm | GroupNorm):
            fill = style.PAPER
        size = {"width": style.inches(_width(layer)), "height": style.inches(HEIGHT)}
        return self._node(label, at, row, color=self.colour, fillcolor=fill, **size)

    def _end(self, label: str) -> str:
        """The map, or whatever else, where the unit begins or ends."""
        left = self.right + 1.5 * GAP if self.drawn else 0.0
        self.right = left + END_WIDTH
        width = style.inches(END_WIDTH)
        return self._node(label, left + END_WIDTH / 2, 0.0, fillcolor=style.LAYERED, width=width)

    def _plus(self) -> str:
        self.right += GAP + SUM_SIZE
        size = style.inches(SUM_SIZE)
        looks = {"shape": "circle", "width": size, "height": size, "style": "filled"}
        return self._node("+", self.right - SUM_SIZE / 2, 0.0, **looks)

    def _corner(self, at: float, row: float) -> str:
        return self._node("", at, row, shape="point", width="0.02", height="0.02")

    def _repeated(self, times: int, begin: float, end: float) -> None:
        """A line under blocks that repeat, and how often they do."""
        self._line(self._corner(begin, 0.42), self._corner(end, 0.42), head=False)
        words = f"{times} times, one after the other"
        self._words(f"times_{self.drawn}", words, (begin + end) / 2, 0.58)

    def _words(self, name: str, words: str, at: float, row: float) -> None:
        add_words(self.canvas, name, words, at / style.COLUMN_STEP, row)

    def _node(self, label: str, at: float, row: float, **looks: str) -> str:
        self.drawn += 1
        name, place = f"node_{self.drawn}", style.position(at / style.COLUMN_STEP, row)
        looks = {"fontsize": "9", **looks}
        self.canvas.node(name, label=label, pos=place, tooltip=label or " ", **looks)
        return name

    def _line(self, source: str, target: str, head: bool = True) -> None:
        looks = {"color": style.INK, "penwidth": "1.4", "tooltip": " "}
        self.canvas.edge(source, target, arrowhead="normal" if head else "none", **looks)


def _runs(layers: Layers) -> Iterator[tuple[Layers, int]]:
    """Parts of a sequence, and how often each stands there in a row.

    A residual block goes with the activation after it, since both repeat together.
    """
    parts: list[Layers] = []
    for layer in layers:
        if parts and isinstance(parts[-1][-1], Residual) and not isinstance(layer, Residual):
            parts[-1] = (*parts[-1], layer)
        else:
            parts.append((layer,))
    for part, same in groupby(parts):
        times = len(list(same))
        if isinstance(part[0], Residual):
            yield part, times
        else:
            yield part * times, 1


def _levels(layers: Layers) -> int:
    """How many residual blocks lie inside one another."""
    inside = [_levels(each.layers) + 1 for each in layers if isinstance(each, Residual)]
    return max(inside, default=0)


def _width(layer: Layer) -> float:
    """Of a block, in points."""
    lines = [*_wrapped(layer.words), *_channels(layer)]
    return max(max(map(len, lines)) * LETTER, NARROW)


def _channels(layer: Layer) -> list[str]:
    if not isinstance(layer, Conv | Deconv):
        return []
    return [f"{layer.channels_in} to {layer.channels_out} channels"]


def _wrapped(words: str) -> list[str]:
    """Words on lines that fit into a block."""
    lines: Sequence[str] = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if len(longer) <= WIDE else [*lines, word]
    return [line for line in lines if line]
