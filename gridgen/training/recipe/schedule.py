"""Learning rates over a training. Add a schedule as a class and a line in `AnySchedule`."""

import math
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, Tag, field_validator

from gridgen.spec import Document
from gridgen.training.recipe.sections import SHORT_FORM, by_name


class Moment(NamedTuple):
    """A step of a training, counted from 0, and how many there are."""

    step: int
    per_epoch: int
    epochs: int

    @property
    def epoch(self) -> int:
        """The epoch that the step belongs to, from 0."""
        return self.step // self.per_epoch

    @property
    def total(self) -> int:
        """Steps of the whole training."""
        return self.per_epoch * self.epochs


class Drop(Document):
    """From `epoch` on, the base learning rate is `learning_rate`."""

    epoch: int = Field(ge=0)
    learning_rate: float = Field(gt=0)


class Torch7(Document):
    """base / (1 + t * decay), t counted in iterations from 0: the decay of Torch7's Adam, not
    weight decay. From an epoch on the base may be another. Without both it is constant.

    >>> paper = Torch7(decay=5e-6, drops=[Drop(epoch=800, learning_rate=0.001)])
    >>> [float(f"{paper.rate(0.01, Moment(t, 750, 1900)):.3g}") for t in (0, 599_999, 600_000)]
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

    def rate(self, base: float, moment: Moment) -> float:
        """The learning rate of a step."""
        for drop in self.drops:
            if moment.epoch >= drop.epoch:
                base = drop.learning_rate
        return base / (1 + moment.step * self.decay)


class Warmed(Document):
    """A schedule that rises linearly for `warmup` epochs, then falls until the last step."""

    warmup: float = Field(default=0.0, ge=0, description="Epochs of linear rise.")

    def rate(self, base: float, moment: Moment) -> float:
        """The learning rate of a step."""
        rising = min(round(self.warmup * moment.per_epoch), moment.total - 1)
        if moment.step < rising:
            return base * (moment.step + 1) / (rising + 1)
        return base * self.fall((moment.step - rising) / (moment.total - rising))

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


AnySchedule = Annotated[
    Annotated[Torch7, Tag("torch7")]
    | Annotated[Poly, Tag("poly")]
    | Annotated[Cosine, Tag("cosine")],
    by_name("torch7"),
    SHORT_FORM,
]
