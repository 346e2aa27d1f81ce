"""What every task offers. No task of its own: those have one file each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor

from gridgen.data import Dataset
from gridgen.progress import OnProgress
from gridgen.training.tasks.pixels import Pixels


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
        """Its column of metrics.csv on what was trained on."""
        return f"train_{self.name}"

    @property
    def val(self) -> str:
        """Its column of metrics.csv on val, by which the best weights are chosen."""
        return val_column(self.name)

    @property
    def holdout(self) -> str:
        """Its column on images of train that were held out, by which they are chosen if any are."""
        return f"holdout_{self.name}"

    def shown(self, value: float, sign: str = "") -> str:
        """`value` in a report; `sign` + shows that of positive ones too."""
        return f"{value:{sign}.{self.digits}f}{self.unit}"

    def brief(self, value: float) -> str:
        """`value` in a line of progress: one digit less."""
        return f"{value:.{self.digits - 1}f}{self.unit}"


class Score(Protocol):
    """How well a split was predicted."""

    @property
    def value(self) -> float:
        """The metric."""

    def numbers(self) -> dict[str, float]:
        """Those that metrics.csv holds of val, the metric first."""

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""

    def rows(self) -> list[tuple[str, str]]:
        """Label and value of each line of a report."""


class Task(Protocol):
    """Loss, running tally, score and pictures of what a network predicts, (N, K, H, W).

    A label is what `Sample` says; an answer is a label that the network gives.
    """

    metric: ClassVar[Metric]
    numbers: ClassVar[tuple[str, ...]]
    """The names of a score's numbers, the metric's first."""
    resizable: ClassVar[bool]
    """Whether a crop of an image may be resized, and its label with it."""
    baseline: ClassVar[str]
    """What needs no network, in a few words."""
    ending: ClassVar[str]
    """Of the name of a file that holds an answer."""

    @property
    def classes(self) -> Sequence[str]:
        """Names of what the colours of a picture mean, if anything."""

    @property
    def colours(self) -> Sequence[Sequence[int]]:
        """Those colours: red, green, blue in 0..255."""

    def outputs(self, dataset: Dataset) -> int:
        """K, which the spec calls `classes`."""

    def taught(self, weights: Sequence[float] | None, smoothing: float) -> Self:
        """The task with a loss that weighs classes and smooths labels."""

    def loss(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """What training lowers, a scalar."""

    def nothing(self) -> Tensor:
        """The tally of no image."""

    def tally(self, prediction: Tensor, labels: Tensor) -> Tensor:
        """What has to be kept of a batch to score it. Tallies add up."""

    def score(self, tally: Tensor) -> Score:
        """The score of all that was tallied."""

    def score_baseline(
        self, data: str, dataset: Dataset, held_out: str | None, on_progress: OnProgress
    ) -> Score | None:
        """How well the split `dataset` of `data` is predicted without a network, if that exists.

        Images of train whose names match `held_out` are not learned from. `on_progress` is
        called for each image that is read.
        """

    def answer(self, prediction: Tensor) -> Tensor:
        """What the network says of one image, on the CPU: (1, K, H, W) -> a label."""

    def masked(self, answer: Tensor, label: Tensor) -> Tensor:
        """An answer without what its label leaves out of the score, to be shown beside it."""

    def pixels(self, label: Tensor) -> Pixels:
        """A label or an answer as a picture, (H, W, 3)."""

    def encode(self, answer: Tensor) -> bytes:
        """An answer as a PNG file whose pixels are its values."""


def val_column(number: str) -> str:
    """The column of metrics.csv that holds a number of the score on val."""
    return f"val_{number}"


def columns(task: Task) -> tuple[str, ...]:
    """Of metrics.csv, after those that every training has."""
    return (task.metric.train, *map(val_column, task.numbers))
