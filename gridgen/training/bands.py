"""Inference on one image: the mean of what a network says of its views, in bands of rows."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from gridgen.analysis import Size
from gridgen.analysis.sizes import SIDES
from gridgen.arguments import checked
from gridgen.emit import GridNetwork
from gridgen.emit.averaging import AveragedNetworks, averaged
from gridgen.errors import SizeError, SpecError
from gridgen.grid.layers import shape_text
from gridgen.images.rows import ImageRows, RowSource
from gridgen.progress import OnProgress, no_progress
from gridgen.spec import NetworkSpec
from gridgen.training.inference import WHOLE, Inference, InferenceLike, as_inference
from gridgen.training.processes.precision import autocast
from gridgen.training.windows import View, views, window_weights

WindowPlace = tuple[int, int]
"""Top and left of a window."""


@dataclass(frozen=True, eq=False)
class Band:
    """Rows of an image from `top` on, and the prediction for them, (1, K, h, W) in fp32."""

    top: int
    image: ImageRows
    prediction: Tensor


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
    network's device holds one batch of windows at a time. Sums stay beside the image, so that one
    on the host needs no more of a GPU than a window does, and take 4 (K + 1) bytes for each pixel
    of the rows that windows still reach.
    A plain whole image is not summed: its prediction is the network's own. Raw logits are summed,
    no probabilities. The network is in evaluation mode meanwhile. `on_progress` is called for each
    window, and once for a whole image.

    Signals and volumes have one side or three in place of H and W, and are seen whole. Errors:
    `SizeError`; `SpecError` for windows, scales or mirrored views of them.
    """
    spec = _spec(network)
    dimensions = 2 if spec is None else spec.dimensions
    image, inference = _one(image, dimensions), as_inference(inference)
    inference = inference.on(_device(network, image))
    if dimensions != 2 and not inference.once:
        fact = f"{inference.described()}, but the network has dimensions: {dimensions}"
        raise SpecError(f"inference: {fact}; only images are seen so, set inference: whole")
    if dimensions != 2:
        with evaluating(network):
            prediction = _run(network, image, inference).to(image.device)
        on_progress(1, 1)
        return prediction
    height, width = image.shape[-2:]
    whole = torch.zeros(0)
    for band in infer_bands(network, ImageRows(image[0]), inference, on_progress):
        found = band.prediction
        rows = found.shape[-2]
        if rows == height:
            whole = found
            continue
        if not len(whole):
            whole = found.new_empty(1, found.shape[1], height, width)
        whole[..., band.top : band.top + rows, :] = found
    return whole


@torch.no_grad()
def infer_bands(
    network: nn.Module,
    image: RowSource,
    inference: Inference,
    on_progress: OnProgress = no_progress,
) -> Iterator[Band]:
    """The prediction for an image, (H, W), in bands that follow each other from top to bottom.

    Only rows that windows still reach are held, of the image and of the sums; without windows all
    are. What `infer` says of sums and devices holds. Errors: `SizeError`, and those of `image`.
    """
    if isinstance(network, AveragedNetworks):
        yield from _averaged(network, image, inference, on_progress)
        return
    with evaluating(network):
        looks = tuple(views(inference, image.size, _spec(network)))
        if len(looks) == 1 and looks[0].given == image.size:
            rows = image.rows(0, image.size[0])
            prediction = _run(network, rows.levels[None], inference).to(rows.levels.device)
            on_progress(1, 1)
            yield Band(0, rows, prediction)
            return
        yield from _summed(
            network, _Held(image), inference, _batches(inference, looks), on_progress
        )


def _averaged(
    networks: AveragedNetworks, image: RowSource, inference: Inference, on_progress: OnProgress
) -> Iterator[Band]:
    """The mean of what each network says of all its views, which its own grid decides on."""
    last = len(networks.grids) - 1
    every = (
        infer_bands(each, image, inference, on_progress if place == last else no_progress)
        for place, each in enumerate(networks.networks)
    )
    for bands in zip(*every, strict=True):
        if len({(band.top, band.prediction.shape[-2]) for band in bands}) > 1:
            fact = f"{inference.described()}: the networks see an image in different windows"
            raise SizeError(f"{fact}; set scales: [1], or no window")
        mean = averaged([band.prediction for band in bands], networks.probabilities)
        yield Band(bands[0].top, bands[0].image, mean)


def rows_held(inference: Inference, image: Size, spec: NetworkSpec | None) -> int:
    """How many rows of an image of that size are held at a time, at most."""
    bottom = most = 0
    for view, places in _batches(inference, views(inference, image, spec)):
        bottom = max(bottom, places[-1][0] + view.size[0])
        most = max(most, bottom - places[0][0])
    return most


