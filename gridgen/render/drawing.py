"""Draws a grid where the paper has it (figure 1), or two grids in one picture.

Positions are fixed, so Graphviz lays nothing out and the same grid always gives the same picture.
"""

import graphviz

from gridgen.analysis import count_paths
from gridgen.analysis.relations import Relation, relate
from gridgen.analysis.sizes import SizeLike
from gridgen.arguments import checked
from gridgen.grid import Connection, FeatureMap, Grid, GridLike, as_grid
from gridgen.grid.units import Kind
from gridgen.render import style
from gridgen.render.annotations import Heading, LegendEntry, annotate
from gridgen.render.canvas import add_connection, add_line, add_map, blank_canvas
from gridgen.render.folding import Fold
from gridgen.render.picture import Picture
from gridgen.render.shading import Shading
from gridgen.render.style import stream_sizes
from gridgen.spec import GridSpec

DIFFERENCE_LEGEND = (
    ("in both", style.BOTH),
    ("only in A", style.ONLY_A),
    ("only in B", style.ONLY_B),
    ("in both, not the same", style.CHANGED),
)


@checked
def draw(
    grid: GridLike, *, size: SizeLike | None = None, shade: str | None = None, title: bool = True
) -> Picture:
    """The picture of `grid`; what pruning dropped from the full grid stays as a faint ghost.

    Green lateral, red subsampling, yellow upsampling connections, thin where the map passes as it
    is. A map shows its channels, and its fusion unless that is the sum; with a `size` of images
    also its own size. `shade` (parameters, activations, macs, memory) fills it the darker the more
    what makes it costs. Without `title` nothing stands above the maps. Errors: `SizeError`;
    `UsageError` for another quantity.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> draw(prune(grid, "resnet")).source.startswith("digraph")
    True
    """
    grid = as_grid(grid)
    canvas, shading = blank_canvas(), Shading.of(grid, size, shade)
    _add_connections(canvas, grid)
    _add_maps(canvas, grid, shading)
    columns = grid.spec.columns if isinstance(grid.spec, GridSpec) else ()
    sizes, legend = stream_sizes(grid.full), [*_entries(grid), *shading.legend]
    if shading.shares:  # the one fill has another meaning then
        legend = [entry for entry in legend if entry[1] != style.LAYERED]
    at = f" · images of {shading.image}" if shading.image else ""
    heading = Heading(grid.spec.title, _facts(grid) + at) if title else None
    annotate(canvas, [grid], heading, sizes=sizes, legend=legend, columns=columns)
    return Picture(canvas.source, Fold.of([grid]))


@checked
def draw_difference(a: GridLike, b: GridLike, *, title: bool = True) -> Picture:
    """The maps and connections of both grids at their coordinates, coloured by their grid.

    Grey in both, blue only in A, orange only in B, purple in both but with another unit, identity
    or dropout; a map whose channels differ shows both.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> draw_difference(prune(grid, "resnet"), grid).source.startswith("digraph")
    True
    """
    a, b = as_grid(a), as_grid(b)
    canvas = blank_canvas()
    relation = relate(a, b)
    _add_both_connections(canvas, a, b, relation)
    _add_both_maps(canvas, a, b, relation)
    names = f"{a.spec.title} (A) and {b.spec.title} (B)"
    facts = f"A: {a.spec.shape} · B: {b.spec.shape}"
    heading = Heading(names, facts) if title else None
    annotate(canvas, [a, b], heading, sizes=stream_sizes(a, b), legend=DIFFERENCE_LEGEND)
    return Picture(canvas.source, Fold.of([a, b]))


def _add_connections(canvas: graphviz.Digraph, grid: Grid) -> None:
    kept = {connection.name for connection in grid}
    maps = frozenset(grid.full.maps)
    for connection in grid.full:
        if connection.name in kept:
            add_connection(canvas, connection, maps, _look(connection))
        else:
            add_connection(canvas, connection, maps, style.DROPPED, " (dropped)")
    for auxiliary, target in _auxiliary_inputs(grid):
        tooltip = f"{target.name} looks at {auxiliary.name}"
        add_line(canvas, auxiliary, target, maps, style.AUXILIARY, tooltip)


