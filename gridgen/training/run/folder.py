"""The run folder: everything that one training needs to be read, repeated or gone on with."""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from math import nan
from pathlib import Path
from typing import Annotated

from torch import Tensor

from gridgen.architectures import load_spec
from gridgen.arguments import PathLike, checked, checked_fields
from gridgen.emit import GridNetwork, load_network
from gridgen.emit.weights import SUFFIX, load_tensors, save_tensors
from gridgen.errors import RunError, UsageError, WeightsError
from gridgen.files import (
    ends_in,
    filled_folder,
    is_file,
    is_folder,
    read_text,
    sweep,
    write_file,
)
from gridgen.grid import build_grid
from gridgen.names import csv_text
from gridgen.spec import NetworkSpec
from gridgen.spec.document import dump
from gridgen.training.recipe import Recipe
from gridgen.training.run.checkpoint import BEST, newest, scored_weights
from gridgen.training.run.facts import Facts
from gridgen.training.run.locks import lock
from gridgen.training.run.steplog import StepLog
from gridgen.training.tasks import HOLDOUT, VAL, Task, columns, task_named

FACTS = "run.json"
STUDY, TRIALS, TABLE = "study.yaml", "trials", "trials.csv"  # in the folder of a search
CHECKPOINTS = "checkpoints"
WEIGHTS, INITIAL = "weights.safetensors", "initial.safetensors"
REMARKS = "remarks.txt"
FIELDS = ("epoch", "step", "learning_rate", "loss")
MetricsRow = dict[str, float]