def _batches(
    inference: Inference, looks: Iterable[View]
) -> list[tuple[View, tuple[WindowPlace, ...]]]:
    """Windows that the network is given together, from the top of the image to its bottom."""
    batches = [
        (view, view.places[first : first + inference.batch])
        for view in looks
        for first in range(0, len(view.places), inference.batch)
    ]
    return sorted(batches, key=lambda batch: batch[1][0][0])


def _summed(
    network: nn.Module,
    held: "_Held",
    inference: Inference,
    batches: Sequence[tuple[View, tuple[WindowPlace, ...]]],
    on_progress: OnProgress,
) -> Iterator[Band]:
    done, windows = 0, sum(len(places) for _, places in batches)
    weights = {view.size: window_weights(inference, view.size) for view, _ in batches}
    for number, (view, places) in enumerate(batches, 1):
        crops = held.crops(places, view.size)
        for place, logits in zip(places, _seen(network, crops, inference, view), strict=True):
            held.add(place, logits, weights[view.size].to(logits.device))
            done += 1
            on_progress(done, windows)
        # No window that is still to come begins above.
        until = batches[number][1][0][0] if number < len(batches) else held.height
        if until > held.top:
            yield held.release(until)


class _Held:
    """The rows of an image that windows still reach, and sums of predictions for them."""

    def __init__(self, image: RowSource) -> None:
        self.top, self.height = 0, image.size[0]
        self._image = image
        self._rows: ImageRows | None = None
        # K is known from the first prediction on, as any module may be given, without a spec.
        self._total = torch.zeros(0)
        # Weights of many windows, added up in the 8 bits of a bfloat16, would be too small.
        self._weight = torch.zeros(0, image.size[1])

    def crops(self, places: Sequence[WindowPlace], size: Size) -> Tensor:
        """(N, C, h, w): the image at these places, of which the last one is the lowest."""
        height, width = size
        levels = self._read(places[-1][0] + height).levels
        return torch.stack(
            [
                levels[:, top - self.top : top - self.top + height, left : left + width]
                for top, left in places
            ]
        )

    def _read(self, bottom: int) -> ImageRows:
        """The rows that are held, down to `bottom` or below it."""
        held, together = self._rows, self._image.rows_at_once
        read = self.top + (held.size[0] if held else 0)
        if held is None or bottom > read:
            below = self._image.rows(read, min(-(-bottom // together) * together, self.height))
            self._rows = held = held.followed_by(below) if held else below
        return held

    def add(self, place: WindowPlace, logits: Tensor, weights: Tensor) -> None:
        """Add a prediction (K, h, w), weighted by (h, w)."""
        (top, left), (outputs, height, width) = place, logits.shape
        first = top - self.top
        if not len(self._total):
            self._total = logits.new_zeros(1, outputs, 0, self._weight.shape[1])
            self._weight = self._weight.to(logits.device)
        if (more := first + height - len(self._weight)) > 0:
            self._total, self._weight = (
                functional.pad(sums, (0, 0, 0, more)) for sums in (self._total, self._weight)
            )
        at = (..., slice(first, first + height), slice(left, left + width))
        self._total[at] += logits * weights
        self._weight[at] += weights

    def release(self, until: int) -> Band:
        """The band that ends at the row `until`, which is complete and is no longer held."""
        rows = until - self.top
        mean = self._total[..., :rows, :].div_(self._weight[:rows])
        assert self._rows is not None
        band = Band(self.top, self._rows.rows(0, rows), mean)
        self._rows = self._rows.rows(rows, self._rows.size[0])
        self._total, self._weight = self._total[..., rows:, :], self._weight[rows:]
        self.top = until
        return band


def _seen(network: nn.Module, crops: Tensor, inference: Inference, view: View) -> Tensor:
    """(N, C, h, w) -> (N, K, h, w): the prediction of windows, at their size in the image."""
    given = _resized(crops.to(_device(network, crops)), view.given)
    logits = _run(network, given.flip(-1) if view.flip else given, inference)
    return _resized(logits.flip(-1) if view.flip else logits, view.size).to(crops.device)


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


def _run(network: nn.Module, images: Tensor, inference: Inference) -> Tensor:
    """The network's prediction for images of one size."""
    images = images.to(_device(network, images))
    with autocast(images.device, inference.precision):
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


def _device(network: nn.Module, image: Tensor) -> torch.device:
    """Device of the network; a module without parameters can run where the image is."""
    parameter = next(network.parameters(), None)
    return image.device if parameter is None else parameter.device


def _spec(network: nn.Module) -> NetworkSpec | None:
    if isinstance(network, GridNetwork | AveragedNetworks):
        return network.grid.spec
    return None
