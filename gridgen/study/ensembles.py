"""Networks of a study that are best together: chosen greedily by the mean of their answers.

After Caruana et al., "Ensemble Selection from Libraries of Models" (ICML 2004), section 2, each
network at most once: begin with the best, add the one that helps most, stop where none does.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gridgen.arguments import PathLike, checked
from gridgen.data import Dataset
from gridgen.emit.averaging import summable
from gridgen.errors import RunError, UsageError
from gridgen.progress import OnProgress, no_progress
from gridgen.study.language.study import Study
from gridgen.study.report.answer import searched
from gridgen.study.report.statistics import signed
from gridgen.study.store.standing import study_trials
from gridgen.study.trials import TrialRecord
from gridgen.text import bytes_text
from gridgen.training.processes import devices
from gridgen.training.run.ensemble import is_model
from gridgen.training.run.folder import STUDY, Run
from gridgen.training.run.model import model_of
from gridgen.training.scoring.per_image import Predictor, see_images
from gridgen.training.tasks import HOLDOUT, VAL, Task, column, split_numbers, task_of
from gridgen.training.tasks.requirements import load_splits

MOST_BYTES = 8 * 10**9
"""What the answers of all networks may take together."""
AMONG, MOST = 10, 5
DIGITS = 4


@dataclass(frozen=True)
class EnsembleMember:
    """A network of an ensemble: its run, its score alone, and that of all up to it together."""

    run: Path
    trial: int
    seed: int
    alone: float
    together: float


@dataclass(frozen=True)
class StudyEnsemble:
    """Networks in the order in which they were chosen, scored by `column` on a split of the data.

    `unseen`: whether neither training nor the choice of candidates has seen that split.
    """

    data: str
    column: str
    among: int
    members: tuple[EnsembleMember, ...]
    unseen: bool

    @property
    def command(self) -> str:
        """The command that scores the ensemble again."""
        runs = [str(each.run) for each in self.members]
        split = ["--split", HOLDOUT] if self.column.startswith(HOLDOUT) else []
        return shlex.join(["gridgen", "evaluate", *runs, "--data", self.data, *split])

    def table(self) -> list[tuple[str, ...]]:
        """A row for each network, titles first."""
        rows = [(str(e.trial), str(e.seed), *_digits(e), str(e.run)) for e in self.members]
        return [("trial", "seed", "alone", "together", "run"), *rows]

    def rows(self) -> list[tuple[str, str]]:
        """Label and value of each line below the table."""
        caution = "" if self.unseen else "; it chose the candidates too, so this is too high"
        scored = f"{self.column} on {self.data}, of {self.among} networks{caution}"
        return [("scored by", scored), ("again", self.command)]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        members = [
            {"run": str(e.run), "trial": e.trial, "seed": e.seed, "alone": e.alone}
            | {"together": e.together}
            for e in self.members
        ]
        return {"column": self.column, "unseen": self.unseen, "members": members}


def _digits(member: EnsembleMember) -> tuple[str, str]:
    return signed(member.alone, DIGITS), signed(member.together, DIGITS)


@checked
def study_ensemble(
    folder: PathLike,
    *,
    among: int = AMONG,
    most: int = MOST,
    device: str = "auto",
    on_progress: OnProgress = no_progress,
) -> StudyEnsemble:
    """Choose up to `most` of the best `among` trained networks of a study, all its seeds, by the
    study's objective on what it held out, or else on val.

    Errors: `RunError` where fewer than two networks are trained; `UsageError` where their answers
    would not fit into memory; `DataError` where the data is not there.
    """
    folder = Path(folder)
    records, study = study_trials(folder), Study.load(folder / STUDY)
    for name, number in (("among", among), ("most", most)):
        if number < 2:
            raise UsageError(f"{name} is {number}; give 2 at least")
    splits = load_splits(study.data, study.holdout, study.fold, study.group)
    split = VAL if splits.holdout is None else HOLDOUT
    dataset = splits.val if splits.holdout is None else splits.holdout
    runs = [*islice(_runs(folder, records), among)]
    if len(runs) < 2:
        fact = f"{folder}: {len(runs)} of its trained networks are there"
        raise RunError(f"{fact}, and an ensemble is of two at least; go on with gridgen search")
    # All answers are held at once, as each is added to others again and again.
    _require_memory(dataset, study, len(runs))
    asked = column(split, study.objective.partition("_")[2])
    library = _Library(task_of(dataset), split, asked)
    chosen_device = devices.choose_device(device)
    for number, (_, run) in enumerate(runs):
        on_progress(number, len(runs))
        network = run.network().to(chosen_device)
        # As `evaluate` sees images, so that it finds the same score again.
        inference = model_of(run, network).answering
        library.add(Predictor(network, chosen_device, inference), dataset)
    members = tuple(
        EnsembleMember(run.folder, trial, run.facts.seed, library.alone[place], together)
        for place, together in library.chosen(most)
        for trial, run in (runs[place],)
    )
    unseen = split == HOLDOUT and not study.objective.startswith(HOLDOUT)
    return StudyEnsemble(study.data, asked, len(runs), members, unseen)


def _runs(folder: Path, records: Sequence[TrialRecord]) -> Iterator[tuple[int, Run]]:
    """The finished trainings of the searched candidates that see images as those of the best one
    do, the best candidate first.
    """
    alike = None
    for best in searched(records):
        again = [each for each in records if each.of == best.number]
        for trial in (best, *again):
            for training in trial.trainings:
                place = folder / training.folder
                if training.state != "finished" or not is_model(place):
                    continue
                run = Run.open(place)
                alike = alike or run.recipe.inference
                if run.recipe.inference == alike:
                    yield best.number, run


def _require_memory(dataset: Dataset, study: Study, networks: int) -> None:
    pixels = sum(height * width for height, width in dataset.sizes)
    outputs = study.unmatched(study.dimensions.first()).classes
    needed = 4 * pixels * outputs * networks
    if needed > MOST_BYTES:
        fact = f"the answers of {networks} networks take {bytes_text(needed)}"
        raise UsageError(f"{fact}, {bytes_text(MOST_BYTES)} at most; give a lower --among")


@dataclass
class _Library:
    """The answers of networks to the same images, of which the best together are chosen."""

    task: Task
    split: str
    column: str
    labels: list[Tensor] = field(default_factory=list)
    answers: list[list[Tensor]] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)

    def add(self, predictor: Predictor, dataset: Dataset) -> None:
        """See all images by one more network. Errors: `OutOfMemoryError`, `DataError`."""
        predictor.network.eval()
        labels, answers = [], []
        for seen in see_images(predictor, dataset):
            labels.append(seen.sample.label[None])
            # Means of these are what several networks answer, as `AveragedNetworks` has it.
            answers.append(summable(seen.prediction, bool(self.task.classes)).cpu())
        self.labels = labels
        self.answers.append(answers)
        self.alone.append(self._score(answers, 1))

    def chosen(self, most: int) -> Iterator[tuple[int, float]]:
        """The places of the networks that are taken, with the score of all up to each."""
        left, total = {*range(len(self.answers))}, [torch.zeros(()) for _ in self.labels]
        best = -inf
        for many in range(1, most + 1):
            scores = {each: self._score(self._with(total, each), many) for each in left}
            place = max(sorted(left), key=lambda each: scores[each], default=None)
            if place is None or scores[place] <= best:
                return
            best, total = scores[place], self._with(total, place)
            left.remove(place)
            yield place, best

    def _with(self, total: list[Tensor], place: int) -> list[Tensor]:
        return [one + other for one, other in zip(total, self.answers[place], strict=True)]

    def _score(self, total: list[Tensor], many: int) -> float:
        statistics = self.task.no_statistics()
        for answer, label in zip(total, self.labels, strict=True):
            statistics += self.task.statistics(answer / many, label)
        return split_numbers(self.task, self.split, statistics)[self.column]
