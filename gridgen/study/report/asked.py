"""What a search was asked for, as its report says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gridgen.study.trials import Objectives, objectives_of
from gridgen.training.tasks import TASKS


@dataclass(frozen=True)
class Asked:
    """The question that a search answers.

    Attributes:
        title: of the page, such as the name of the study's file.
        objective: the column of metrics.csv that is maximized.
        data: what was trained on.
        limits: by quantity, the most (or least) that a candidate may cost.
        seeds: of the trainings of each candidate.
        about: more to say of the study, such as its sampler: a label and a text each.
        stopped: why the search ended; "" while it is not over.
        commands: that start and continue it: a label and a command line each.
        refused: how many candidates were refused without training, by reason.
        screened: what scored candidates without training, and how far to trust it; "" for nothing.
        against: what the objective is held against, by name; candidates then make a front.
    """

    title: str
    objective: str
    data: str
    limits: Mapping[str, int] = field(default_factory=dict)
    seeds: Sequence[int] = (0,)
    about: Sequence[tuple[str, str]] = ()
    stopped: str = ""
    commands: Sequence[tuple[str, str]] = ()
    refused: Mapping[str, int] = field(default_factory=dict)
    screened: str = ""
    against: Objectives = field(default_factory=dict)

    @property
    def objectives(self) -> Objectives:
        """All that candidates are compared by, the score first."""
        return objectives_of(self.objective, self.against)

    @property
    def digits(self) -> int:
        """Digits after the point of a score: shares have four, decibels two.

        >>> Asked("a", "val_iou.car", "shapes").digits, Asked("a", "val_psnr", "shapes").digits
        (4, 2)
        """
        number = self.objective.partition("_")[2].partition(".")[0]
        found = (task.metric.digits for task in TASKS.values() if task.metric.name == number)
        return next(found, 4)
