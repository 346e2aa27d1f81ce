"""Views of an image by windows: where they lie, and at what size the network is given them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gridgen.analysis import Size
from gridgen.analysis.sizes import nearest_size
from gridgen.spec import NetworkSpec
from gridgen.training.inference import Inference


@dataclass(frozen=True)
class View:
    """One pass over an image by windows of `size` (height, width), in its pixels.

    Each is resized to `given` for the network. Without windows, the whole image is the only one.
    """

    size: Size
    given: Size
    places: tuple[tuple[int, int], ...]
    """Top and left of each window."""
    flip: bool


def views(inference: Inference, image: Size, spec: NetworkSpec | None) -> Iterator[View]:
    """Every pass over an image of that size (height, width) by a network of `spec`.

    A window is never larger than the image. A whole image, or what of a window there is, is
    resized to the size nearest to its scale that the network takes; at scale 1 it stays as it is,
    and the spec's policy for sizes decides.
    """
    for scale in inference.scales:
        size, stride = _window(inference, image, scale)
        places = tuple(
            (top, left)
            for top in offsets(image[0], size[0], stride[0])
            for left in offsets(image[1], size[1], stride[1])
        )
        given = _given(inference, size, scale, spec)
        for flip in (False, True) if inference.flip else (False,):
            yield View(size, given, places, flip)


def windows_of(inference: Inference, image: Size, spec: NetworkSpec | None) -> int:
    """How many windows the network is given of an image, in all passes over it."""
    return sum(len(view.places) for view in views(inference, image, spec))


def given_sizes(inference: Inference, image: Size, spec: NetworkSpec) -> Iterator[Size]:
    """Size (height, width) of what the network is given of an image, for each scale."""
    for scale in inference.scales:
        size, _ = _window(inference, image, scale)
        yield _given(inference, size, scale, spec)


def offsets(length: int, side: int, stride: int) -> list[int]:
    """Starts of windows of `side` on a line of `length`; the last window ends where the line does.

    >>> offsets(1000, 400, 300)
    [0, 300, 600]
    >>> offsets(1024, 400, 300)
    [0, 300, 600, 624]
    """
    return [*range(0, length - side, stride), length - side]


def _window(inference: Inference, image: Size, scale: float) -> tuple[Size, Size]:
    """Size and stride of the windows, in pixels of the image."""
    if inference.window is None:
        return image, image
    side = inference.side(scale)
    stride = inference.stride or max(side // 2, 1)
    return (min(side, image[0]), min(side, image[1])), (stride, stride)


def _given(inference: Inference, size: Size, scale: float, spec: NetworkSpec | None) -> Size:
    """Size that a window of `size` is resized to before the network sees it."""
    if inference.window is not None and size == (inference.side(scale),) * 2:
        return inference.window, inference.window
    if scale == 1:
        return size
    height, width = (max(round(side * scale), 1) for side in size)
    return (height, width) if spec is None else nearest_size(spec, (height, width))


def window_weights(inference: Inference, size: Size) -> Tensor:
    """(h, w), positive: 1, or a Gaussian whose sigma is an eighth of the side (Isensee et al.,
    Nature Methods 18, 2021).
    """
    if inference.weighting == "uniform":
        return torch.ones(1, 1).expand(size)
    tall, wide = (_gaussian(side) for side in size)
    return tall[:, None] * wide


def _gaussian(side: int) -> Tensor:
    from_middle = torch.arange(side) - (side - 1) / 2
    return torch.exp(-((from_middle / (side / 8)) ** 2) / 2)
