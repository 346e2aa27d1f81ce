"""Looking at a study that is on disk, be it searched in or not: how it stands, its best, tables."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridgen.arguments import PathLike, checked
from gridgen.emit.weights import SUFFIX
from gridgen.errors import FileError, RunError
from gridgen.files import ends_in, read_bytes, write_file
from gridgen.grid import build_grid
from gridgen.space import Budget
from gridgen.space.quantities import QUANTITIES
from gridgen.spec.document import dump
from gridgen.study.driver.writing import ended
from gridgen.study.language.objectives import LATENCY, latency_text
from gridgen.study.language.study import Study
from gridgen.study.report.answer import fresh_scores, of_role, ranked, searched
from gridgen.study.report.statistics import SeedScores
from gridgen.study.store.standing import study_trials
from gridgen.study.store.tables import write_tables
from gridgen.study.trials import SCORED_BY, TrialRecord
from gridgen.training import Run
from gridgen.training.loop.progress import duration
from gridgen.training.recipe.recipe import changed_recipe
from gridgen.training.run.folder import STUDY, TABLE, require_not_kept

TAKE = "gridgen supernet take RUN best.yaml -o FILE takes its network"
NOT_OVER = "not over"
DIGITS = 4
"""Of a score, whatever the study scores."""


@dataclass(frozen=True)
class StudyStatus:
    """How a study stands: trials by state, those that run, the best, seconds of training, and what
    scored candidates without it, with how far that can be trusted; "" for nothing.
    """

    folder: Path
    states: Mapping[str, int]
    running: tuple[TrialRecord, ...]
    best: TrialRecord | None
    seconds: float
    screened: str = ""

    def rows(self) -> list[tuple[str, str]]:
        """Label and value of each line."""
        # Whether a search goes on at the moment is not in a study's files.
        told = {"running": NOT_OVER}
        counts = ", ".join(f"{n:,} {told.get(state, state)}" for state, n in self.states.items())
        rows = [("trials", counts or "none")]
        if self.best is not None:
            rows.append(("best", described_trial(self.best)))
        for each in self.running:
            rows.append((NOT_OVER, f"trial {each.number}: {each.candidate.name}"))
        screened = [("scores", self.screened)] if self.screened else []
        return [*rows, ("trained", duration(self.seconds)), *screened]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "states": dict(self.states),
            "running": [each.as_json() for each in self.running],
            "best": None if self.best is None else self.best.as_json(),
            "seconds": self.seconds,
            "scores": self.screened or None,
        }


def described_trial(record: TrialRecord) -> str:
    """A trial with its score, on one line."""
    score = f" {SeedScores('', record.scores).told(DIGITS)}" if record.scores else ""
    return f"trial {record.number}:{score}  {record.candidate.name}"


@checked
def study_status(folder: PathLike) -> StudyStatus:
    """How the study in a folder stands. Errors: `RunError` as for `study_trials`."""
    folder = Path(folder)
    records = study_trials(folder)
    counted = Counter[str](each.state for each in records)
    best = searched(records)
    running = tuple(each for each in records if each.state == "running")
    seconds = sum(each.seconds for each in records)
    first, screened = best[0] if best else None, ended(folder).get("screened", "")
    return StudyStatus(folder, dict(counted), running, first, seconds, screened)


@checked
def study_best(
    folder: PathLike,
    weights: PathLike | None = None,
    spec: PathLike | None = None,
    under: Budget | None = None,
    latency: float | None = None,
) -> TrialRecord:
    """The best of the searched trials, or of those that meet the limits of `under` and take so many
    milliseconds of latency at most; its trained network and its spec are written to files.

    Costs are counted as the study counts them, unless `under` says how. `weights` (.safetensors,
    spec inside) are those of its first seed. Errors: `RunError` where no trial has a score or meets
    the limits, or its network is not there; `UsageError` for a file that a run or a search keeps;
    `FileError`; `WeightsError`.
    """
    folder = Path(folder)
    for path in (weights, spec):
        if path is not None:
            require_not_kept(path)
    records = study_trials(folder)
    best = searched(records)
    if under is not None or latency is not None:
        # With several objectives those that were confirmed are spread over the front.
        several = best and Study.load(folder / STUDY).against
        best = ranked(of_role(records, "searched")) if several else best
    if not best:
        raise RunError(f"{folder}: no candidate is trained yet; go on with gridgen search")
    if latency is not None:
        best = _as_quick(folder, best, latency)
    if under is not None:
        best = [_within(folder, best, under)]
    if weights is not None:
        if not ends_in(weights, SUFFIX):
            raise FileError(f"{weights}: weights are written as {SUFFIX}; name such a file")
        write_file(weights, _trained(folder, best[0]))
    if spec is not None:
        write_file(spec, dump(best[0].candidate.network))
    return best[0]


def confirmed_scores(folder: Path, trial: TrialRecord) -> tuple[float, ...]:
    """The scores with fresh seeds of a trial of a study; none where it was not trained again."""
    again = of_role(study_trials(folder), "confirmation")
    return tuple(score for each in fresh_scores([trial], again) for score in each.scores)


@checked
def export_study(folder: PathLike, into: PathLike | None = None) -> tuple[Path, Path]:
    """Write trials.csv and trainings.csv of a study, by default into its folder; their paths.

    Errors: `RunError`, `FileError`; `UsageError` for the folder of another study.
    """
    records, place = study_trials(folder), Path(folder if into is None else into)
    if place.resolve() != Path(folder).resolve():
        require_not_kept(place / TABLE)
    return write_tables(place, records)


def _as_quick(folder: Path, best: Sequence[TrialRecord], limit: float) -> list[TrialRecord]:
    """Those that take no longer. Errors: `RunError` where none does, or nothing was timed."""
    timed = [each for each in best if LATENCY in each.candidate.costs]
    if not timed:
        fact = f"{folder}: no latency was measured"
        raise RunError(f"{fact}; leave the limit out, or add the section latency to a new study")
    found = [each for each in timed if each.candidate.costs[LATENCY] <= 1000 * limit]
    if not found:
        least = latency_text(min(each.candidate.costs[LATENCY] for each in timed))
        fact = f"none of {len(timed)} candidates takes {limit:g} ms at most, the quickest {least}"
        raise RunError(f"{folder}: {fact}; loosen the limit")
    return found


def _within(folder: Path, best: Sequence[TrialRecord], under: Budget) -> TrialRecord:
    """The first that meets the limits. Errors: `RunError` where none does."""
    fields = dict.fromkeys(each.field for each in QUANTITIES.values())
    study, refused = Study.load(folder / STUDY), dict[int, str]()
    for each in best:
        recipe = changed_recipe(study.training, each.candidate.recipe)
        limits = study.limits_of(recipe).but(**fields).but(**under.plain())
        broken = limits.broken(limits.cost(build_grid(each.candidate.network)))
        if not broken:
            return each
        refused[each.candidate.costs["parameters"]] = f"{'; '.join(broken)} (trial {each.number})"
    fact = f"none of {len(best)} candidates is within; the smallest: {refused[min(refused)]}"
    raise RunError(f"{folder}: {fact}; loosen the limit")


def _trained(folder: Path, record: TrialRecord) -> bytes:
    """The weights file of the first seed's training, which is whole.

    Of one that was only scored, that of its first confirmation.
    """
    again = (each for each in study_trials(folder) if each.of == record.number)
    seeds = Study.load(folder / STUDY).seeds
    own = sorted(record.trainings, key=lambda each: seeds.index(each.seed))
    trainings = [*own, *(each for trial in again for each in trial.trainings)]
    first = next((each for each in trainings if each.folder and each.state == "finished"), None)
    if first is None:
        fact = f"{folder}: the scores of trial {record.number} are from {record.known or 'a table'}"
        if record.reason.startswith(SCORED_BY):
            raise RunError(f"{folder}: trial {record.number} is {record.reason}; {TAKE}")
        raise RunError(f"{fact}, without its network; train best.yaml")
    run = Run.open(folder / first.folder)
    run.network()  # for its errors
    return read_bytes(run.weights, sys.maxsize)
