"""Networks that were trained alone, to compare with: in run folders, searches, and the table of all
sub-topologies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridgen.errors import RunError
from gridgen.files import is_file
from gridgen.grid import Grid, build_grid
from gridgen.study.store.standing import study_trials
from gridgen.tabular.table import HOLDOUT_NAMES, IMAGES, SEEDS, TopologyBenchmark
from gridgen.tabular.trainings import SPLITS
from gridgen.training.inference import WHOLE
from gridgen.training.recipe import Recipe
from gridgen.training.run.facts import Facts
from gridgen.training.run.folder import FACTS, Run, is_search

UNCOUNTED = ("checkpoint_minutes", "validate_every", "workers")
"""Fields of a recipe that change no score of the last epoch."""


@dataclass(frozen=True)
class TrainedAlone:
    """A network that was trained alone: its last scores by seed, and by column of metrics.csv."""

    grid: Grid
    scores: Mapping[int, Mapping[str, float]]


def benchmarked(benchmark: TopologyBenchmark) -> list[TrainedAlone]:
    """The topologies of a benchmark, by the seeds that all of them have."""
    found = []
    for entry in benchmark.values():
        seeds = [each for each in entry.trainings if each.seed in SEEDS]
        scores = {t.seed: {f"{s}_iou": t.score(s) for s in SPLITS} for t in seeds}
        found.append(TrainedAlone(build_grid(entry.spec), scores))
    return found


def trained_alone(folders: Iterable[Path], like: Run) -> list[TrainedAlone]:
    """The networks of run folders, and of those of searches without their confirmations.

    Those of one network are its seeds. Left out is what began with other weights than random ones.
    Errors: `RunError` for a folder without a run that is finished, of other data than the run
    `like`, or by another recipe than the others.
    """
    grids: dict[str, Grid] = {}
    scores: dict[str, dict[int, Mapping[str, float]]] = {}
    first: Run | None = None
    for folder in folders:
        for run in _runs(folder, like):
            first = first or run
            if _counted(run.recipe) != _counted(first.recipe):
                fact = f"{run.folder} was trained by another recipe than {first.folder}"
                raise RunError(f"{fact}; name trainings by one recipe")
            grid = build_grid(run.spec)
            grids[grid.fingerprint] = grid
            scores.setdefault(grid.fingerprint, {})[run.facts.seed] = run.rows()[-1]
    return [TrainedAlone(grid, scores[key]) for key, grid in grids.items()]


def _runs(folder: Path, like: Run) -> list[Run]:
    """The finished runs in a folder that were trained alone: itself, or what lies under it."""
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder; name that of a training, or of a search")
    if is_file(folder / FACTS):
        runs = [Run.open(folder)]
    else:
        runs = _searched(folder) if is_search(folder) else []
    runs = [run for run in runs if run.facts.init is None and run.recipe.supernet is None]
    for run in runs:
        _require_same_data(run, like.facts)
        if run.recipe.inference != like.recipe.inference:
            fact = f"{run.folder} was scored with another inference than {like.folder}"
            raise RunError(f"{fact}; name trainings with the same in their recipe.yaml")
    finished = [run for run in runs if run.is_finished(run.rows())]
    if not finished:
        fix = "name such a training, or a search that trained its candidates"
        raise RunError(f"{folder}: no finished training from random weights there; {fix}")
    return finished


def _searched(folder: Path) -> list[Run]:
    """The trainings of a search, but for confirmations: those are of its best candidates alone, by
    other seeds and perhaps by another recipe.
    """
    return [
        Run(folder / training.folder)
        for record in study_trials(folder)
        if record.role != "confirmation"
        for training in record.trainings
        if training.folder and is_file(folder / training.folder / FACTS)
    ]


def _counted(recipe: Recipe) -> dict[str, Any]:
    """The fields of a recipe by which its last scores may be others."""
    return {name: value for name, value in recipe.complete().items() if name not in UNCOUNTED}


def _require_same_data(run: Run, like: Facts) -> None:
    given, wanted = (_seen(each) for each in (run.facts, like))
    for field in dict.fromkeys((*given, *wanted)):
        if given.get(field) != wanted.get(field):
            fact = f"{run.folder} was trained or scored on other images than the supernet"
            raise RunError(f"{fact}; name trainings on the same data, with the same {field}")


def _seen(facts: Facts) -> dict[str, str | None]:
    """What says which images a run was trained and scored on."""
    parts = {"holdout": facts.holdout, "fold": facts.fold, "group": facts.group}
    return {**facts.data_digests, **parts}


def require_task(run: Run) -> None:
    """The supernet was trained and scored as the topology benchmark was, or a `RunError`."""
    if (run.facts.images, run.facts.holdout) != (IMAGES, HOLDOUT_NAMES):
        fact = f"{run.folder} was trained on other images than the topology benchmark"
        raise RunError(f"{fact}; studies/every-topology.yaml says on which")
    if run.recipe.inference != WHOLE:
        fact = f"{run.folder} was scored with an inference, and the topology benchmark without"
        raise RunError(f"{fact}; leave inference out of the recipe")
