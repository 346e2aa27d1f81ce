"""The inputs of a network: images brought to a legal size and back, and features beside them.

Eager code does nothing where a size is legal already. While torch exports a module, heights and
widths are symbols: a comparison of one would become a guard that binds the exported program to
sizes like the example's, and padding by a computed amount keeps such a guard too. Rows and columns
are then selected by clamped indices, which is exact whether something is added, cut or neither.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from gridgen.analysis.sizes import SIDES, legal_size
from gridgen.errors import SizeError
from gridgen.grid import Grid
from gridgen.grid.grid import Side
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.program.compiler import side_features
from gridgen.program.modules import torch_mode
from gridgen.spec import NetworkSpec


def require_images(images: Tensor, spec: NetworkSpec, weight: Tensor | None) -> None:
    """A batch of images as the spec wants them, of the type and on the device of a `weight`.

    Errors: `SizeError`.
    """
    _require_floats("Images", images, weight, " from 0 to 1, such as images.float() / 255")
    if images.dim() != spec.dimensions + 2:
        wanted = f"(N, {spec.in_channels}, {SIDES[spec.dimensions]})"
        raise SizeError(f"Images are {shape_text(images.shape)}; give a batch of shape {wanted}.")
    if images.shape[1] != spec.in_channels:
        raise SizeError(
            f"Images have {images.shape[1]} channels; the spec's in_channels is "
            f"{spec.in_channels}. Change one of them."
        )


def _require_floats(name: str, given: object, weight: Tensor | None, values: str = "") -> None:
    """A tensor of floats, which are `values`, of the type and on the device of a `weight`.

    Errors: `SizeError`.
    """
    if not isinstance(given, Tensor):
        fact = f"{name} are of type {type(given).__name__}"
        raise SizeError(f"{fact}; give a Tensor, such as torch.from_numpy(array) of floats.")
    kind = str(given.dtype).removeprefix("torch.")
    if not given.is_floating_point():
        raise SizeError(f"{name} are {kind}; give floating-point values{values}.")
    if weight is None or (given.dtype, given.device) == (weight.dtype, weight.device):
        return
    if given.device != weight.device:
        fact = f"{name} are on {given.device}, the network is on {weight.device}"
        raise SizeError(f"{fact}; bring both to one device with .to(...).")
    if not torch.is_autocast_enabled(given.device.type):
        own, what = str(weight.dtype).removeprefix("torch."), name.split()[0].lower()
        raise SizeError(f"{name} are {kind}, the network is {own}; give {what}.to(torch.{own}).")


def fit(images: Tensor, spec: NetworkSpec) -> Tensor:
    """(N, n_in, H, W) at a legal size, by the spec's policy. Errors: `SizeError`.

    `pad` extends the image by its border values on all sides, `crop` takes its middle, `resize`
    interpolates.
    """
    return _bring(images, fitted_size(images, spec), spec, grows=spec.size == "pad")


def restore(logits: Tensor, spec: NetworkSpec, size: Size) -> Tensor:
    """(N, K, h, w) for the fitted image -> (N, K, H, W) for the given one of `size`.

    What was padded is cut away; beyond what was cropped, the nearest predicted values stand.
    """
    return _bring(logits, size, spec, grows=spec.size == "crop")


def fitted_size(images: Tensor, spec: NetworkSpec) -> Size:
    """The legal size for `images`. Errors: `SizeError`."""
    size = tuple(images.shape[2:])
    if spec.size == "error" or not torch.compiler.is_exporting():
        return legal_size(spec, size)
    return tuple(_symbolic(side, spec) for side in size)


def _symbolic(side: int, spec: NetworkSpec) -> int:
    """A side as `legal_size` gives it, in arithmetic that symbols allow.

    A maximum of symbols cannot be simplified by torch, so the least legal side is not enforced:
    an exported network refuses smaller images by an error of torch.
    """
    step = spec.multiple
    beside = {"pad": step - 1, "crop": 0, "resize": step // 2}[spec.size]
    return (side + beside) // step * step


def _bring(x: Tensor, size: Size, spec: NetworkSpec, grows: bool) -> Tensor:
    """Pad, crop or resize `x` to `size`; no-op if it fits. `grows` is false where it is cut."""
    exporting = torch.compiler.is_exporting() and spec.size != "error"
    before = tuple(x.shape[2:])
    # The image itself, not a copy: a legal size costs neither time nor memory.
    if not exporting and before == size:
        return x
    if spec.size == "resize":
        # Corners are not aligned, as Pillow and OpenCV resize; gridgen resizes labels alike.
        mode = torch_mode("bilinear", len(size))
        return functional.interpolate(x, size, mode=mode, align_corners=False)
    if exporting:
        for dim, side in enumerate(size, 2):
            x = _select(x, dim, side, grows)
        return x
    return _pad_or_cut(x, before, size)


def _select(x: Tensor, dim: int, after: int, grows: bool) -> Tensor:
    """`_pad_or_cut` along one dimension, by indices whose number may be a symbol."""
    before = x.shape[dim]
    indices = torch.arange(after, device=x.device)
    if grows:
        indices = (indices - (after - before) // 2).clamp(0, before - 1)
    else:
        indices = indices + (before - after) // 2
    return x.index_select(dim, indices)


def _pad_or_cut(x: Tensor, before: Size, after: Size) -> Tensor:
    """`x` with sides cut, or extended by its border values, alike at both ends (odd: one more
    at the end).
    """
    more = [side - old for old, side in zip(before, after, strict=True)]
    ends = [(_begin(rows), rows - _begin(rows)) for rows in more]
    if min(more) >= 0:
        # torch names the last side first.
        return functional.pad(x, [rows for end in reversed(ends) for rows in end], mode="replicate")
    for dim, (old, (begin, end)) in enumerate(zip(before, ends, strict=True), 2):
        x = x.narrow(dim, -begin, old + begin + end)
    return x


def _begin(more: int) -> int:
    """The rows to add at the beginning, of `more` in all; negative where rows are cut."""
    return more // 2 if more >= 0 else -(-more // 2)


Features = Sequence[Tensor | None]


def entering(
    grid: Grid, images: Tensor, features: Features | None, weight: Tensor | None
) -> dict[str, Tensor | None]:
    """The features that enter with `images` (N, n_in, H, W), named as the program names them.

    None for each side of the grid where none are given.

    Errors: `SizeError` for another number of features than the full grid has sides, a shape that
    differs from the map's, another type or device than that of a `weight`, and features for a map
    that the topology has removed.
    """
    absent: dict[str, Tensor | None] = {side_features(side): None for side in grid.sides}
    if features is None:
        return absent
    sides = grid.full.sides
    if not isinstance(features, list | tuple):
        fact = f"Features are of type {type(features).__name__}"
        raise SizeError(f"{fact}; give a list with a Tensor, or None, for each of side_channels.")
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
        _require_floats(f"Features of stream {side.target.stream}", feature, weight)
        _require_shape(side, feature, (*images.shape[:2], *size), grid.spec.stride)
    return absent | {side_features(side): feature for side, feature in given.items()}


def _require_place(grid: Grid, side: Side) -> None:
    if side not in grid.sides:
        stream = side.target.stream
        raise SizeError(f"The topology has no {side.target}; give None for stream {stream}.")


def _require_shape(side: Side, feature: Tensor, images: tuple[int, ...], stride: int) -> None:
    """`images` is the shape of the fitted images, whose sides the stem divides by `stride`."""
    number, _, *sides = images
    stream = side.target.stream
    needed = (number, side.channels, *(each // stride >> stream for each in sides))
    if feature.shape != needed:
        raise SizeError(
            f"Features of stream {stream} are {shape_text(feature.shape)}; "
            f"images of {shape_text(images)} need {shape_text(needed)}."
        )
