"""The receptive field: which part of the image one predicted pixel can see.

The theoretical one, all paths together: the smallest square of rows and columns outside of which
no input value can change the prediction. What a normalization learns from the whole batch is no
path.
"""

from gridgen.grid import FeatureMap, Grid
from gridgen.grid.layers import WHOLE, Rows, hull, reach


def receptive_field(grid: Grid) -> int | None:
    """Side of the receptive field in pixels; None where it is the whole image.

    With upsampling it depends on where the pixel lies; this is the largest.

    >>> from gridgen.grid import build_grid, prune
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec.of(streams=2, columns="1+1", base_channels=4, classes=2))
    >>> receptive_field(prune(grid, "resnet")), receptive_field(grid)
    (13, 27)
    """
    ranges = [_image_rows(grid, row) for row in range(grid.spec.multiple)]
    if WHOLE in ranges:
        return None
    return max(int(last - first) + 1 for first, last in ranges)


def _image_rows(grid: Grid, row: int) -> Rows:
    """The rows of an endless image that row `row` of the prediction sees."""
    seen: dict[FeatureMap, Rows] = {grid.output: reach(grid.head, row, row)}
    for target in reversed(grid.maps):
        first, last = reach(grid.fusion_layers(target), *seen[target])
        seen[target] = first, last
        for arrival in grid.into(target):
            rows = reach(arrival.unit, first, last)
            if arrival.shortcut is not None:
                rows = hull(rows, reach(arrival.shortcut, first, last))
            seen[arrival.source] = hull(rows, seen.get(arrival.source, rows))
    return reach(grid.stem, *seen[grid.input])


def field_text(side: int | None) -> str:
    """A receptive field in words."""
    return "whole image" if side is None else f"{side:,}"
