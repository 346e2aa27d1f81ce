"""Suites for what a spec names: units, stems, heads, fusions, normalizations, activations,
topologies.

Each is held against its own contract first, then in networks of every kind.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, product
from typing import Any, get_args

from gridgen.arguments import checked
from gridgen.errors import TopologyError
from gridgen.grid import FUSIONS, TOPOLOGIES, UNITS, Grid, build_grid, prune
from gridgen.grid.ends import HEADS, STEMS, Head, Stem
from gridgen.grid.fusions import Fusion
from gridgen.grid.layers import (
    Layer,
    Layers,
    channels_after,
    cost,
    flat,
    in_dimensions,
    shape_text,
    tensors_of,
)
from gridgen.grid.styles import ACTIVATIONS, NORMS, Style
from gridgen.grid.topologies import Topology
from gridgen.grid.tracing import Size
from gridgen.grid.units import Kind, Unit
from gridgen.spec import GridSpec
from gridgen.spec.network import changed
from gridgen.testing.entering import T, entered, stride_entered
from gridgen.testing.networks import check_grid
from gridgen.testing.requiring import require, saying, title

DIMENSIONS = (1, 2, 3)
WIDTHS = (1, 2, 6, 15, 16, 32, 33, 48)
"""Channels for which a normalization or an activation must exist, groups of 16 among them."""
SMALL: dict[str, Any] = {"streams": 2, "columns": "1+1", "channels": [6, 10], "classes": 5}
WIDER: dict[str, Any] = {"streams": 3, "columns": "2+2", "base_channels": 6, "classes": 5}
MANY_MAPS = 20
"""Maps from which on a grid is pruned but not built, as that takes long."""
EVEN, ODD = (8, 12, 4), (7, 3, 5)
SCALE: dict[Kind, Callable[[int], int]] = {
    "lateral": lambda side: side,
    "subsampling": lambda side: -(-side // 2),
    "upsampling": lambda side: 2 * side,
}
"""What a unit of each kind makes of a side of its map."""


@checked
def check_unit(unit: Unit, kind: Kind) -> None:
    """Hold a unit against its contract: alone in every style, then in networks.

    Lateral units keep the size, subsampling units halve it (rounding up), upsampling units double
    it; layers fit each other at any width, and normalize and activate as the style says. Errors:
    `AssertionError`.

    >>> from gridgen.grid.layers import Conv
    >>> def pointwise(style, channels_in, channels_out):
    ...     return style.before(Conv(channels_in, channels_out, kernel=1))
    >>> check_unit(pointwise, "lateral")
    """
    with saying(f"{kind} unit {title(unit)}"):
        for ends in ((6, 6), (1, 1)) if kind == "lateral" else ((6, 10), (10, 6), (1, 1)):
            _check_styles(unit, ends, SCALE[kind])
        _check_in_networks(f"units.{kind}", UNITS[kind], unit)


@checked
def check_stem(stem: Stem, stride: int = 1) -> None:
    """Hold a stem against its contract: from the image to stream 0, its sides divided by `stride`.

    One that is entered in `STEMS` and has a stride also has a line in `STEM_STRIDES`. Errors:
    `AssertionError`.
    """
    with saying(f"stem {title(stem)}"):
        for ends in ((3, 6), (1, 1)):
            # Images are multiples of the stride.
            sizes = (EVEN,) if stride > 1 else (EVEN, ODD)
            _check_styles(stem, ends, lambda side: side // stride, sizes)
        with stride_entered(stem, stride):
            _check_in_networks("stem", STEMS, stem)


@checked
def check_head(head: Head) -> None:
    """Hold a head against its contract: from stream 0 to the classes, at the image's size.

    Its sides are multiplied by the stride of the stem, 1 or 2. Errors: `AssertionError`.
    """
    with saying(f"head {title(head)}"):
        for ends in ((6, 5), (1, 1)):
            _check_styles(head, (*ends, 1), lambda side: side)
            with saying("after a stem of stride 2"):
                _check_styles(head, (*ends, 2), lambda side: 2 * side)
        _check_in_networks("head", HEADS, head, stem=("conv", "strided"))


@checked
def check_norm(norm: Callable[[int], Layers]) -> None:
    """Hold a normalization against its contract: layers for any channels, which keep the shape.

    Errors: `AssertionError`.
    """
    with saying(f"normalization {title(norm)}"):
        for channels in WIDTHS:
            _check_layers(norm(channels), channels, channels)
        _check_in_networks("norm", NORMS, norm)


@checked
def check_activation(activation: Callable[[int], Layer]) -> None:
    """Hold an activation against its contract: one layer for any channels, which keeps the shape.

    Errors: `AssertionError`.
    """
    with saying(f"activation {title(activation)}"):
        for channels in WIDTHS:
            _check_layers((activation(channels),), channels, channels)
        _check_in_networks("activation", ACTIVATIONS, activation)


@checked
def check_fusion(fusion: Fusion) -> None:
    """Hold a fusion against its contract: it says what it is and keeps the map's channels.

    Then in networks, full and pruned to every topology. Errors: `AssertionError`.
    """
    with saying(f"fusion {fusion.description!r}"):
        require(fusion.description and "\n" not in fusion.description, "describe it in one line")
        concat = fusion.join == "concat"
        for arrivals in (1, 2, 3):
            joined = 5 * arrivals if concat else 5
            layers = fusion.after(joined, 5)
            fact = "its layers are never used, as they follow a concatenation alone"
            require(concat or not layers, fact)
            with saying(f"{arrivals} arrivals"):
                _check_layers(layers, joined, 5)
        with entered(FUSIONS, fusion) as name:
            for topology, dimensions in zip(list(TOPOLOGIES), cycle(DIMENSIONS), strict=False):
                fields = {"topology": topology, "dimensions": dimensions}
                spec = changed(GridSpec(**WIDER), {**fields, "fusion": name})
                with saying(f"in a network of {_words(fields)}"):
                    check_grid(spec)


@checked
def check_topology(topology: Topology) -> None:
    """Hold a topology against its contract, over grids of the paper's family and others.

    What it keeps lies on paths from input to output, and is the same each time; columns that it
    cannot use it refuses with a `TopologyError`, but not those of every grid. What is left has the
    right counts, is trained, and is the full grid with the others silent. Errors: `AssertionError`.
    """
    with saying(f"topology {title(topology)}"), entered(TOPOLOGIES, topology) as name:
        kept = [grid for grid in (_pruned(spec, name) for spec in _family()) if grid is not None]
        require(kept, "it refuses the columns of every grid, or leaves no path in any")
        small = [grid for grid in kept if len(grid.full.maps) < MANY_MAPS]
        some = small[:: max(len(small) // 4, 1)]
        for grid, dimensions in zip(some, cycle(DIMENSIONS), strict=False):
            spec = changed(grid.spec, {"dimensions": dimensions})
            with saying(spec.shape):
                check_grid(spec)


def _check_styles(
    member: Callable[..., Layers],
    arguments: tuple[int, ...],
    scale: Callable[[int], int],
    sizes: tuple[Size, ...] = (EVEN, ODD),
) -> None:
    """What `member` gives for every style fits together, has the shape, and is of the style.

    `arguments` are what it takes beside the style: channels in, channels out, and others.
    """
    given, wanted, *_ = arguments
    for norm, activation in product(list(NORMS), list(ACTIVATIONS)):
        style = Style(norm, activation)
        with saying(f"norm {norm}, activation {activation}, {given} -> {wanted} channels"):
            layers = member(style, *arguments)
            _check_layers(layers, given, wanted, scale, sizes)
            _check_style(layers, style)
            same = layers == member(style, *arguments)
            require(same, "its layers are not the same each time")


def _check_layers(
    layers: Layers,
    given: int,
    wanted: int,
    scale: Callable[[int], int] = SCALE["lateral"],
    sizes: tuple[Size, ...] = (EVEN, ODD),
) -> None:
    """Layers from `given` to `wanted` channels, whose sides become what `scale` says."""
    require(isinstance(layers, tuple), f"{type(layers).__name__} in place of a tuple of layers")
    for layer in layers:
        known = isinstance(layer, get_args(Layer))
        require(known, f"{layer!r} is no layer record of gridgen.grid.layers")
    empty = [name for name, shape in tensors_of(layers) if 0 in shape]
    require(not empty, f"{', '.join(empty)} has no values at {given} -> {wanted} channels")
    after = channels_after(layers, given)
    require(after == wanted, f"{given} channels become {after}, not {wanted}")
    for dimensions, sides in product(DIMENSIONS, sizes):
        size = sides[:dimensions]
        found = cost(in_dimensions(layers, dimensions), (given, *size)).shape[1:]
        fact = f"a map of {shape_text(size)} becomes {shape_text(found)}"
        expected = tuple(map(scale, size))
        require(found == expected, f"{fact}, not {shape_text(expected)}")


def _check_style(layers: Layers, style: Style) -> None:
    """Normalizations and activations are those of the style, if there are any."""
    norms = {type(layer) for norm in NORMS.values() for layer in norm(1)}
    kinds = {type(activation(1)) for activation in ACTIVATIONS.values()}
    for layer in flat(layers):
        if type(layer) in norms:
            wanted = NORMS[style.norm](layer.channels)  # type: ignore[union-attr]
            require(layer in wanted, f"{layer} is not what the style normalizes by")
        if type(layer) in kinds:
            own = type(layer) is type(ACTIVATIONS[style.activation](1))
            require(own, f"{layer} is not what the style activates by")


def _check_in_networks(field: str, table: dict[str, T], member: T, **turns: Sequence[str]) -> None:
    """Every normalization in every number of dimensions; activations and `turns` take turns."""
    styles = list(product(list(NORMS), DIMENSIONS))
    turns = {"activation": list(ACTIVATIONS), **turns}
    with entered(table, member) as name:
        for index, (norm, dimensions) in enumerate(styles):
            others = {other: names[index % len(names)] for other, names in turns.items()}
            style = {"norm": norm, "dimensions": dimensions, **others, field: name}
            with saying(f"in a network of {_words(style)}"):
                check_grid(changed(GridSpec(**SMALL), style))


def _words(fields: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items())


def _family() -> Iterator[GridSpec]:
    """Grids of the paper's family, and two whose columns go up and down in another order."""
    columns: list[Any] = [f"{sub}+{up}" for sub, up in product(range(1, 5), repeat=2)]
    columns += [["sub", "up", "sub", "up"], ["up", "sub", "up"]]
    for streams, sequence in product(range(1, 6), columns):
        yield GridSpec(streams=streams, columns=sequence, base_channels=6, classes=5)


def _pruned(spec: GridSpec, name: str) -> Grid | None:
    """The grid that the topology leaves; None where it refuses the columns."""
    with saying(spec.shape):
        full = build_grid(spec)
        try:
            grid = prune(full, name)
        except TopologyError:
            return None
        names = {connection.name for connection in grid}
        again = {connection.name for connection in prune(full, name)}
        require(names == again, "what it keeps is not the same each time")
        if spec.descends_once:
            dead = ", ".join(connection.name for connection in grid.dead_ends)
            require(not dead, f"it keeps {dead}, on no path from input to output")
        return grid
