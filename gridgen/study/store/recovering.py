"""Scores in the run folders of a trial, taken where network, recipe, data and seed are its own."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridgen.errors import GridgenError
from gridgen.files import is_folder
from gridgen.grid import build_grid
from gridgen.study.candidates.baselines import baseline_keys
from gridgen.study.candidates.counting import candidate_key
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.language.study import Study
from gridgen.study.trials import Candidate, Training
from gridgen.training import Run

MOST_POINTS = 10_000
"""Points of a space up to which the candidate of a run is looked for among all."""


@dataclass(frozen=True)
class FoundRun:
    """A candidate that was known by its run folders alone, and the trainings in them."""

    candidate: Candidate
    trainings: list[Training]


def missing_trainings(
    study: Study,
    candidate: Candidate,
    folder: Path,
    digests: Mapping[str, Any],
    known: Collection[int],
) -> list[Training]:
    """Complete trainings of a candidate in a trial's folder, but for seeds that are known."""
    runs = _complete(study, folder, digests)
    return [
        training for key, training in runs if key == candidate.key and training.seed not in known
    ]


def candidate_of_runs(
    study: Study, number: int, folder: Path, digests: Mapping[str, Any]
) -> FoundRun | None:
    """The candidate of the study's space whose complete runs lie in the folder of a trial of this
    number, if any.

    A confirmation has other seeds, and what may have been a baseline is no candidate: neither is
    found.
    """
    runs = list(_complete(study, folder, digests))
    keys = {key for key, _ in runs}
    trainings = [training for _, training in runs]
    size = study.dimensions.size
    if len(keys) != 1 or not {each.seed for each in trainings} <= set(study.seeds):
        return None
    if size is None or size > MOST_POINTS:
        return None
    drawing = Drawing(study)
    candidate = drawing.next(lambda key: key not in keys)
    if candidate is None or candidate.key in baseline_keys(drawing, number):
        return None
    return FoundRun(candidate, trainings)


def _complete(
    study: Study, folder: Path, digests: Mapping[str, Any]
) -> Iterator[tuple[str, Training]]:
    """Key and training of each run in the folder that was trained to its end on this data."""
    for path in sorted(folder.iterdir()) if is_folder(folder) else ():
        try:
            run = Run.open(path)
            rows, facts = run.rows(), run.facts
            if not run.is_finished(rows) or path.name != f"seed-{facts.seed}":
                continue
            said = {"images": facts.images, "labels": facts.labels}
            if any(digests.get(name, value) != value for name, value in said.items()):
                continue
            init = "supernet" if facts.init is not None else None
            key = candidate_key(build_grid(run.spec), run.recipe, init)
            scores = [(int(row["epoch"]), row[study.objective]) for row in rows]
        except (GridgenError, KeyError, OSError):
            continue
        place = "/".join(path.parts[-3:])
        yield (
            key,
            Training(facts.seed, "finished", scores[-1][1], rows[-1], tuple(scores), folder=place),
        )
