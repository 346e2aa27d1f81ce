"""The receptive field: which part of the image one predicted pixel can see.

The theoretical one, all paths together: the smallest square of rows and columns outside of which
no input value can change the prediction of a trained network. A GroupNorm sees the whole map.
"""

import numpy as np

from gridgen.grid import FeatureMap, Grid
from gridgen.grid.layers import WHOLE, Layers, Residual, Rows


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
    rows = _image_rows(grid, (places, places))
    return None if rows is WHOLE else int((rows[1] - rows[0]).max()) + 1


def field_text(side: int | None) -> str:
    """A receptive field in words."""
    return "whole image" if side is None else f"{side:,}"


def _image_rows(grid: Grid, rows: Rows) -> Rows:
    """The rows of an endless image that `rows` of the prediction see."""
    seen: dict[FeatureMap, Rows] = {grid.output: _reach(grid.head, rows)}
    for target in reversed(grid.maps):
        seen[target] = _reach(grid.fusion_layers(target), seen[target])
        for arrival in grid.into(target):
            reached = _reach(arrival.unit, seen[target])
            if arrival.shortcut is not None:
                reached = _hull(reached, _reach(arrival.shortcut, seen[target]))
            seen[arrival.source] = _hull(reached, seen.get(arrival.source, reached))
    return _reach(grid.stem, seen[grid.input])


def _reach(layers: Layers, rows: Rows) -> Rows:
    """The input rows that output `rows` of `layers` see."""
    for layer in reversed(layers):
        if rows is WHOLE:
            break
        if isinstance(layer, Residual):
            rows = _hull(_reach(layer.layers, rows), _reach(layer.shortcut, rows))
        else:
            rows = layer.reach(*rows)
    return rows


def _hull(one: Rows, other: Rows) -> Rows:
    """The smallest ranges that hold both."""
    if one is WHOLE or other is WHOLE:
        return WHOLE
    return np.minimum(one[0], other[0]), np.maximum(one[1], other[1])
