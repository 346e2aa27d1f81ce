"""The trials of a study on disk as they stand: those that wait at a rung are paused.

On disk they are trials that run, so that a driver judges them anew when it goes on.
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from gridgen.arguments import PathLike, checked
from gridgen.study.language.study import Study
from gridgen.study.methods import PRUNERS
from gridgen.study.rungs import Rungs
from gridgen.study.store.opening import read_store
from gridgen.study.store.store import Store
from gridgen.study.trials import TrialRecord


@checked
def study_trials(folder: PathLike) -> list[TrialRecord]:
    """All trials of the study in a folder. Errors: `RunError` where there is none, or damage."""
    with closing(read_store(Path(folder))) as store:
        return _as_they_stand(store)


def _as_they_stand(store: Store) -> list[TrialRecord]:
    """The trials of a store, where those at a rung are paused; it knows only that they run."""
    records = store.trials()
    if all(each.state != "running" for each in records):
        return records
    study = Study.parse(store.text)
    recipe = study.training
    rungs = PRUNERS[study.pruner].rungs(recipe.epochs, recipe.validate_every)
    return [
        _paused(each, rungs, store.reports(each.number))
        if rungs is not None and each.state == "running" and each.role == "searched"
        else each
        for each in records
    ]


def _paused(record: TrialRecord, rungs: Rungs, curve: Mapping[int, float]) -> TrialRecord:
    rungs.take_up(record.number, sorted(curve.items()))
    waits = rungs.paused(record.number) and not record.trainings
    return record.paused(rungs.epoch(record.number)) if waits else record
