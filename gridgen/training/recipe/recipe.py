"""The recipe itself: every choice of a training, with its bounds."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gridgen.errors import SpecError
from gridgen.memory.setting import Recompute
from gridgen.spec import Document, Source
from gridgen.training.inference.inference import WHOLE, Inference, load_inference
from gridgen.training.recipe.crop import Augmentation, Crop
from gridgen.training.recipe.extends import completed, located
from gridgen.training.recipe.optimizer import Adam, AnyOptimizer
from gridgen.training.recipe.schedule import AnySchedule, Moment, Torch7


def _by_name(value: Any) -> Any:
    return load_inference(value) if isinstance(value, str) else value


AnyInference = Annotated[Inference, BeforeValidator(_by_name)]
MOST_WORKERS = 256
Workers = Annotated[int, Field(ge=0, le=MOST_WORKERS)]


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
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="Share of a label given to all classes alike."
    )
    class_weights: Literal["none", "root-frequency", "median-frequency"] = Field(
        default="none",
        description="Of the loss, counted on the training labels: median / frequency of a class, "
        "or its square root.",
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
    recompute: Recompute = "none"
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
        if isinstance(workers, str) and workers != "auto":
            raise ValueError(f"{workers!r} is neither a whole number nor auto")
        if isinstance(workers, int) and not 0 <= workers <= MOST_WORKERS:
            raise ValueError(f"{workers} is not 0 to {MOST_WORKERS}, or auto")
        return workers

    @classmethod
    def from_source(cls, source: Source) -> Self:
        """Validate the data of `source`; a path that it extends is one beside the file."""
        return super().from_source(located(source))

    @model_validator(mode="after")
    def _rises_before_it_ends(self) -> Self:
        warmup = getattr(self.schedule, "warmup", 0.0)
        if warmup >= self.epochs:
            fact = f"{self.epochs}, but schedule.warmup is {warmup:g} epochs"
            raise SpecError(f"{fact}; set schedule: {{warmup: 0}}, or more epochs", ("epochs",))
        return self

    def rate(self, moment: Moment) -> float:
        """The learning rate of a step."""
        return self.schedule.rate(self.learning_rate, moment)
