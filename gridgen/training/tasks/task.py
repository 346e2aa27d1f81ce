"""The interface of a task: what a network is trained for, how it is scored, and how it is shown.

Here are no tasks; each has a file of its own.
"""

from collections.abc import Callable, Mapping, Sequence
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
    """The number by which a network is judged; higher is better.

    Attributes:
        name: in names of columns, such as `iou` in `val_iou`.
        title: in reports.
        digits: digits after the decimal point in reports.
        unit: follows the number in reports, such as ` dB`.
        most: the greatest value that it can have, if there is one.
    """

    name: str
    title: str
    digits: int
    unit: str = ""
    most: float | None = None

    @property
    def train(self) -> str:
        """The column of metrics.csv with the metric on the images that were trained on."""
        return column("train", self.name)

    @property
    def val(self) -> str:
        """The column of metrics.csv with the metric on val; the best weights are chosen by it."""
        return column(VAL, self.name)

    @property
    def holdout(self) -> str:
        """The column of metrics.csv with the metric on the images of train that are held out.

        Where there are any, the best weights are chosen by it instead of by val.
        """
        return column(HOLDOUT, self.name)

    def shown(self, value: float, sign: str = "") -> str:
        """`value` as a report shows it. With `sign` "+", positive values have a plus sign."""
        return f"{value:{sign}.{self.digits}f}{self.unit}"

    def brief(self, value: float) -> str:
        """`value` as a line of progress shows it: with one digit less than a report."""
        return f"{value:.{self.digits - 1}f}{self.unit}"


@runtime_checkable
class Score(Protocol):
    """How well the images of a split, or one image, were predicted."""

    @property
    def value(self) -> float:
        """The value of the task's metric."""

    def numbers(self) -> dict[str, float]:
        """The numbers that metrics.csv holds for a split, by name; the metric comes first."""

    def by_class(self) -> dict[str, float]:
        """The metric of each class, nan where it has none; empty for a task without classes."""

    def as_json(self) -> dict[str, Any]:
        """All numbers of the score, as JSON types."""

    def rows(self) -> list[tuple[str, str]]:
        """The lines of a report: a label and a value in words for each."""


