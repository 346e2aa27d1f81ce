"""Inference on one image: its views by windows, and the mean of what a network says of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from gridgen.analysis import Size
from gridgen.analysis.sizes import SIDES, nearest_size
from gridgen.arguments import checked
from gridgen.emit import GridNetwork
from gridgen.errors import SizeError, SpecError
from gridgen.grid.layers import shape_text
from gridgen.progress import OnProgress, no_progress
from gridgen.spec import NetworkSpec
from gridgen.training.inference import WHOLE, Inference, InferenceLike, as_inference
from gridgen.training.processes import devices


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


@checked
@torch.no_grad()
def infer(
    network: nn.Module,
    image: Tensor,
    inference: InferenceLike = WHOLE,
    on_progress: OnProgress = no_progress,
) -> Tensor:
    """(C, H, W) or (1, C, H, W) -> (1, K, H, W) in fp32, on the image's device.

    The prediction is fp32 whatever the dtypes of image and network are, and so are all sums. The
    network's device holds one batch of windows at a time. Sums stay beside the image and take
    4 (K + 1) H W bytes, so that an image on the host needs no more of a GPU than a window does.
    A plain whole image is not summed: its prediction is the network's own. Raw logits are summed,
    no probabilities. The network is in evaluation mode meanwhile. `on_progress` is called for each
    window, and once for a whole image.

    Signals and volumes have one side or three in place of H and W, and are seen whole. Errors:
    `SizeError`; `SpecError` for windows, scales or mirrored views of them.
    """
    spec = network.grid.spec if isinstance(network, GridNetwork) else None
    dimensions = 2 if spec is None else spec.dimensions
    image, inference = _one(image, dimensions), as_inference(inference)
    if dimensions != 2 and not inference.once:
        fact = f"{inference.described()}, but the network has dimensions: {dimensions}"
        raise SpecError(f"inference: {fact}; only images are seen so, set inference: whole")
    with evaluating(network):
        return _inferred(network, image, inference, on_progress)


def _one(image: Tensor, dimensions: int) -> Tensor:
    """One image, signal or volume as a batch of its own. Errors: `SizeError`."""
    sides, shape = SIDES[dimensions], shape_text(image.shape) or "a single value"
    wanted = f"give one, (C, {sides}) or (1, C, {sides})"
    if image.dim() not in (dimensions + 1, dimensions + 2) or not image.numel():
        raise SizeError(f"{shape} is no image; {wanted}")
    if image.dim() == dimensions + 2 and len(image) != 1:
        raise SizeError(f"{len(image)} images are given, {shape}; {wanted}")
    return image if image.dim() == dimensions + 2 else image[None]


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode, and then again the mode in which each module was."""
    before = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


def _inferred(
    network: nn.Module, image: Tensor, inference: Inference, on_progress: OnProgress
) -> Tensor:
    """(1, C, H, W) -> (1, K, H, W); the same of signals and volumes, as they are."""
    size = image.shape[-2], image.shape[-1]
    spec = network.grid.spec if isinstance(network, GridNetwork) else None
    looks = tuple(views(inference, size, spec))
    if len(looks) == 1 and looks[0].given == size:
        prediction = _run(network, image, inference).to(image.device)
        on_progress(1, 1)
        return prediction
    # K is known from the first prediction on, as any module may be given, without a spec.
    total = torch.zeros(0)
    # Weights of many windows, added up in the 8 bits of a bfloat16, would be too small.
    weight = torch.zeros(size, device=image.device)
    done, windows = 0, windows_of(inference, size, spec)
    for view in looks:
        shape = _weights(inference, view.size).to(image.device)
        for (top, left), logits in _windows(network, image, inference, view):
            if not len(total):
                total = logits.new_zeros(1, len(logits), *size)
            at = (..., slice(top, top + view.size[0]), slice(left, left + view.size[1]))
            total[at] += logits * shape
            weight[at] += shape
            done += 1
            on_progress(done, windows)
    return total.div_(weight)


def _windows(
    network: nn.Module, image: Tensor, inference: Inference, view: View
) -> Iterator[tuple[tuple[int, int], Tensor]]:
    """Place and prediction (K, h, w) of each window, at its size in the image."""
    height, width = view.size
    for first in range(0, len(view.places), inference.batch):
        places = view.places[first : first + inference.batch]
        crops = [image[0, :, top : top + height, left : left + width] for top, left in places]
        given = _resized(torch.stack(crops).to(_device(network, image)), view.given)
        logits = _run(network, given.flip(-1) if view.flip else given, inference)
        logits = _resized(logits.flip(-1) if view.flip else logits, view.size).to(image.device)
        yield from zip(places, logits, strict=True)


def _run(network: nn.Module, images: Tensor, inference: Inference) -> Tensor:
    """The network's prediction for images of one size."""
    images = images.to(_device(network, images))
    with devices.autocast(images.device, inference.precision):
        prediction: Tensor = network(images)
    return prediction.float()


def _resized(x: Tensor, size: Size) -> Tensor:
    """Bilinear, antialiased where it shrinks, as training resizes its crops."""
    if x.shape[-2:] == size:
        return x
    # On a CPU torch has no antialiasing in half precision.
    resized = functional.interpolate(
        x.float(), size, mode="bilinear", align_corners=False, antialias=True
    )
    return resized.to(x.dtype)


def _weights(inference: Inference, size: Size) -> Tensor:
    """(h, w), positive: 1, or a Gaussian whose sigma is an eighth of the side (Isensee et al.,
    Nature Methods 18, 2021).
    """
    if inference.weighting == "uniform":
        return torch.ones(size)
    tall, wide = (_gaussian(side) for side in size)
    return tall[:, None] * wide


def _gaussian(side: int) -> Tensor:
    from_middle = torch.arange(side) - (side - 1) / 2
    return torch.exp(-((from_middle / (side / 8)) ** 2) / 2)


def _device(network: nn.Module, image: Tensor) -> torch.device:
    """Device of the network; a module without parameters can run where the image is."""
    parameter = next(network.parameters(), None)
    return image.device if parameter is None else parameter.device
