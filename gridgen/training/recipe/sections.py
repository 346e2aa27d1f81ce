"""The sections of a recipe: crop, augmentation, optimizer, schedule.

Add an optimizer as a class, a line in `OPTIMIZERS`, and a case in `loop/learner.py`; a schedule
as a class and a line in `SCHEDULES`. Losses are in `losses.py`.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self, Union

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    field_validator,
    model_validator,
)

from gridgen.spec import Document


class Section(Document):
    """A part of a recipe of which there are several kinds, told apart by `name`."""

    name: str

    def model_post_init(self, context: Any) -> None:
        """The name counts as set, so that a kind chosen in Python is written and copied."""
        super().model_post_init(context)
        self.model_fields_set.add("name")


def spelt_out(value: Any) -> Any:
    """A section with the field `name`, where it is a name alone."""
    return {"name": value} if isinstance(value, str) else value


def one_of(kinds: Sequence[type[Section]], otherwise: str) -> Any:
    """The type of a section that is one of `kinds`, told apart by `name`.

    A name alone stands for a section of that kind, and one without a name is `otherwise`.
    """

    def named(value: Any) -> Any:
        section = spelt_out(value)
        unnamed = isinstance(section, dict) and section.get("name") is None
        return {**section, "name": otherwise} if unnamed else section

    names = tuple(kind.model_fields["name"].default for kind in kinds)
    either: Any = Union[tuple(kinds)]  # noqa: UP007 - `|` cannot join what only a table knows
    # Editors cannot tell the kinds of a section without a name apart: any of them will do.
    written = either | Literal[names]
    reader = BeforeValidator(named, json_schema_input_type=written)
    return Annotated[either, Discriminator("name"), reader]


SideLength = Annotated[int, Field(ge=1, le=16384)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Crop(Document):
    """Random squares cut from the training images, resized to one size (section 4)."""

    # What is required is said by the recipe, as one that is extended may have some of it.
    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required"))

    smallest: SideLength = Field(description="Least side of the square, in pixels.")
    largest: SideLength = Field(description="Greatest side of the square, in pixels.")
    # Of two lower bounds pydantic would keep that of SideLength.
    size: int = Field(ge=8, le=16384, description="Side that the network is given, in pixels.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError(f"smallest {self.smallest} is more than largest {self.largest}")
        return self


class Augmentation(Document):
    """Changes drawn anew for every image of a batch, on the device that trains.

    In this order; each image gets its own. Colours and blur need kornia (the extra `augment`).
    Brightness and contrast are of grey and RGB images, saturation and hue of RGB alone.
    """

    rotation: float = Field(
        default=0.0,
        ge=0,
        le=180,
        description="Turn by -r to r degrees; what comes in from outside is left out of the loss.",
    )
    brightness: Fraction = Field(default=0.0, description="Values times 1 - b to 1 + b.")
    contrast: Fraction = Field(
        default=0.0, description="Distance from the image's mean grey times 1 - c to 1 + c."
    )
    saturation: Fraction = Field(
        default=0.0, description="Distance from each pixel's grey times 1 - s to 1 + s."
    )
    hue: float = Field(default=0.0, ge=0, le=0.5, description="Turn from -h to h, 1 a full one.")
    blur: Fraction = Field(
        default=0.0, description="Probability of a Gaussian blur of 0.1 to 2 pixels."
    )
    noise: Fraction = Field(default=0.0, description="Standard deviation of Gaussian noise.")


Beta = Annotated[float, Field(ge=0, lt=1)]
# Documents are strict, and YAML has lists where these are tuples.
Betas = Annotated[tuple[Beta, Beta], Field(strict=False)]
Epsilon = Annotated[float, Field(gt=0)]
WeightDecay = Annotated[
    float, Field(ge=0, description="Of convolutions' weights; biases and BN are left alone.")
]


class Adam(Section):
    """Adam without weight decay (Kingma & Ba, ICLR 2015), as the paper uses it."""

    name: Literal["adam"] = "adam"
    betas: Betas = (0.9, 0.999)
    epsilon: Epsilon = 1e-8


class AdamW(Section):
    """Adam with decoupled weight decay (Loshchilov & Hutter, ICLR 2019)."""

    name: Literal["adamw"] = "adamw"
    betas: Betas = (0.9, 0.999)
    epsilon: Epsilon = 1e-8
    weight_decay: WeightDecay = 0.01


class Sgd(Section):
    """Stochastic gradient descent with momentum (Sutskever et al., ICML 2013)."""

    name: Literal["sgd"] = "sgd"
    momentum: Annotated[float, Field(gt=0, lt=1)] = 0.9
    nesterov: bool = True
    weight_decay: WeightDecay = 1e-4


OPTIMIZERS: dict[str, type[Section]] = {"adam": Adam, "adamw": AdamW, "sgd": Sgd}
if TYPE_CHECKING:
    AnyOptimizer = Adam | AdamW | Sgd
else:
    AnyOptimizer = one_of(tuple(OPTIMIZERS.values()), "adam")


class TrainingStep(NamedTuple):
    """Number of a training step, from 0, and how many steps there are."""

    number: int
    per_epoch: int
    epochs: int

    @property
    def epoch(self) -> int:
        """The epoch that the step belongs to, from 0."""
        return self.number // self.per_epoch

    @property
    def total(self) -> int:
        """Steps of the whole training."""
        return self.per_epoch * self.epochs


class Drop(Document):
    """From `epoch` on, the base learning rate is `learning_rate`."""

    epoch: int = Field(ge=0)
    learning_rate: float = Field(gt=0)


class Torch7(Section):
    """base / (1 + t * decay), t counted in iterations from 0: the decay of Torch7's Adam, not
    weight decay. From an epoch on the base may be another. Without both it is constant.

    >>> paper = Torch7(decay=5e-6, drops=[Drop(epoch=800, learning_rate=0.001)])
    >>> steps = [TrainingStep(number, 750, 1900) for number in (0, 599_999, 600_000)]
    >>> [float(f"{paper.rate(0.01, step):.3g}") for step in steps]
    [0.01, 0.0025, 0.00025]
    """

    name: Literal["torch7"] = "torch7"
    decay: float = Field(default=0.0, ge=0, description="Per iteration.")
    drops: tuple[Drop, ...] = Field(
        default=(), strict=False, description="Changes of the base learning rate, by epoch."
    )

    @field_validator("drops")
    @classmethod
    def _in_order(cls, drops: tuple[Drop, ...]) -> tuple[Drop, ...]:
        epochs = [drop.epoch for drop in drops]
        if epochs != sorted(set(epochs)):
            raise ValueError(f"epochs {epochs} do not rise; put the drops in order")
        return drops

    def rate(self, base: float, step: TrainingStep) -> float:
        """The learning rate of a step."""
        for drop in self.drops:
            if step.epoch >= drop.epoch:
                base = drop.learning_rate
        return base / (1 + step.number * self.decay)


class Warmed(Section):
    """A schedule that rises linearly for `warmup` epochs, then falls until the last step."""

    warmup: float = Field(default=0.0, ge=0, description="Epochs of linear rise.")

    def rate(self, base: float, step: TrainingStep) -> float:
        """The learning rate of a step."""
        rising = min(round(self.warmup * step.per_epoch), step.total - 1)
        if step.number < rising:
            return base * (step.number + 1) / (rising + 1)
        return base * self.fall((step.number - rising) / (step.total - rising))

    def fall(self, done: float) -> float:
        """The factor once `done`, from 0 to 1, of the steps after the rise have been made."""
        raise NotImplementedError


class Poly(Warmed):
    """(1 - done) ** power, as in DeepLab (Chen et al., TPAMI 2018, section 4.1)."""

    name: Literal["poly"] = "poly"
    power: float = Field(default=0.9, gt=0)

    def fall(self, done: float) -> float:
        """The factor."""
        return float((1 - done) ** self.power)


class Cosine(Warmed):
    """Half a cosine from 1 to `floor` (Loshchilov & Hutter, ICLR 2017, without restarts)."""

    name: Literal["cosine"] = "cosine"
    floor: float = Field(default=0.0, ge=0, lt=1, description="Share of the base at the end.")

    def fall(self, done: float) -> float:
        """The factor."""
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * done)) / 2


SCHEDULES: dict[str, type[Section]] = {"torch7": Torch7, "poly": Poly, "cosine": Cosine}
if TYPE_CHECKING:
    AnySchedule = Torch7 | Poly | Cosine
else:
    AnySchedule = one_of(tuple(SCHEDULES.values()), "torch7")
