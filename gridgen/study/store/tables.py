"""The tables of a search: a row for each trial, and one for each training."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from math import isfinite
from pathlib import Path

from gridgen.errors import RunError, reason_of
from gridgen.files import read_text, write_file
from gridgen.names import csv_text, plain_cell
from gridgen.space.choices import value_text
from gridgen.spec.facts import shown_value
from gridgen.study.trials import SCORED_BY, TrialRecord
from gridgen.training.run.folder import TABLE

COSTS = ("parameters", "activations", "macs")
TRIALS = (
    *("trial", "role", "state", "candidate", "name", "score", "spread", "seeds", "scores"),
    *(*COSTS, "seconds", "of", "note"),
)
TRAININGS = ("trial", "seed", "state", "score", "seconds", "epochs", "note")


def write_tables(folder: Path, records: Sequence[TrialRecord]) -> tuple[Path, Path]:
    """Write trials.csv and trainings.csv into a folder; their paths. Errors: `FileError`."""
    return (
        write_file(folder / TABLE, trials_table(records)),
        write_file(folder / "trainings.csv", trainings_table(records)),
    )


def trials_table(records: Sequence[TrialRecord]) -> str:
    """trials.csv: candidates, scores and costs, then the fields that vary."""
    costs = dict.fromkeys(name for each in records for name in each.candidate.costs)
    others = [name for name in costs if name not in COSTS]
    fields = list(dict.fromkeys(name for each in records for name in each.candidate.params))
    rows = ((*_trial(each), *_others(each, others, fields)) for each in records)
    return csv_text([(*TRIALS, *others, *fields), *rows])


def _trial(record: TrialRecord) -> tuple[object, ...]:
    candidate = record.candidate
    finished = [each for each in record.trainings if each.state == "finished"]
    pruned = next((each.score for each in record.trainings if each.state == "pruned"), None)
    note = record.reason or (f"taken from {record.known}" if record.known else "")
    return (
        *(record.number, record.role, record.state, candidate.key, candidate.name),
        *(_digits(record.score if finished else pruned), _digits(record.spread)),
        " ".join(str(each.seed) for each in finished),
        " ".join(repr(each.score) for each in finished),
        *(candidate.costs.get(name, "") for name in COSTS),
        *(f"{record.seconds:.1f}", "" if record.of is None else record.of, note),
    )


def _others(record: TrialRecord, costs: Sequence[str], fields: Sequence[str]) -> Iterable[object]:
    yield from (record.candidate.costs.get(name, "") for name in costs)
    params = record.candidate.params
    yield from (value_text(params[name]) if name in params else "" for name in fields)


def trainings_table(records: Sequence[TrialRecord]) -> str:
    """trainings.csv: every training, with the last row of its metrics.csv."""
    every = [(record, training) for record in records for training in record.trainings]
    columns = list(dict.fromkeys(name for _, training in every for name in training.row))
    rows = [
        (
            *(record.number, training.seed, training.state, _digits(training.score)),
            *(f"{training.seconds:.1f}", training.curve[-1][0] if training.curve else ""),
            training.reason,
            *(_digits(training.row.get(name)) for name in columns),
        )
        for record, training in every
    ]
    return csv_text([(*TRAININGS, *columns), *rows])


def _digits(score: float | None) -> str:
    return "" if score is None else f"{score:.6f}"


@dataclass(frozen=True)
class KnownRow:
    """A row of trials.csv: a candidate by its key and its fields as text, and scores by seed."""

    role: str
    key: str
    fields: Mapping[str, str]
    scores: Mapping[int, float]


def known_rows(path: Path) -> list[KnownRow]:
    """The rows of a trials.csv that have scores. Errors: `RunError` with file and line."""
    try:
        text = read_text(path)
        lines = list(csv.reader(StringIO(text, newline=""), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise RunError(f"{path}: {reason_of(error)}; name a trials.csv") from error
    if not lines or tuple(lines[0][: len(TRIALS)]) != TRIALS:
        raise RunError(f"{path}:1: not the first line of a trials.csv: {','.join(TRIALS[:4])},...")
    found = []
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) != len(lines[0]):
            fact = f"{len(cells)} cells, but {len(lines[0])} columns"
            raise RunError(f"{path}:{number}: {fact}; restore the line")
        row = dict(zip(lines[0], map(plain_cell, cells), strict=True))
        try:
            known = _scores(row["seeds"].split(), row["scores"].split())
        except ValueError as error:
            told = (shown_value(row[name]) for name in ("seeds", "scores"))
            fact = "seeds {} and scores {} do not agree".format(*told)
            raise RunError(f"{path}:{number}: {fact}; restore the line") from error
        if known and row["note"].startswith(SCORED_BY):
            fact = f"trial {row['trial']} was {row['note']}"
            raise RunError(f"{path}:{number}: {fact}; leave such rows out")
        if known:
            fields = {name: row[name] for name in lines[0][len(TRIALS) :] if row[name]}
            found.append(KnownRow(row["role"], row["candidate"], fields, known))
    return found


def _scores(seeds: Sequence[str], scores: Sequence[str]) -> dict[int, float]:
    """A number for each seed. Errors: `ValueError` for what no training gave."""
    known = dict(zip(map(int, seeds), map(float, scores), strict=True))
    right = len(known) == len(seeds) and min(known, default=0) >= 0
    if not right or not all(map(isfinite, known.values())):
        raise ValueError
    return known
