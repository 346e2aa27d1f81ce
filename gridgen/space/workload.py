"""What costs depend on beside the network: image, batch, precision, optimizer, and formulas."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, TypedDict

from pydantic import BeforeValidator, Field, WithJsonSchema

from gridgen.analysis.sizes import DEFAULT_SIZES, MAX_SIDE, larger_size, read_size, smaller_size
from gridgen.errors import SizeError
from gridgen.grid.tracing import Size
from gridgen.memory.setting import (
    LossField,
    OptimizerField,
    PrecisionField,
    RecomputeField,
    Setting,
)
from gridgen.spec import Document, NetworkSpec

ImageSide = Annotated[int, Field(ge=1, le=MAX_SIDE)]


def _sides(value: Any) -> Any:
    """The numbers of `HEIGHTxWIDTH`; other values are left to pydantic's own check."""
    try:
        return read_size(value) if isinstance(value, str) else value
    except SizeError as error:
        raise ValueError(str(error)) from error


_SIDE = {"type": "integer", "minimum": 1, "maximum": MAX_SIDE}
_LIST = {"type": "array", "items": _SIDE, "minItems": 1, "maxItems": 3}
_TEXT = {"type": "string", "pattern": "^[0-9]+(x[0-9]+){0,2}$"}

Image = Annotated[
    # YAML has lists, which a strict tuple refuses.
    Annotated[tuple[ImageSide, ...], Field(strict=False, min_length=1, max_length=3)],
    BeforeValidator(_sides),
    WithJsonSchema({"anyOf": [_LIST, _TEXT]}),
]
"""Height and width, such as [360, 480] or 360x480; as many sides as the spec has dimensions."""


class AcceptedCosts(TypedDict, total=False):
    """What is accepted for the fields of a workload and for costs, of which each field holds one
    form. A type checker reads it.
    """

    size: Sequence[int] | str | None
    crop: int | None
    batch: int | None
    precision: str | None
    optimizer: str | None
    averaged: bool | None
    recompute: str | None
    loss: Sequence[str] | None
    smoothed: bool | None
    bound: str
    parameters: int | str | None
    activations: int | str | None
    macs: int | str | None
    training_memory: int | str | None
    inference_memory: int | str | None


class Workload(Document):
    """Image, batch and training setting that costs are counted for; None stands for a default.

    >>> Workload(size="30x40", batch=4).setting.batch
    4
    """

    kind: ClassVar[str] = "workload"

    size: Image | None = Field(
        default=None,
        description="Height and width of the image that activations, macs and memory are counted "
        "for, as the spec's size policy changes it, or rounded up where a candidate cannot take "
        "it; 400x400, rounded up, where it is not given.",
    )
    crop: ImageSide | None = Field(
        default=None,
        description="Side of the square that a step of training is given, for training_memory; "
        "where it is not given: size, or if that is not given either the crop of a study's recipe.",
    )
    batch: int | None = Field(
        default=None,
        ge=1,
        le=65536,
        description="Images at once, for memory; the others count one. A study's recipe says it "
        "where it is not given, and otherwise it is 1.",
    )
    precision: PrecisionField | None = Field(
        default=None, description="The recipe's in a study where it is not given, else fp32."
    )
    optimizer: OptimizerField | None = Field(
        default=None, description="The recipe's in a study where it is not given, else adam."
    )
    averaged: bool | None = Field(
        default=None,
        description="Whether averaged weights are kept too; as the recipe does in a study where it "
        "is not given, else not.",
    )
    recompute: RecomputeField | None = Field(
        default=None, description="The recipe's in a study where it is not given, else none."
    )
    loss: LossField | None = Field(
        default=None,
        description="Losses that are added up, for training_memory; the recipe's in a study where "
        "they are not given, else cross-entropy.",
    )
    smoothed: bool | None = Field(
        default=None,
        description="Whether labels are smoothed; as the recipe does in a study where it is not "
        "given, else not.",
    )
    bound: Literal["exact", "paper"] = Field(
        default="exact",
        description="Compare exact counts, or the paper's approximations (section 3.2), which "
        "know no topology and are about a quarter too low for parameters.",
    )

    def asked(self, dimensions: int) -> Size:
        """Size of the image before any size policy changes it."""
        return self.size or DEFAULT_SIZES[dimensions]

    def image(self, spec: NetworkSpec) -> Size:
        """`size`, or, where `spec` takes no such image, the smallest legal one that holds it."""
        return _taken(spec, self.asked(spec.dimensions), self.size is None)

    def step(self, spec: NetworkSpec) -> Size:
        """The same for the image of a step of training."""
        return (
            self.image(spec) if self.crop is None else _taken(spec, (self.crop,) * spec.dimensions)
        )

    @property
    def setting(self) -> Setting:
        """Training setting on which memory depends."""
        said = {name: getattr(self, name) for name in Setting.model_fields if hasattr(self, name)}
        given = {name: value for name, value in said.items() if value is not None}
        return Setting(**given)


def _taken(spec: NetworkSpec, size: Size, rounded: bool = False) -> Size:
    """`size` where the spec's policy accepts it, else a legal size; counting applies the policy."""
    small = spec.size == "crop" and smaller_size(spec, size) is None
    return larger_size(spec, size) if rounded or small or spec.size == "error" else size
