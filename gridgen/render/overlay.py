"""Draws figure 3 of the paper: several sub-topologies of one grid in one picture."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import graphviz

from gridgen.arguments import checked
from gridgen.errors import UsageError
from gridgen.grid import Grid, GridLike, TopologyLike, as_grid, prune
from gridgen.render import style
from gridgen.render.annotations import Heading, LegendEntry, annotate
from gridgen.render.canvas import add_connection, add_map, blank_canvas
from gridgen.render.folding import Fold
from gridgen.render.picture import Picture
from gridgen.render.style import stream_sizes

COLOURS = "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9"
"""Colours that also those who confuse red and green tell apart (Okabe and Ito 2008)."""
RIBBON = 2.0
"""Width of each line of a ribbon in points; Graphviz puts lines side by side 2 points apart."""


@checked
def draw_overlay(
    grid: GridLike, topologies: Sequence[TopologyLike], *, title: bool = True
) -> Picture:
    """The picture of several sub-topologies of `grid`, as figure 3 has three.

    A connection has a line in the colour of each topology that keeps it, side by side; the others
    of the grid are faint. A map says how many of the topologies it is in, where not all have it.
    Errors: `UsageError` for none, or more than there are colours; `TopologyError`.

    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=2, columns="2+2", base_channels=4, classes=2)
    >>> draw_overlay(spec, ["conv-deconv", "unet", "frrn"]).source.count("#0072b2:#e69f00")
    5
    """
    full = whole(as_grid(grid))
    if not 1 <= len(topologies) <= len(COLOURS):
        fact = f"{len(topologies)} topologies; an overlay shows 1 to {len(COLOURS)}"
        raise UsageError(f"--overlay: {fact}")
    kept = {_name(each): prune(full, each) for each in topologies}
    if len(kept) < len(topologies):
        raise UsageError("--overlay: a topology is named twice; name each once")
    canvas = blank_canvas()
    _add_connections(canvas, full, list(kept.values()))
    _add_maps(canvas, full, kept)
    legend: list[LegendEntry] = [
        (name, style.Look(colour)) for name, colour in zip(kept, COLOURS, strict=False)
    ]
    facts = " · ".join(
        [full.spec.shape, *(f"{name} {len(each.connections)}" for name, each in kept.items())]
    )
    told = f"{facts} of {len(full.connections)} connections"
    heading = Heading(f"{', '.join(kept)} in {full.spec.title}", told) if title else None
    if {each.name for each in full} - {each.name for grid in kept.values() for each in grid}:
        legend.append(("in none of them", style.DROPPED))
    annotate(canvas, [full], heading, sizes=stream_sizes(full), legend=legend)
    return Picture(canvas.source, Fold.of([full]))


def whole(grid: Grid) -> Grid:
    """The full grid, its spec without a topology."""
    return replace(grid.full, spec=grid.spec.but(topology=None))


def _name(topology: TopologyLike) -> str:
    return topology if isinstance(topology, str) else f"custom {topology}"


def _add_connections(canvas: graphviz.Digraph, full: Grid, kept: Sequence[Grid]) -> None:
    maps = frozenset(full.maps)
    names = [{connection.name for connection in each} for each in kept]
    for connection in full:
        having = [
            colour for colour, of in zip(COLOURS, names, strict=False) if connection.name in of
        ]
        if not having:
            add_connection(canvas, connection, maps, style.DROPPED)
            continue
        width = RIBBON if len(having) > 1 else style.LINE
        add_connection(canvas, connection, maps, style.Look(":".join(having), width))


def _add_maps(canvas: graphviz.Digraph, full: Grid, kept: Mapping[str, Grid]) -> None:
    for each in full.maps:
        holders = [name for name, grid in kept.items() if each in grid.dag]
        channels = f"{full.channels_of(each)}"
        if holders:
            add_map(canvas, each, channels, f"{channels} channels, in {', '.join(holders)}")
        else:
            add_map(canvas, each, "", "in none", color=style.GHOST, fillcolor="white")