@checked_fields
@dataclass(frozen=True)
class Run:
    """A training on disk. Files: spec.yaml, recipe.yaml, run.json, metrics.csv, steps.csv,
    curve.png, predictions.png, checkpoints/, weights.safetensors; remarks.txt where something is
    odd; initial.safetensors where it did not begin with random weights.
    """

    folder: Annotated[Path, "a Path; Run.open takes text too"]

    def __fspath__(self) -> str:
        """Its folder: a run stands wherever the path of one does."""
        return str(self.folder)

    @classmethod
    @checked
    def create(
        cls,
        folder: Path,
        spec: NetworkSpec,
        recipe: Recipe,
        facts: Facts,
        initial: Mapping[str, Tensor] | None = None,
    ) -> "Run":
        """A new run, with its initial weights where they are not random: all of it, or nothing.

        Errors: `RunError` for a folder that holds anything, `FileError`.
        """
        require_free(folder)
        with filled_folder(folder) as new:
            if initial is not None:
                save_tensors(initial, new / INITIAL, {})
            write_file(new / "spec.yaml", dump(spec))
            write_file(new / "recipe.yaml", dump(recipe))
            write_file(new / "metrics.csv", csv_text([_columns(facts)]))
            facts.write(new / FACTS)
        return cls(folder)

    @classmethod
    @checked
    def open(cls, folder: PathLike) -> "Run":
        """The run in `folder`. Errors: `RunError` where there is none."""
        folder = Path(folder)
        if not is_file(folder / FACTS):
            free = not any(folder.iterdir()) if is_folder(folder) else not is_file(folder)
            made = f"gridgen train (or supernet) -o {folder} makes one"
            fix = made if free else "name one that train made"
            if is_search(folder):
                fix = f"gridgen study {folder} best --weights FILE writes a search's best"
            raise RunError(f"{folder}: no run there (no run.json); {fix}")
        return cls(folder)

    @property
    def spec(self) -> NetworkSpec:
        """The network's spec, its topology included."""
        return load_spec(self.folder / "spec.yaml")

    @property
    def recipe(self) -> Recipe:
        """The recipe by which it is trained."""
        return Recipe.load(self.folder / "recipe.yaml")

    @property
    def facts(self) -> Facts:
        """Dataset, seed and versions. Errors: `RunError` for a damaged file."""
        return Facts.read(self.folder / FACTS)

    @property
    def task(self) -> Task:
        """The task, with the loss of the recipe."""
        facts, recipe = self.facts, self.recipe
        task = task_named(facts.task, facts.classes, facts.colours)
        return task.with_loss(recipe, facts.class_weights)

    @property
    def objective(self) -> str:
        """The column of metrics.csv that the best weights are chosen by."""
        metric = self.task.metric
        return metric.holdout if self.facts.holdout else metric.val

    @property
    def initial(self) -> dict[str, Tensor] | None:
        """The weights that it begins with, None for random ones and where a checkpoint has others.

        Errors: `WeightsError`.
        """
        if self.facts.init is None or newest(self.checkpoints) is not None:
            return None
        path, own = self.folder / INITIAL, dict(build_grid(self.spec).tensors())
        tensors = load_tensors(path)[0]
        if any(name not in tensors or tensors[name].shape != own[name] for name in own):
            raise WeightsError(f"{path}: weights of another network; put it back, or train anew")
        return tensors

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.folder / CHECKPOINTS

    @property
    def weights(self) -> Path:
        """The final weights, spec inside."""
        return self.folder / WEIGHTS

    @checked
    def network(self, best: bool = False) -> GridNetwork:
        """The trained network, in evaluation mode: of the last step, or of the best validation.

        Errors: `WeightsError`; `RunError` where the spec was changed since.
        """
        return self._best() if best else self._last()

    def _last(self) -> GridNetwork:
        if not self.weights.is_file():
            raise WeightsError(
                f"{self.weights} is missing; gridgen train --resume {self.folder} writes it"
            )
        try:
            network = load_network(self.weights)
        except WeightsError as error:
            fix = f"gridgen train --resume {self.folder} writes it again"
            raise WeightsError(f"{error}; {fix}") from error
        if dump(network.grid.spec) != dump(self.spec):
            raise self._another_spec()
        return network

    def _best(self) -> GridNetwork:
        path = scored_weights(self.checkpoints / BEST, self.recipe.ema is not None)
        if not path.is_file():
            fact = f"{self.folder}: no validation yet, so no weights are the best"
            raise WeightsError(f"{fact}; gridgen train --resume {self.folder} goes on")
        tensors, _ = load_tensors(path)
        network = GridNetwork(build_grid(self.spec))
        try:
            network.load_state_dict(tensors)
        except RuntimeError as error:
            raise self._another_spec() from error
        return network.eval()

    def _another_spec(self) -> RunError:
        return RunError(f"{self.folder / 'spec.yaml'} was changed after the training; put it back")

    def rows(self) -> list[MetricsRow]:
        """The rows of metrics.csv, one per validation. Errors: `RunError` for a damaged file."""
        path = self.folder / "metrics.csv"
        try:
            header, *rows = csv.reader(StringIO(read_text(path), newline=""))
            pairs = [zip(header, row, strict=True) for row in rows]
            read = [{name: float(value or "nan") for name, value in pair} for pair in pairs]
        except (OSError, ValueError, csv.Error) as error:
            fix = f"gridgen train --resume {self.folder} writes it again from a checkpoint"
            raise RunError(f"{path}: missing or damaged; {fix}") from error
        # Other numbers may be newer than the run.
        needed = (*FIELDS, self.task.metric.train, self.task.metric.val, self.objective)
        missing = [name for name in needed if name not in header]
        if missing:
            raise RunError(f"{path}: no column {missing[0]}; name it in the first line again")
        return read

    @checked
    def is_finished(self, rows: Sequence[MetricsRow]) -> bool:
        """True where the last epoch is among its `rows` and the weights are there."""
        return bool(rows) and rows[-1]["epoch"] == self.recipe.epochs and self.weights.is_file()

    def require_unscored(self) -> None:
        """Refuse a new beginning that would replace scores. Errors: `RunError`."""
        validations = len(self.rows())
        if validations:
            raise RunError(
                f"{self.checkpoints}: no checkpoint, but metrics.csv has {validations} "
                f"validation{'s' * (validations > 1)}; put them back, or train anew elsewhere"
            )

    @checked
    def write_rows(self, rows: list[MetricsRow]) -> None:
        """Replace metrics.csv."""
        names = _columns(self.facts)
        lines = [[_shown(row.get(name, nan)) for name in names] for row in rows]
        write_file(self.folder / "metrics.csv", csv_text([names, *lines]))

    @property
    def remarks(self) -> list[str]:
        """What is odd about the labels and the last validation, a line each."""
        path = self.folder / REMARKS
        lines = read_text(path, errors="replace").splitlines() if is_file(path) else []
        return list(dict.fromkeys([*self.facts.absent, *lines]))

    @checked
    def write_remarks(self, lines: Sequence[str]) -> None:
        """Keep what is odd about the last validation; without any, there is no file."""
        path = self.folder / REMARKS
        if lines:
            write_file(path, "".join(f"{line}\n" for line in lines))
        else:
            path.unlink(missing_ok=True)

    @property
    def steps(self) -> StepLog:
        """Loss and pace every few steps."""
        return StepLog(self.folder / "steps.csv")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Refuse a second process on the same run; tidy up after one that was killed."""
        with lock(self.folder / ".lock", f"{self.folder}: another process is training this run"):
            sweep(self.folder)
            yield


def is_search(folder: Path) -> bool:
    """Whether a search keeps its trainings, or their table, in a folder."""
    return is_file(folder / STUDY) and (is_folder(folder / TRIALS) or is_file(folder / TABLE))


@checked
def require_not_kept(path: PathLike) -> None:
    """Refuse to write where a run or a search keeps a file of its own. Errors: `UsageError`.

    Weights that were taken away may lie in its folder, and may be replaced.
    """
    place = Path(os.path.abspath(path))
    above, folder = place.parents, place.parent
    inside = any(each.name == CHECKPOINTS and is_file(each.parent / FACTS) for each in above)
    of_run = inside or is_file(folder / FACTS)
    kept = (of_run or is_search(folder)) and is_file(place)
    if ends_in(place, SUFFIX):
        kept = of_run and place.name in (WEIGHTS, INITIAL)
    if inside or kept:
        raise UsageError(f"{path} is kept by a {'run' if of_run else 'search'}; name another")


def require_free(folder: Path) -> None:
    """Check that `folder` is empty, so that a run can be begun there. Errors: `RunError`."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        begun = (folder / FACTS).is_file()
        fix = f"continue it with --resume {folder}, or name another" if begun else "name another"
        raise RunError(f"{folder} exists already; {fix}")


def best_row(rows: Sequence[MetricsRow], objective: str) -> MetricsRow:
    """The first of the rows with the best score; its weights are kept as the best."""
    return max(rows, key=lambda row: row[objective])


def _columns(facts: Facts) -> tuple[str, ...]:
    """Columns of metrics.csv, in order."""
    task = task_named(facts.task, facts.classes, facts.colours)
    return (*FIELDS, *columns(task, (VAL, HOLDOUT) if facts.holdout else (VAL,)))


def _shown(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
