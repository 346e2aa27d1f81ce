"""Receptive fields: the side of the square of the image on which a value can depend.

The theoretical one, all paths together: no pixel outside of the square can change the value in a
trained network. Where a layer depends on the whole image (a GroupNorm), so does all after it.

Rows are followed forward, from the image to the prediction. The rows that a map's places see repeat
with a period, so a map of a lower stream needs proportionally fewer places; one pass serves every
map, and arrays are let go after their last reader. (Backward from the prediction each map would
need all places: 1 GB at 16 streams and 100 columns.)
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import inf, lcm
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gridgen.arguments import checked
from gridgen.grid import FeatureMap, Grid, GridLike, as_grid
from gridgen.grid.layers import WHOLE, Layers, Rows, rows_before
from gridgen.grid.tracing import FAR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Node = FeatureMap | Literal["image", "prediction"]


class Reading(NamedTuple):
    """Layers through which a node reads an earlier one.

    `variants` selects the networks in which it does so, of several that are followed side by side.
    """

    source: Node
    layers: Layers
    variants: Any = slice(None)


Readings = Mapping[Node, Sequence[Reading]]
"""What each node reads, in the order of computation, the prediction last."""


@checked
def receptive_field(grid: GridLike) -> int | None:
    """Side of the receptive field of a prediction in pixels; None where it is the whole image.

    With upsampling it depends on where the pixel lies; this is the largest.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> receptive_field(prune(grid, "resnet")), receptive_field(grid)
    (13, 27)
    """
    grid = as_grid(grid)
    *_, (_, sides) = field_sides(_readings(grid), grid.spec.multiple)
    return _pixels(sides)


@checked
def receptive_fields(grid: GridLike) -> dict[FeatureMap, int | None]:
    """Side of the receptive field of each map in pixels; None where it is the whole image.

    The largest within the map, as for the prediction.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> {feature_map.name: side for feature_map, side in receptive_fields(grid).items()}
    {'map_0_0': 5, 'map_1_0': 11, 'map_1_1': 19, 'map_0_1': 23}
    """
    grid = as_grid(grid)
    found = field_sides(_readings(grid), grid.spec.multiple)
    return {node: _pixels(sides) for node, sides in found if isinstance(node, FeatureMap)}


def field_sides(
    readings: Readings, multiple: int, variants: int = 1
) -> "Iterator[tuple[Node, NDArray[np.float64]]]":
    """Node by node, the side of its receptive field in each of the `variants`; `inf` is no limit.

    Sides of images are multiples of `multiple`. Steps between rows are the same in all variants.
    """
    import numpy as np  # here, since lints, whose names are listed, start without it

    steps = _steps(readings)
    # Not the steps alone: a unit may pool and upsample again, which no step of a node shows.
    period = lcm(multiple, *(step.numerator for step in steps.values()))
    # Floats, in which a whole image is -inf to inf; rows are far below 2^53, so still exact.
    image = np.broadcast_to(np.arange(period, dtype=np.float64), (variants, period))
    seen: dict[Node, Rows] = {"image": (image, image)}
    shifts: dict[tuple[int, int, int], list[tuple[Any, Any]] | None] = {}
    last_reader = {reading.source: node for node, read in readings.items() for reading in read}
    for node, read in readings.items():
        places = int(period / steps[node])
        rows = np.full((variants, places), inf), np.full((variants, places), -inf)
        for source, layers, some in read:
            # By identity: hashing long tuples of layers would take longer than the arithmetic.
            key = id(layers), places, seen[source][0].shape[1]
            if key not in shifts:
                shifts[key] = _shifts(layers, *key[1:], period)
            ends = shifts[key]
            if ends is None:
                rows[0][some], rows[1][some] = WHOLE
                continue
            for row, extreme, before, (place, shift) in zip(
                rows, (np.minimum, np.maximum), seen[source], ends, strict=True
            ):
                row[some] = extreme(row[some], before[some].take(place, axis=1) + shift)
        seen[node] = rows
        yield node, (rows[1] - rows[0]).max(axis=1) + 1
        for source in {reading.source for reading in read}:
            if last_reader[source] == node:
                del seen[source]


def _shifts(layers: Layers, places: int, given: int, period: int) -> list[tuple[Any, Any]] | None:
    """The first and last input place of each output place: one of those `given`, and a shift.

    None where each output place depends on the whole input.
    """
    import numpy as np  # here, since lints, whose names are listed, start without it

    rows = rows_before(layers, (np.arange(places),) * 2)
    if rows is WHOLE:
        return None
    turns = (np.divmod(row, given) for row in rows)
    return [(place, turn * float(period)) for turn, place in turns]


def _steps(readings: Readings) -> dict[Node, Fraction]:
    """Rows of the image from one row of a node to the next; any where all see the whole image."""
    steps: dict[Node, Fraction] = {"image": Fraction(1)}
    for node, read in readings.items():
        ratios = ((steps[source], _ratio(layers)) for source, layers, _ in read)
        known = (before * ratio for before, ratio in ratios if ratio)
        steps[node] = next(known, steps[read[0].source])
    return steps


@lru_cache(1 << 12)
def _ratio(layers: Layers) -> Fraction | None:
    """Input rows from one output row to the next; None where each depends on the whole input."""
    near, far = rows_before(layers, (0, 0)), rows_before(layers, (FAR, FAR))
    return None if WHOLE in (near, far) else Fraction(int(far[0]) - int(near[0]), FAR)


def _readings(grid: Grid) -> dict[Node, list[Reading]]:
    """The layers of a grid: through units, along identities, and the layers after each fusion."""
    readings: dict[Node, list[Reading]] = {}
    equal: dict[Layers, Layers] = {}
    for target in grid.maps:
        after = grid.fusion_layers(target)
        read = [Reading("image", (*grid.stem, *after))] if target == grid.input else []
        for arrival in grid.into(target):
            identity = [] if arrival.shortcut is None else [arrival.shortcut]
            for layers in (arrival.unit, *identity):
                whole = (*layers, *after)
                # One object for all that are equal, which `field_sides` tells by identity.
                read.append(Reading(arrival.source, equal.setdefault(whole, whole)))
        readings[target] = read
    return {**readings, "prediction": [Reading(grid.output, grid.head)]}


def _pixels(sides: "NDArray[np.float64]") -> int | None:
    """The side of the only variant."""
    side = sides.item()
    return None if side == inf else int(side)
