"""What every task offers: a loss, statistics that add up to a score, and pictures.

No task of its own: those have one file each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from PIL import Image
from torch import Tensor

from gridgen.data import Dataset, Sample
from gridgen.progress import OnProgress
from gridgen.training.recipe.recipe import Recipe
from gridgen.training.tasks.pixels import Colours, Pixels
from gridgen.training.tasks.table import ScoreTable


@dataclass(frozen=True)
class Metric:
    """The number that a training is judged by; higher is better.

    `most` is its greatest value, where there is one.
    """

    name: str
    title: str
    digits: int
    unit: str = ""
    most: float | None = None

    @property
    def train(self) -> str:
        """Column of metrics.csv with the metric on what was trained on."""
        return column("train", self.name)

    @property
    def val(self) -> str:
        """Column of metrics.csv with the metric on val, by which the best weights are chosen."""
        return column(VAL, self.name)

    @property
    def holdout(self) -> str:
        """Column with the metric on images of train that were held out.

        If any are, the best weights are chosen by it.
        """
        return column(HOLDOUT, self.name)

    def shown(self, value: float, sign: str = "") -> str:
        """`value` as a report shows it; `sign` + shows that of positive values too."""
        return f"{value:{sign}.{self.digits}f}{self.unit}"

    def brief(self, value: float) -> str:
        """`value` as a line of progress shows it, with one digit less."""
        return f"{value:.{self.digits - 1}f}{self.unit}"


class Score(Protocol):
    """How well a split was predicted."""

    @property
    def value(self) -> float:
        """The metric."""

    def numbers(self) -> dict[str, float]:
        """The numbers that metrics.csv holds of a split, the metric first."""

    def as_json(self) -> dict[str, Any]:
        """The score as plain numbers."""

    def rows(self) -> list[tuple[str, str]]:
        """Label and value of each line of a report."""


@runtime_checkable
class Task(Protocol):
    """Everything that depends on what a network is trained for.

    Predictions are (N, K, H, W). A label is what `Sample` says; an answer is a label that the
    network gives. The class attributes are words and facts for reports, files and pictures.
    """

    name: ClassVar[str]
    metric: ClassVar[Metric]
    numbers: ClassVar[Mapping[str, str]]
    """Titles of a score's numbers by their names, the metric's first."""
    losses: ClassVar[tuple[str, ...]]
    """Names of the losses that can compare its labels; the first where a recipe names none."""
    resizable: ClassVar[bool]
    """True where a crop of an image may be resized, and its label with it."""
    label_resampling: ClassVar[Image.Resampling]
    """The filter by which a picture of a label is made smaller."""
    baseline: ClassVar[str]
    """The prediction that needs no network, in a few words."""
    ending: ClassVar[str]
    """End of the name of a file that holds an answer."""
    answer_title: ClassVar[str]
    faults_title: ClassVar[str]
    pictures_note: ClassVar[str]
    """Sentences below the pictures of an evaluation: their order, and how faults are drawn."""

    @property
    def classes(self) -> Sequence[str]:
        """Names of what the colours of a picture mean, if anything."""

    @property
    def colours(self) -> Colours:
        """Red, green and blue in 0..255 of each class."""

    @classmethod
    def of(cls, classes: Sequence[str], colours: Colours) -> Self:
        """The task on data with these classes and their colours; none where labels are images."""

    def outputs(self, dataset: Dataset) -> int:
        """K, the channels of a prediction, which the spec calls `classes`."""

    def require(self, recipe: Recipe, dataset: Dataset) -> None:
        """Refuse a recipe that cannot train this task on `dataset`: `SpecError`, `DataError`."""

    def require_label(self, sample: Sample) -> None:
        """Refuse a label that is none of this task's, or does not fit the image: `DataError`."""

    def with_loss(self, recipe: Recipe, weights: Sequence[float] | None) -> Self:
        """The task with the loss of a recipe; `weights` are those of the classes, if it asks."""

    def loss(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """The scalar that training minimizes."""

    def no_statistics(self) -> Tensor:
        """The statistics of no image, to which others are added."""

    def statistics(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """Additive statistics of a batch from which the score is computed."""

    def score(self, statistics: Tensor) -> Score:
        """The score of all images whose statistics were added up."""

    def tables(self, statistics: Tensor) -> Mapping[str, ScoreTable]:
        """What a score does not say, by the names of files: as class by class, if it has any."""

    def score_baseline(
        self, data: str, dataset: Dataset, held_out: str | None, on_progress: OnProgress
    ) -> Score | None:
        """Score a prediction of the split `dataset` of `data` without a network, if there is one.

        Images of train whose names match `held_out` are not learned from. `on_progress` is
        called for each image that is read.
        """

    def answer(self, prediction: Tensor) -> Tensor:
        """The label that the network gives one image, on the CPU: (1, K, H, W) -> a label."""

    def masked(self, answer: Tensor, label: Tensor) -> Tensor:
        """An answer without what its label leaves out of the score, to be shown beside it."""

    def pixels(self, label: Tensor) -> Pixels:
        """A label or an answer as a picture, (H, W, 3)."""

    def faults(self, image: Pixels, label: Tensor, answer: Tensor) -> Pixels:
        """A picture of where and how much the answer for `image` is wrong, (H, W, 3)."""

    def legend(self, labels: Sequence[Tensor]) -> tuple[Sequence[str], Colours]:
        """Names and colours below pictures of `labels`."""

    def encode(self, answer: Tensor) -> bytes:
        """An answer as a PNG file whose pixels are its values."""


VAL, HOLDOUT = "val", "holdout"
"""The split by which a training is judged, and the images of train that were held out."""


def column(split: str, number: str) -> str:
    """The column of metrics.csv that holds a number of the score on a split."""
    return f"{split}_{number}"


def columns(task: Task, splits: Sequence[str] = (VAL,)) -> tuple[str, ...]:
    """Columns of metrics.csv, after those that every training has, where `splits` are scored."""
    scored = (column(split, number) for split in splits for number in task.numbers)
    return (task.metric.train, *scored)
