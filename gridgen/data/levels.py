"""Values as files have them to levels in [0, 1]. Reads no file."""

import numpy as np
import numpy.typing as npt
import torch

Values = npt.NDArray[np.generic]

# How much of an image's range is stretched to [0, 1] where its white is not known.
PERCENTILES = (1.0, 99.8)
# Red, green and blue in grey: ITU-R 601, as Pillow has it.
LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)


def to_levels(values: Values, white: float | None) -> torch.Tensor:
    """(H, W, channels) to contiguous float32 (channels, H, W) in [0, 1].

    8 bits are divided by 255, others by `white`, and clamped. Without `white`, each channel is
    stretched from its 1st to its 99.8th percentile; one that is flat is 0.
    """
    if values.dtype == np.uint8:
        return torch.tensor(values).permute(2, 0, 1).contiguous().float().div_(255)
    if white is None:
        levels = np.stack([_stretched(channel) for channel in np.moveaxis(values, 2, 0)])
    else:
        levels = np.moveaxis(_finite(values) / white, 2, 0)
    return torch.from_numpy(np.ascontiguousarray(levels.clip(0, 1), np.float32))


def to_grey(image: torch.Tensor) -> torch.Tensor:
    """Red, green and blue (3, H, W) to their luma, (1, H, W)."""
    return torch.einsum("chw,cg->ghw", image, torch.from_numpy(LUMA))


def _stretched(channel: Values) -> npt.NDArray[np.float64]:
    """(H, W), about in [0, 1]: low percentile to 0, high percentile to 1."""
    grey = _finite(channel)
    low, high = np.percentile(grey, PERCENTILES)
    span = max(high - low, np.finfo(np.float32).tiny)
    stretched: npt.NDArray[np.float64] = (grey - low) / span
    return stretched


def _finite(values: Values) -> npt.NDArray[np.float64]:
    return np.nan_to_num(values.astype(np.float64))
