"""Recipes: every choice of a training, with its bounds."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from gridgen.arguments import PathLike, checked
from gridgen.data.frequencies import MOST_WEIGHT
from gridgen.errors import SpecError
from gridgen.memory import Setting
from gridgen.memory.setting import RecomputeField
from gridgen.spec import Document, Source
from gridgen.spec.document import Located
from gridgen.spec.network import merged
from gridgen.training.inference import WHOLE, Inference, load_inference
from gridgen.training.recipe.extending import EXTENDS, completed, extended, over, source_of
from gridgen.training.recipe.losses import AnyLosses, CrossEntropy
from gridgen.training.recipe.sections import (
    Adam,
    AnyOptimizer,
    AnySchedule,
    Augmentation,
    Crop,
    Torch7,
    TrainingStep,
)
from gridgen.training.recipe.supernet import Supernet


def _by_name(value: Any) -> Any:
    return load_inference(value) if isinstance(value, str) else value


AnyInference = Annotated[
    Inference, BeforeValidator(_by_name, json_schema_input_type=Inference | str)
]
MOST_WORKERS = 256
PartPattern = Annotated[str, Field(min_length=1)]
Workers = Annotated[int, Field(ge=0, le=MOST_WORKERS)]


def _unless_extended(schema: dict[str, Any]) -> None:
    """Editors miss no field where a recipe extends another, which may have it."""
    crop = {"required": list(Crop.model_fields)}
    schema["if"] = {"required": [EXTENDS]}
    schema["else"] = {"required": schema.pop("required"), "properties": {"crop": crop}}


class Recipe(Document):
    """Optimizer, schedule, crops and precision of one training.

    >>> recipe = Recipe.parse('''
    ... extends: paper
    ... batch: 8
    ... ''')
    >>> recipe.batch, recipe.epochs
    (8, 1900)
    """

    kind: ClassVar[str] = "recipe"
    model_config = ConfigDict(json_schema_extra=_unless_extended)

    extends: str | None = Field(
        default=None,
        exclude=True,
        description="A recipe's name or a YAML file, whose fields hold where this one is silent.",
    )
    epochs: int = Field(ge=1, le=1_000_000, description="Passes over the training images.")
    batch: int = Field(ge=1, le=65536, description="Images per step, over all devices together.")
    learning_rate: float = Field(gt=0, description="The base that the schedule goes out from.")
    optimizer: AnyOptimizer = Field(default=Adam(), description="What updates the weights.")
    schedule: AnySchedule = Field(default=Torch7(), description="The learning rate over time.")
    clip_norm: float | None = Field(
        default=None, gt=0, description="Greatest norm of all gradients together."
    )
    loss: AnyLosses | None = Field(
        default=None,
        description="A loss, or a list of which the weighted sum is minimized; else the task's.",
    )
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="Share of a label given to all classes alike."
    )
    class_weights: Literal["none", "root-frequency", "median-frequency"] = Field(
        default="none",
        description="Of the loss, counted on the training labels: median / frequency of a class, "
        "or its square root.",
    )
    class_weight_cap: float = Field(
        default=MOST_WEIGHT, gt=0, description="What a class weighs at most, however rare it is."
    )
    ema: float | None = Field(
        default=None, gt=0, lt=1, description="Decay of the averaged weights that are scored."
    )
    crop: Crop = Field(description="What the network sees of a training image.")
    flip: bool = Field(default=True, description="Mirror every other image, left to right.")
    augmentation: Augmentation | None = Field(
        default=None, description="Further changes of the images; needs kornia."
    )
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32", description="bf16 computes under autocast; weights stay fp32."
    )
    channels_last: bool = Field(default=True, description="Memory format of maps and weights.")
    compile: bool = Field(default=False, description="Use torch.compile.")
    recompute: RecomputeField = "none"
    freeze: tuple[PartPattern, ...] = Field(
        default=(),
        strict=False,
        description="Parts whose weights stay as they are: stem, head, sub_1_0, lateral_0_*.",
    )
    supernet: Annotated[Supernet | None, Located] = Field(
        default=None, description="Sub-networks that are trained too, with the same weights."
    )
    inference: AnyInference = Field(
        default=WHOLE, description="How images are scored and predicted, unless told otherwise."
    )
    validate_every: int = Field(
        default=1, ge=1, description="Epochs from one validation to the next."
    )
    checkpoint_minutes: float = Field(
        default=10.0, gt=0, description="Longest time that a kill can cost."
    )
    workers: Workers | Literal["auto"] = Field(
        default="auto", description="Processes that load images; auto is what the machine has."
    )

    @model_validator(mode="before")
    @classmethod
    def _extended(cls, fields: Any) -> Any:
        return completed(fields)

    @field_validator("workers", mode="before")
    @classmethod
    def _number_or_auto(cls, workers: Any) -> Any:
        # pydantic would report a fault of each member of the union; one sentence is enough.
        if isinstance(workers, str) and workers != "auto":
            raise ValueError(f"{workers!r} is neither a whole number nor auto")
        if isinstance(workers, int) and not 0 <= workers <= MOST_WORKERS:
            raise ValueError(f"{workers} is not 0 to {MOST_WORKERS}, or auto")
        return workers

    @classmethod
    @checked
    def from_source(cls, source: Source) -> Self:
        """Validate the data of `source`; a path that it extends is one beside the file."""
        return super().from_source(extended(source))

    @classmethod
    def _refusal(cls, error: ValidationError, fields: dict[str, Any]) -> SpecError:
        return super()._refusal(error, completed(fields))

    @model_validator(mode="after")
    def _rises_before_it_ends(self) -> Self:
        warmup = getattr(self.schedule, "warmup", 0.0)
        if warmup >= self.epochs:
            fact = f"{self.epochs}, but schedule.warmup is {warmup:g} epochs"
            raise SpecError(f"{fact}; set schedule: {{warmup: 0}}, or more epochs", ("epochs",))
        return self

    @model_validator(mode="after")
    def _supernet_fits(self) -> Self:
        if self.supernet is None:
            return self
        if self.compile:
            fact = "true compiles one network, but a supernet runs several in a step"
            raise SpecError(f"{fact}; set compile: false", ("compile",))
        if self.freeze:
            fact = "a supernet trains all of its parts"
            raise SpecError(f"{fact}; leave freeze out", ("freeze",))
        return self

    @property
    def shaped_until(self) -> float:
        """The epoch up to which the schedule warms up or drops: fewer would not be this recipe."""
        drops = [drop.epoch for drop in getattr(self.schedule, "drops", ())]
        return float(max(getattr(self.schedule, "warmup", 0.0), *drops, 0))

    @checked
    def rate(self, step: TrainingStep) -> float:
        """The learning rate of a step."""
        return self.schedule.rate(self.learning_rate, step)


@checked
def load_recipe(name: Annotated[PathLike, "a name or a path"], **fields: Any) -> Recipe:
    """The recipe called `name` that comes with gridgen, or of that YAML file; `fields` replaced,
    of sections those that are given.

    >>> load_recipe("paper", epochs=3).learning_rate
    0.01

    Errors: `SpecError`.
    """
    recipe = Recipe.from_source(source_of(name))
    return changed_recipe(recipe, fields) if fields else recipe


def changed_recipe(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """`recipe` with fields replaced; `optimizer.momentum` reaches into a section, whose other
    fields stay unless it becomes one of another kind.

    >>> changed = changed_recipe(load_recipe("demo"), {"epochs": 3, "optimizer.name": "sgd"})
    >>> changed.epochs, changed.optimizer.name
    (3, 'sgd')

    Errors: `SpecError`.
    """
    own = merged({}, settings)
    fields = over(recipe.plain(), own)
    return recipe.but(**{name: fields[name] for name in own})


def setting_of(recipe: Recipe) -> Setting:
    """The setting in which memory is counted for a step of `recipe` on one device.

    >>> from gridgen.training.recipe import load_recipe
    >>> setting_of(load_recipe("modern")).averaged
    True
    """
    return Setting(
        batch=recipe.batch,
        precision=recipe.precision,
        optimizer=recipe.optimizer.name,
        averaged=recipe.ema is not None,
        recompute=recipe.recompute,
        loss=tuple(loss.name for loss in recipe.loss or [CrossEntropy()]),
        smoothed=recipe.label_smoothing > 0,
    )