def _auxiliary_inputs(grid: Grid) -> list[tuple[FeatureMap, FeatureMap]]:
    """Auxiliary inputs of connections with the targets of those, where no connection joins them."""
    pairs = {(c.auxiliary, c.target) for c in grid if c.auxiliary}
    return sorted(pair for pair in pairs if not grid.dag.has_edge(*pair))


def _look(connection: Connection) -> style.Look:
    width = style.LINE if connection.unit else style.THIN_LINE
    return style.Look(style.COLOURS[connection.kind], width)


def _add_maps(canvas: graphviz.Digraph, grid: Grid, shading: Shading) -> None:
    for feature_map in grid.full.maps:
        channels = grid.full.channels_of(feature_map)
        join = grid.full.fusion_of(feature_map).join
        dag = grid.dag if feature_map in grid.dag else grid.full.dag
        joined = join != "sum" and dag.in_degree(feature_map) > 1
        label, tooltip = f"{channels}", f"{channels} channels"
        if joined:
            label, tooltip = f"{label}\\n{join}", f"{tooltip}, {join}"
        if sides := shading.sides.get(feature_map):
            label, tooltip = f"{label}\\n{sides}", f"{tooltip}, {sides}"
        if feature_map in grid.dag:
            look = {"fillcolor": style.LAYERED} if grid.info(feature_map).after else {}
            look |= shading.fill(feature_map)
            add_map(canvas, feature_map, label, tooltip, **look)
        else:
            add_map(canvas, feature_map, "", tooltip, color=style.GHOST, fillcolor="white")


def _facts(grid: Grid) -> str:
    kept, full = len(grid.connections), len(grid.full.connections)
    share = f"{kept} of {full}" if kept < full else f"{full}"
    paths = count_paths(grid)
    plural = "s" if paths != 1 else ""
    told = [grid.spec.shape, f"{share} connections", f"{paths:,} path{plural}", *_choices(grid)]
    return " · ".join(told)


def _choices(grid: Grid) -> list[str]:
    """Units, normalization and activation, where the spec names others than the paper's."""
    if not isinstance(grid.spec, GridSpec):
        return []
    units = grid.spec.units
    chosen = {
        "units": " / ".join((units.lateral, units.subsampling, units.upsampling)),
        "norm": grid.spec.norm,
        "activation": grid.spec.activation,
    }
    paper = {"units": "residual / strided / deconv", "norm": "batch", "activation": "relu"}
    return [f"{field} {value}" for field, value in chosen.items() if value != paper[field]]


def _entries(grid: Grid) -> list[LegendEntry]:
    """A legend entry for each kind of line in the picture."""
    entries: list[LegendEntry] = []
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
    if _auxiliary_inputs(grid):
        entries.append(("looked at", style.AUXILIARY))
    if len(grid.connections) < len(grid.full.connections):
        entries.append(("dropped", style.DROPPED))
    return entries


def _label(kind: Kind, connections: list[Connection]) -> str:
    """The kind of the connections, and the properties that all of them share."""
    residual = all(connection.shortcut is not None for connection in connections)
    dropout = {connection.dropout for connection in connections}
    label = kind + (", residual" if residual else "")
    return label + "".join(f"\\ntotal dropout {share:g}" for share in dropout if share)


def _add_both_connections(canvas: graphviz.Digraph, a: Grid, b: Grid, relation: Relation) -> None:
    looks = dict.fromkeys(relation.common, style.BOTH)
    looks |= dict.fromkeys(relation.only_in_a, style.ONLY_A)
    looks |= dict.fromkeys(relation.only_in_b, style.ONLY_B)
    looks |= dict.fromkeys(relation.differing, style.CHANGED)
    maps = frozenset(a.dag) | frozenset(b.dag)
    theirs = {connection.name: connection for connection in (*b, *a)}
    for name, connection in theirs.items():
        add_connection(canvas, connection, maps, looks[name])


def _add_both_maps(canvas: graphviz.Digraph, a: Grid, b: Grid, relation: Relation) -> None:
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
