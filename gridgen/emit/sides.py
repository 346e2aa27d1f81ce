"""Features that enter beside the image: which map each is for, and that its shape is right."""

from collections.abc import Sequence

from torch import Tensor

from gridgen.errors import SizeError
from gridgen.grid import FeatureMap, Grid
from gridgen.grid.grid import Side
from gridgen.grid.layers import shape_text

Features = Sequence[Tensor | None]


def enter(grid: Grid, images: Tensor, features: Features | None) -> dict[FeatureMap, Tensor]:
    """The features that are given, by the map where they enter, for fitted images (N, n_in, H, W).

    Errors: `SizeError` for another number of features than the full grid has sides, a shape that
    differs from the map's, and features for a map that the topology has removed.
    """
    if features is None:
        return {}
    sides = grid.full.sides
    if len(features) != len(sides):
        raise SizeError(
            f"{len(features)} features are given; the spec's side_channels have {len(sides)}. "
            "Give one, or None, for each."
        )
    given = {
        side: feature for side, feature in zip(sides, features, strict=True) if feature is not None
    }
    for side, feature in given.items():
        _require_place(grid, side)
        _require_shape(side, feature, images)
    return {side.target: feature for side, feature in given.items()}


def _require_place(grid: Grid, side: Side) -> None:
    if side not in grid.sides:
        stream = side.target.stream
        raise SizeError(f"The topology has no {side.target}; give None for stream {stream}.")


def _require_shape(side: Side, feature: Tensor, images: Tensor) -> None:
    number, _, height, width = images.shape
    stream = side.target.stream
    needed = (number, side.channels, height >> stream, width >> stream)
    if feature.shape != needed:
        raise SizeError(
            f"Features of stream {stream} are {shape_text(feature.shape)}; "
            f"images of {shape_text(images.shape)} need {shape_text(needed)}."
        )
