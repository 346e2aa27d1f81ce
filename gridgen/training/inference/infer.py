"""The prediction for one image: windows through the network, their predictions summed."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from gridgen.analysis import Size
from gridgen.emit import GridNetwork
from gridgen.training import devices
from gridgen.training.inference.inference import WHOLE, Inference
from gridgen.training.inference.views import View, views


@torch.no_grad()
def infer(network: nn.Module, image: Tensor, inference: Inference = WHOLE) -> Tensor:
    """(C, H, W) or (1, C, H, W) -> (1, K, H, W) in fp32, on the image's device.

    The network's device holds one batch of windows at a time. Sums stay beside the image and take
    4 (K + 1) H W bytes, so that an image on the host needs no more of a GPU than a window does.
    A plain whole image is not summed: its prediction is the network's own. Raw logits are summed,
    no probabilities. Errors: `SizeError`.
    """
    image = image[None] if image.dim() == 3 else image
    size = image.shape[-2], image.shape[-1]
    spec = network.grid.spec if isinstance(network, GridNetwork) else None
    looks = tuple(views(inference, size, spec))
    if len(looks) == 1 and looks[0].given == size:
        return _run(network, image, inference).to(image.device)
    total, weight = torch.zeros(0), image.new_zeros(size)
    for view in looks:
        shape = _weights(inference, view.size).to(image.device)
        for (top, left), logits in _windows(network, image, inference, view):
            if not len(total):
                total = logits.new_zeros(1, len(logits), *size)
            at = (..., slice(top, top + view.size[0]), slice(left, left + view.size[1]))
            total[at] += logits * shape
            weight[at] += shape
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
    return functional.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)


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
    """Where the network is; a module without parameters is everywhere."""
    parameter = next(network.parameters(), None)
    return image.device if parameter is None else parameter.device
