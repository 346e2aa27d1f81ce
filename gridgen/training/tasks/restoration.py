"""Restoration: what was the image before it was spoilt?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from PIL import Image
from torch import Tensor

from gridgen.data import Dataset
from gridgen.progress import OnProgress
from gridgen.training.tasks.pixels import Pixels, image_pixels, png
from gridgen.training.tasks.task import Metric

EPSILON = 1e-3
# Of an image that equals its label, whose PSNR has no bound.
LEAST_ERROR = 1e-10

PSNR = Metric("psnr", "PSNR", digits=2, unit=" dB")


@dataclass(frozen=True)
class Fidelity:
    """Peak signal-to-noise ratio in dB, averaged over images."""

    psnr: float

    @property
    def value(self) -> float:
        """The PSNR."""
        return self.psnr

    def numbers(self) -> dict[str, float]:
        """One."""
        return {"psnr": self.psnr}

    def as_json(self) -> dict[str, Any]:
        """One number."""
        return {"psnr": self.psnr}

    def rows(self) -> list[tuple[str, str]]:
        """One line."""
        return [("PSNR", PSNR.shown(self.psnr))]


@dataclass(frozen=True)
class Restoration:
    """Charbonnier loss; PSNR against the label, an image (N, C, H, W) in [0, 1].

    The tally is the sum of the images' PSNRs and their number.
    """

    classes: ClassVar[Sequence[str]] = ()
    colours: ClassVar[Sequence[Sequence[int]]] = ()
    metric: ClassVar[Metric] = PSNR
    numbers: ClassVar[tuple[str, ...]] = ("psnr",)
    resizable: ClassVar[bool] = False  # noise would be smoothed or spread
    baseline: ClassVar[str] = "the image as it is given"
    ending: ClassVar[str] = "restored"

    def outputs(self, dataset: Dataset) -> int:
        """As many channels as the image."""
        return dataset.channels

    def taught(self, weights: Sequence[float] | None, smoothing: float) -> Self:
        """Itself: an image has no classes to weigh; `require_splits` refuses such a recipe."""
        return self

    def loss(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """Mean of sqrt(d^2 + epsilon^2): |d| without its edge (Charbonnier et al., ICIP 1994)."""
        return (prediction.float() - labels).square().add(EPSILON**2).sqrt().mean()

    def nothing(self) -> Tensor:
        """No image."""
        return torch.zeros(2, dtype=torch.float64)

    def tally(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """Of the prediction as it would be written to a file: clamped to [0, 1]."""
        errors = (prediction.float().clamp(0, 1) - labels).square().mean((1, 2, 3))
        ratios = -10 * errors.double().clamp(min=LEAST_ERROR).log10()
        return torch.stack([ratios.sum(), ratios.new_tensor(len(ratios))])

    def score(self, tally: Tensor) -> Fidelity:
        """The mean PSNR; 0 of no image."""
        total, images = tally.tolist()
        return Fidelity(total / max(images, 1))

    def score_baseline(
        self, data: str, dataset: Dataset, held_out: str | None, on_progress: OnProgress
    ) -> Fidelity:
        """The PSNR of the image that the network is given."""
        total = self.nothing()
        for index in range(len(dataset)):
            sample = dataset[index]
            total += self.tally(sample.image[None], sample.label[None])
            on_progress(index + 1, len(dataset))
        return self.score(total)

    def answer(self, prediction: Tensor) -> Tensor:
        """The restored image, (C, H, W) in [0, 1]."""
        return prediction[0].float().clamp(0, 1).cpu()

    def masked(self, answer: Tensor, label: Tensor) -> Tensor:
        """All of it: every pixel is scored."""
        return answer

    def pixels(self, label: Tensor) -> Pixels:
        """The image itself."""
        return image_pixels(label)

    def encode(self, answer: Tensor) -> bytes:
        """Grey or RGB of 8 bits."""
        pixels = image_pixels(answer)
        return png(Image.fromarray(pixels if answer.shape[0] >= 3 else pixels[..., 0]))
