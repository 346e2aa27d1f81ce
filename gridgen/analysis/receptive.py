"""The receptive field: which part of the image one predicted pixel, or one of a map, can see.

The theoretical one, all paths together: the smallest square of rows and columns outside of which
no input value can change the prediction of a trained network. A GroupNorm sees the whole map.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, reduce
from math import lcm
from typing import Any

import numpy as np

from gridgen.grid import FeatureMap, Grid
from gridgen.grid.layers import WHOLE, Layers, Residual, Rows

IMAGE = None
"""Stands for the image where a map's place would."""
Place = FeatureMap | None
FAR = 2**10 * 3**2 * 5 * 7
"""Rows, a multiple of what one unit can multiply sizes by."""


def receptive_field(grid: Grid) -> int | None:
    """Side of the receptive field in pixels; None where it is the whole image.

    With upsampling it depends on where the pixel lies; this is the largest.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> receptive_field(prune(grid, "resnet")), receptive_field(grid)
    (13, 27)
    """
    places = np.arange(grid.spec.multiple)  # beyond these, all repeats itself
    return _side(_image_rows(grid, (places, places)))


def receptive_fields(grid: Grid) -> dict[FeatureMap, int | None]:
    """Side of the receptive field of each map in pixels; None where it is the whole image.

    That of the place in the map that sees most, as for the prediction.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> {feature_map.name: side for feature_map, side in receptive_fields(grid).items()}
    {'map_0_0': 5, 'map_1_0': 11, 'map_1_1': 19, 'map_0_1': 23}
    """
    steps = _steps(grid)
    period = lcm(*(step.numerator for step in steps.values() if step))
    reach = cache(lambda layers, count: _reach(layers, (np.arange(count), np.arange(count))))
    seen: dict[Place, Rows] = {IMAGE: (np.arange(period), np.arange(period))}
    last: dict[Place, FeatureMap] = {link.source: link.target for link in grid}
    sides = {}
    for target in grid.maps:
        step, ways = steps[target], list(_ways_into(grid, target))
        seen[target] = (
            WHOLE
            if step is None
            else reduce(
                hull,
                (
                    _through(seen[source], reach(layers, int(period / step)), period)
                    for source, layers in ways
                ),
            )
        )
        sides[target] = _side(seen[target])
        for source, _ in ways:
            if last.get(source) == target:
                seen.pop(source, None)
    return sides


def field_text(side: int | None) -> str:
    """A receptive field in words."""
    return "whole image" if side is None else f"{side:,}"


def _side(rows: Rows) -> int | None:
    """The most rows that a place sees."""
    return None if rows is WHOLE else int((rows[1] - rows[0]).max()) + 1


def _steps(grid: Grid) -> dict[Place, Fraction | None]:
    """Rows of the image from one row of a map to the next; None where all see the whole image."""
    steps: dict[Place, Fraction | None] = {IMAGE: Fraction(1)}
    for target in grid.maps:
        each = [_step(steps[source], layers) for source, layers in _ways_into(grid, target)]
        steps[target] = None if None in each else each[0]
    return steps


def _step(before: Fraction | None, layers: Layers) -> Fraction | None:
    """The same after `layers`, from how far two rows see that are far from each other."""
    near, far = _reach(layers, (0, 0)), _reach(layers, (FAR, FAR))
    if before is None or WHOLE in (near, far):
        return None
    return before * Fraction(int(far[0]) - int(near[0]), FAR)


def _ways_into(grid: Grid, target: FeatureMap) -> Iterator[tuple[Place, Layers]]:
    """All layers from where a map comes from: through units, along identities."""
    after = grid.fusion_layers(target)
    if target == grid.input:
        yield IMAGE, (*grid.stem, *after)
    for arrival in grid.into(target):
        yield arrival.source, (*arrival.unit, *after)
        if arrival.shortcut is not None:
            yield arrival.source, (*arrival.shortcut, *after)


def _through(seen: Rows, reached: Rows, period: int) -> Rows:
    """The rows of the image that places see which reach `reached` of a map; all repeats itself."""
    if seen is WHOLE or reached is WHOLE:
        return WHOLE
    return _repeated(seen[0], reached[0], period), _repeated(seen[1], reached[1], period)


def _repeated(rows: Any, places: Any, period: int) -> Any:
    """`rows` at `places` before, among and after those that it lists."""
    turn, place = np.divmod(places, len(rows))
    return rows[place] + turn * period


def _image_rows(grid: Grid, rows: Rows) -> Rows:
    """The rows of an endless image that `rows` of the prediction see."""
    seen: dict[FeatureMap, Rows] = {grid.output: _reach(grid.head, rows)}
    for target in reversed(grid.maps):
        seen[target] = _reach(grid.fusion_layers(target), seen[target])
        for arrival in grid.into(target):
            reached = _reach(arrival.unit, seen[target])
            if arrival.shortcut is not None:
                reached = hull(reached, _reach(arrival.shortcut, seen[target]))
            seen[arrival.source] = hull(reached, seen.get(arrival.source, reached))
    return _reach(grid.stem, seen[grid.input])


def _reach(layers: Layers, rows: Rows) -> Rows:
    """The input rows that output `rows` of `layers` see."""
    for layer in reversed(layers):
        if rows is WHOLE:
            break
        if isinstance(layer, Residual):
            rows = hull(_reach(layer.layers, rows), _reach(layer.shortcut, rows))
        else:
            rows = layer.rows(*rows)
    return rows


def hull(one: Rows, other: Rows) -> Rows:
    """The smallest ranges that hold both."""
    if one is WHOLE or other is WHOLE:
        return WHOLE
    return np.minimum(one[0], other[0]), np.maximum(one[1], other[1])
