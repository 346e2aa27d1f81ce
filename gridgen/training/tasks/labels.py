"""What tensors of a sample have to be: an image, or a number for each of its pixels."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gridgen.errors import DataError
from gridgen.grid.layers import shape_text


def require_image_tensor(what: str, tensor: Tensor, shape: Sequence[int]) -> None:
    """Refuse a tensor that is no image of that shape with values in [0, 1]: `DataError`."""
    _require(what, tensor, torch.float32, shape)
    low, high = float(tensor.min()), float(tensor.max())
    if not 0 <= low <= high <= 1:
        raise DataError(f"{what} has values from {low:g} to {high:g}, not in [0, 1]")


def require_numbers(what: str, tensor: Tensor, dtype: torch.dtype, image: Tensor) -> None:
    """Refuse a tensor that has not one number of that type for each pixel: `DataError`."""
    _require(what, tensor, dtype, image.shape[1:], " as the image")


def _require(
    what: str, tensor: Tensor, dtype: torch.dtype, shape: Sequence[int], why: str = ""
) -> None:
    if tensor.dtype != dtype:
        raise DataError(f"{what} is {tensor.dtype}, not {dtype}")
    if tuple(tensor.shape) != tuple(shape):
        raise DataError(f"{what} is {shape_text(tensor.shape)}, not {shape_text(shape)}{why}")
