"""Recipes: how a network is trained, as a YAML file. Says nothing of the network or the data."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from gridgen.analysis.memory.setting import Recompute
from gridgen.errors import SpecError, unknown
from gridgen.spec import Document, Source

RECIPES = {
    "paper": "section 4: Adam with Torch7's decay, crops of 400 to 1024 pixels, 1900 epochs",
    "demo": "small crops, Adam, a minute or two on a CPU; for nuclei",
    "denoising": "crops that are never resized, a minute or two on a CPU; for denoising",
    "shapes": "whole pictures of 64x64, some minutes on a CPU; for shapes",
}


Beta = Annotated[float, Field(ge=0, lt=1)]


class Crop(Document):
    """Random squares cut from the training images, resized to one size (section 4)."""

    smallest: int = Field(ge=1, le=16384, description="Least side of the square, in pixels.")
    largest: int = Field(ge=1, le=16384, description="Greatest side of the square, in pixels.")
    size: int = Field(ge=1, le=16384, description="Side that the network is given, in pixels.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError(f"smallest {self.smallest} is more than largest {self.largest}")
        return self


class Drop(Document):
    """From `epoch` on, the base learning rate is `learning_rate`."""

    epoch: int = Field(ge=0)
    learning_rate: float = Field(gt=0)


class Recipe(Document):
    """Optimizer, schedule, crops and precision of one training.

    >>> load_recipe("paper").learning_rate
    0.01
    """

    kind: ClassVar[str] = "recipe"

    epochs: int = Field(ge=1, le=1_000_000, description="Passes over the training images.")
    batch: int = Field(ge=1, le=65536, description="Images per step, over all devices together.")
    learning_rate: float = Field(gt=0, description="Adam's base learning rate.")
    betas: tuple[Beta, Beta] = Field(default=(0.9, 0.999), strict=False)
    epsilon: float = Field(default=1e-8, gt=0)
    decay: float = Field(
        default=0.0,
        ge=0,
        description="Torch7's decay: base / (1 + iteration * decay). Not weight decay.",
    )
    drops: tuple[Drop, ...] = Field(
        default=(), strict=False, description="Changes of the base learning rate, by epoch."
    )
    crop: Crop = Field(description="What the network sees of a training image.")
    flip: bool = Field(default=True, description="Mirror every other image, left to right.")
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32", description="bf16 computes under autocast; weights stay fp32."
    )
    channels_last: bool = Field(default=True, description="Memory format of maps and weights.")
    compile: bool = Field(default=False, description="Use torch.compile.")
    recompute: Recompute = "none"
    validate_every: int = Field(
        default=1, ge=1, description="Epochs from one validation to the next."
    )
    workers: int = Field(default=0, ge=0, le=256, description="Processes that load images.")

    @field_validator("drops")
    @classmethod
    def _in_order(cls, drops: tuple[Drop, ...]) -> tuple[Drop, ...]:
        epochs = [drop.epoch for drop in drops]
        if epochs != sorted(set(epochs)):
            raise ValueError(f"epochs {epochs} do not rise; put the drops in order")
        return drops


def load_recipe(name: str | Path) -> Recipe:
    """The recipe called `name` that comes with gridgen, or the YAML file at that path.

    Errors: `SpecError`.
    """
    if str(name) in RECIPES:
        text = files("gridgen.training").joinpath("recipes", f"{name}.yaml").read_text("utf-8")
        return Recipe.from_source(Source.parse(text, f"recipe {name}"))
    if not Path(name).is_file():
        raise SpecError(
            f"{unknown('recipe', str(name), RECIPES)}; the path of a YAML file works too"
        )
    return Recipe.load(name)


def learning_rate(recipe: Recipe, step: int, epoch: int) -> float:
    """Torch7's Adam: base / (1 + t * decay), t counted in iterations from 0 (authors' code)."""
    base = recipe.learning_rate
    for drop in recipe.drops:
        if epoch >= drop.epoch:
            base = drop.learning_rate
    return base / (1 + step * recipe.decay)
