"""How images are given to a network: whole or in windows, at several scales, mirrored; as YAML."""

from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, field_validator, model_validator

from gridgen.arguments import PathLike, checked
from gridgen.errors import SpecError, unknown
from gridgen.files import is_file
from gridgen.spec import Document
from gridgen.training.processes.precision import computes_bf16

Scale = Annotated[float, Field(ge=0.05, le=16)]


class Inference(Document):
    """The parts of an image that the network is given, and how its predictions are joined.

    An image is seen once for every scale, and mirrored too where `flip` says so; with `window`
    each time through windows that overlap. The prediction of a pixel is the mean over all of it,
    weighted by where in its window the pixel lies.

    >>> Inference(scales=(0.5, 1), flip=True, window=400).described()
    'windows of 400, scales 0.5, 1, mirrored too, fp32'
    """

    kind: ClassVar[str] = "inference"

    scales: tuple[Scale, ...] = Field(
        default=(1.0,),
        min_length=1,
        max_length=32,
        strict=False,
        description="Factors that the image is resized by before the network sees it.",
    )
    flip: bool = Field(default=False, description="See the image mirrored too, left to right.")
    window: int | None = Field(
        default=None,
        ge=8,
        le=65536,
        description="Side of the windows that the network is given, in pixels; else whole images.",
    )
    stride: int | None = Field(
        default=None,
        ge=1,
        le=65536,
        description="Pixels of the image from a window to the next; else half of a window.",
    )
    weighting: Literal["uniform", "gaussian"] = Field(
        default="uniform",
        description="What a window's pixels count: all alike, or those in the middle more.",
    )
    batch: int = Field(default=1, ge=1, le=65536, description="Windows on the device at a time.")
    precision: Literal["fp32", "bf16", "auto"] = Field(
        default="fp32",
        description="bf16 computes under autocast, sums stay fp32; auto is bf16 where the device "
        "has instructions for it.",
    )

    @field_validator("scales")
    @classmethod
    def _once(cls, scales: tuple[float, ...]) -> tuple[float, ...]:
        for scale in scales:
            if scales.count(scale) > 1:
                raise ValueError(f"{scale:g} is given twice; remove one")
        return scales

    @model_validator(mode="after")
    def _without_gaps(self) -> Self:
        if self.stride is None:
            return self
        if self.window is None:
            raise ValueError(f"stride {self.stride} is that of windows; set window, or remove it")
        least = self.side(max(self.scales))
        if self.stride > least:
            raise ValueError(
                f"stride {self.stride} leaves gaps between windows of {least} pixels of the image; "
                f"set stride to {least} or less"
            )
        return self

    @property
    def once(self) -> bool:
        """Whether a network sees an image once: whole, at its own size, and not mirrored."""
        return self.window is None and self.scales == (1.0,) and not self.flip

    @checked
    def side(self, scale: float) -> int:
        """Side of a window at a scale, in pixels of the image."""
        assert self.window is not None
        return max(round(self.window / scale), 1)

    def described(self) -> str:
        """What is seen how and in what precision, in a few words."""
        words = ["whole images" if self.window is None else f"windows of {self.window}"]
        if self.weighting != "uniform":
            words.append(f"{self.weighting} weights")
        if self.stride is not None:
            words.append(f"stride {self.stride}")
        if self.scales != (1.0,):
            words.append(f"scales {', '.join(f'{scale:.3g}' for scale in self.scales)}")
        words += ["mirrored too"] if self.flip else []
        return ", ".join([*words, self.precision])

    @checked
    def on(self, device: torch.device) -> Self:
        """The same with the precision that `auto` stands for on a device."""
        if self.precision != "auto":
            return self
        return self.but(precision="bf16" if computes_bf16(device) else "fp32")


WHOLE = Inference()

INFERENCES: dict[str, Inference] = {
    "whole": WHOLE,
    "windows": Inference(window=512, weighting="gaussian"),
    "multiscale": Inference(scales=(0.5, 0.75, 1, 1.25, 1.5, 1.75), flip=True),
    # The authors' code: windows of 400 to 1000 pixels, each resized to 400, as in training, and
    # 300 pixels of the image apart, whatever their side.
    "paper": Inference(
        scales=tuple(400 / side for side in range(400, 1001, 100)),
        flip=True,
        window=400,
        stride=300,
    ),
}


InferenceLike = Annotated[
    Inference | PathLike, "an Inference, the name of one or the path of a YAML file"
]


def as_inference(given: InferenceLike) -> Inference:
    """An inference, or the one of that name or file. Errors: `SpecError`."""
    return given if isinstance(given, Inference) else load_inference(given)


@checked
def load_inference(name: PathLike) -> Inference:
    """The inference called `name`, or that of the YAML file at that path. Errors: `SpecError`."""
    if str(name) in INFERENCES:
        return INFERENCES[str(name)]
    if not is_file(name):
        raise SpecError(unknown("inference or YAML file", str(name), INFERENCES))
    return Inference.load(name)
