"""Features that enter beside the image: which map each is for, and that its shape is right."""

from collections.abc import Sequence

from torch import Tensor

from gridgen.emit.sizes import fitted_size
from gridgen.errors import SizeError
from gridgen.grid import Grid
from gridgen.grid.grid import Side
from gridgen.grid.layers import shape_text
from gridgen.program.compiler import side_features

Features = Sequence[Tensor | None]


def entering(grid: Grid, images: Tensor, features: Features | None) -> dict[str, Tensor | None]:
    """The features that enter with `images` (N, n_in, H, W), named as the program names them.

    None for each side of the grid where none are given.

    Errors: `SizeError` for another number of features than the full grid has sides, a shape that
    differs from the map's, and features for a map that the topology has removed.
    """
    absent: dict[str, Tensor | None] = {side_features(side): None for side in grid.sides}
    if features is None:
        return absent
    sides = grid.full.sides
    if len(features) != len(sides):
        raise SizeError(
            f"{len(features)} features are given; the spec's side_channels have {len(sides)}. "
            "Give one, or None, for each."
        )
    given = {
        side: feature for side, feature in zip(sides, features, strict=True) if feature is not None
    }
    size = fitted_size(images, grid.spec)
    for side, feature in given.items():
        _require_place(grid, side)
        _require_shape(side, feature, (images.shape[0], images.shape[1], *size))
    return absent | {side_features(side): feature for side, feature in given.items()}


def _require_place(grid: Grid, side: Side) -> None:
    if side not in grid.sides:
        stream = side.target.stream
        raise SizeError(f"The topology has no {side.target}; give None for stream {stream}.")


def _require_shape(side: Side, feature: Tensor, images: tuple[int, int, int, int]) -> None:
    """`images` is the shape of the fitted images."""
    number, _, height, width = images
    stream = side.target.stream
    needed = (number, side.channels, height >> stream, width >> stream)
    if feature.shape != needed:
        raise SizeError(
            f"Features of stream {stream} are {shape_text(feature.shape)}; "
            f"images of {shape_text(images)} need {shape_text(needed)}."
        )