@runtime_checkable
class Task(Protocol):
    """Everything that depends on what a network is trained for.

    A prediction is what the network computes for a batch, (N, K, H, W). A label is what a dataset
    says of an image (`Sample.label`). An answer is the label that the network gives an image; it
    is made from a prediction. The class attributes are facts and words for reports, files and
    pictures.
    """

    name: ClassVar[str]
    metric: ClassVar[Metric]
    numbers: ClassVar[Mapping[str, str]]
    """Name and title of each of a score's `numbers`, in the same order."""
    losses: ClassVar[tuple[str, ...]]
    """Names of the losses that suit its labels. The first is used where a recipe names none."""
    resizable: ClassVar[bool]
    """Whether a crop may be resized, together with its label."""
    label_resampling: ClassVar[Image.Resampling]
    """The filter of Pillow with which a picture of a label is made smaller."""
    baseline: ClassVar[str]
    """What `score_baseline` predicts without a network, in a few words."""
    ending: ClassVar[str]
    """End of the name of a file with an answer: `image_labels.png` ends in `labels`."""
    answer_title: ClassVar[str]
    """Title above pictures of answers."""
    faults_title: ClassVar[str]
    """Title above pictures of `faults`."""
    pictures_note: ClassVar[str]
    """Sentences below the pictures of an evaluation: their order, and how faults look."""

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes, which are what the colours of a picture mean; empty without any."""

    @property
    def colours(self) -> Colours:
        """The colour of each class: red, green and blue in 0..255."""

    @classmethod
    def of(cls, classes: Sequence[str], colours: Colours) -> Self:
        """The task for data with these classes and colours; both are empty if labels are images."""

    def outputs(self, dataset: Dataset) -> int:
        """K, the number of channels of a prediction, which a spec calls `classes`."""

    def require(self, recipe: Recipe, dataset: Dataset) -> None:
        """Refuse a recipe that cannot train this task on `dataset`.

        Errors: `SpecError`, `DataError`.
        """

    def require_label(self, sample: Sample) -> None:
        """Refuse a label that is none of this task's, or does not fit the image: `DataError`."""

    def with_loss(self, recipe: Recipe, weights: Sequence[float] | None) -> Self:
        """The task with the losses that a recipe asks for.

        `weights` are how much each class counts, where the recipe asks for class weights.
        """

    def loss(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """The scalar that training minimizes, for a prediction and its labels."""

    def distance(self, prediction: Tensor, teacher: Tensor) -> Tensor:
        """The scalar by which a network is taught by what another one, `teacher`, predicts.

        It is least where both are equal, and no gradient goes to the teacher.
        """

    def no_statistics(self) -> Tensor:
        """The statistics of no image at all, to which those of batches are added."""

    def statistics(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """What is kept of a batch to score it: a tensor; those of several batches are added up."""

    def score(self, statistics: Tensor) -> Score:
        """The score of all images whose statistics were added up in `statistics`."""

    def tables(self, statistics: Tensor) -> Mapping[str, ScoreTable]:
        """Tables that say more than the score, by file name: each class by itself, for example."""

    def remarks(self, statistics: Tensor, split: str) -> list[str]:
        """What is odd about the answers or the labels of a split, a line each."""

    def score_baseline(
        self, train: Callable[[], Dataset], dataset: Dataset, on_progress: OnProgress
    ) -> Score | None:
        """The score of a prediction without a network on `dataset`.

        None where there is no such prediction. One that learns reads what `train` gives: images of
        the same data that are not in `dataset`. `on_progress` is called for each image that is
        read.
        """

    def answer(self, prediction: Tensor) -> Tensor:
        """The label that a prediction for one image, (1, K, H, W), amounts to; on the CPU."""

    def masked(self, answer: Tensor, label: Tensor) -> Tensor:
        """The answer as it is shown beside the label: ignored wherever the label is."""

    def blanked(self, answer: Tensor, valid: Tensor) -> Tensor:
        """The answer, with nothing said where the image has no value: where `valid` is false.

        `valid` is bool (H, W).
        """

    def pixels(self, label: Tensor) -> Pixels:
        """A picture of a label or an answer: uint8 (H, W, 3)."""

    def faults(self, image: Pixels, label: Tensor, answer: Tensor) -> Pixels:
        """A picture of where, and how much, the answer for `image` is wrong: uint8 (H, W, 3)."""

    def legend(self, labels: Sequence[Tensor]) -> tuple[Sequence[str], Colours]:
        """The names and colours that explain pictures of `labels`."""

    def suffix(self, outputs: int) -> str:
        """The end of a file with an answer of K channels, `outputs`: `.png`, or `.tif` where a PNG
        cannot hold it.
        """

    def encode(self, answer: Tensor, bits: int) -> bytes:
        """An answer as the bytes of a file of that suffix, whose pixels are its values.

        `bits` are those of levels from 0 to 1: 16 if the image's file has more than 8, else 8.
        """


VAL, HOLDOUT, FOLD = "val", "holdout", "fold"
"""Parts of the data that are scored but not trained on: the split val, images of train that are
held out, and the fold of train that is val in a cross-validation.
"""


def column(split: str, number: str) -> str:
    """The name of the column of metrics.csv with a number of the score on a split.

    >>> column(VAL, "iou")
    'val_iou'
    """
    return f"{split}_{number}"


def columns(task: Task, splits: Sequence[str] = (VAL,)) -> tuple[str, ...]:
    """The columns of metrics.csv that a task adds to those of every training.

    The metric on the training images comes first, then on each of `splits` all numbers, and the
    metric of each class, such as `val_iou.car`.
    """
    numbers = [*task.numbers, *(class_number(task.metric, name) for name in task.classes)]
    return (task.metric.train, *(column(split, name) for split in splits for name in numbers))


def split_numbers(task: Task, split: str, statistics: Tensor) -> dict[str, float]:
    """The values of those columns that `columns` gives for a split."""
    score = task.score(statistics)
    classes = {class_number(task.metric, name): v for name, v in score.by_class().items()}
    numbers = score.numbers() | classes
    return {column(split, name): value for name, value in numbers.items()}


def class_number(metric: Metric, name: str) -> str:
    """What a metric of one class is called among the numbers of a score."""
    return f"{metric.name}.{name}"
