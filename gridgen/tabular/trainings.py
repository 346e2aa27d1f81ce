"""How each training of the table of sub-topologies went, and the file that tells it."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Literal

from gridgen.arguments import checked, checked_fields
from gridgen.errors import FileError, reason_of
from gridgen.files import read_text
from gridgen.names import csv_text, has_other_length
from gridgen.shown import Shown, ShownRows

HERE = Path(__file__).parent
TRAININGS = HERE / "trainings.csv"
ScoredSplit = Literal["val", "holdout"]
SPLITS: tuple[ScoredSplit, ...] = ("val", "holdout")
TRAINING = ("topology", "seed", "seconds", "weights", "machine")
AT = "@"
"""Between split and epoch in the first line of trainings.csv: val@20."""
INSTALL_AGAIN = "install gridgen again"


@checked_fields
@dataclass(frozen=True, eq=False, repr=False)
class BenchmarkTraining(Shown):
    """One training of a topology.

    `curves` holds, for each split, the mean IoU by epoch, each from one confusion matrix over all
    images. `weights` are the first digits of the SHA-256 of the averaged weights at the end, which
    a machine of the same kind finds again; `seconds` are those of one thread, beside whatever else
    the machine did.
    """

    topology: str
    seed: int
    curves: Mapping[str, Mapping[int, float]]
    seconds: float
    weights: str
    machine: str

    @checked
    def score(self, split: ScoredSplit = "val") -> float:
        """The mean IoU after the last epoch."""
        curve = self.curves[split]
        return curve[max(curve)]

    def rows(self) -> ShownRows:
        """Of which topology, with which seed, and its scores after the last epoch."""
        scores = [(split, f"{self.score(split):.4f}") for split in SPLITS]
        return [("topology", self.topology), ("seed", str(self.seed)), *scores]


def read_trainings(path: Path) -> list[BenchmarkTraining]:
    """The trainings in a table. Errors: `FileError`, which names the line that is damaged."""
    found: dict[tuple[str, int], BenchmarkTraining] = {}
    rows = read_rows(path)
    for name in TRAINING:
        if rows and name not in rows[0]:
            raise FileError(f"{path}:1: no column {name!r}; {INSTALL_AGAIN}")
    for line, row in enumerate(rows, 2):
        try:
            training = _training(row)
            if found.setdefault((training.topology, training.seed), training) is not training:
                raise ValueError(f"{training.topology} has seed {training.seed} twice")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = f"no column {error}" if isinstance(error, KeyError) else str(error)
            raise FileError(f"{path}:{line}: damaged: {why}; remove the line") from error
    return [*found.values()]


def _training(row: Mapping[str, str]) -> BenchmarkTraining:
    curves: dict[str, dict[int, float]] = {split: {} for split in SPLITS}
    if has_other_length(row):
        raise ValueError("it has more or fewer values than the first line names")
    for name, value in row.items():
        split, at, epoch = name.partition(AT)
        if at:
            score = curves[split][int(epoch)] = float(value)
            if not 0 <= score <= 1:
                raise ValueError(f"{name} is {value}, which is no share")
    seed, seconds = int(row["seed"]), float(row["seconds"])
    return BenchmarkTraining(row["topology"], seed, curves, seconds, row["weights"], row["machine"])


def trainings_text(trainings: Sequence[BenchmarkTraining]) -> str:
    """The table that `read_trainings` reads, a row for each training."""
    ordered = sorted(trainings, key=lambda each: (each.topology, each.seed))
    epochs = sorted(ordered[0].curves[SPLITS[0]]) if ordered else []
    columns = [(split, epoch) for split in SPLITS for epoch in epochs]
    rows = [
        (
            *(each.topology, each.seed, f"{each.seconds:.0f}", each.weights, each.machine),
            *(f"{each.curves[split][epoch]:.6f}" for split, epoch in columns),
        )
        for each in ordered
    ]
    return csv_text([(*TRAINING, *(f"{split}{AT}{epoch}" for split, epoch in columns)), *rows])


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table of the package, as text by column. Errors: `FileError`."""
    try:
        return list(csv.DictReader(StringIO(read_text(path), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{path}: {reason_of(error)}; {INSTALL_AGAIN}") from error
