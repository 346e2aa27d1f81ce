"""The store of a study: one writer, each trial begun in one transaction, checked when opened."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import TrialState, create_trial

from gridgen.errors import RunError
from gridgen.files import make_folder, read_text, write_file
from gridgen.spec import Source
from gridgen.study.store.kinds import kind_in
from gridgen.study.store.records import (
    END,
    candidate_attributes,
    end_attribute,
    record_of,
    training_attribute,
)
from gridgen.study.trials import Candidate, Role, Training, TrialRecord, TrialState as State

NAME = "gridgen"
SPEC = "study.yaml"
DIGEST = "digest-"
ENDS = {
    "finished": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "infeasible": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


@dataclass
class Store:
    """The trials of a study on disk, and in memory as they stand."""

    path: Path
    optuna: optuna.Study
    _records: dict[int, TrialRecord] = field(default_factory=dict)
    _reported: dict[int, set[int]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._storage, self._study = self.optuna._storage, self.optuna._study_id
        trials = self.optuna.get_trials(deepcopy=False)
        self._ids = {trial.number: trial._trial_id for trial in trials}
        self._records = {trial.number: record_of(trial) for trial in trials}
        running = (trial for trial in trials if not trial.state.is_finished())
        self._reported = {trial.number: {*trial.intermediate_values} for trial in running}

    def trials(self) -> list[TrialRecord]:
        """All trials, in their order."""
        return [*self._records.values()]

    def begin(
        self,
        candidate: Candidate,
        role: Role,
        distributions: Mapping[str, BaseDistribution],
        params: Mapping[str, Any],
        *,
        of: int | None = None,
        known: str = "",
        attributes: Mapping[str, Any] | None = None,
    ) -> TrialRecord:
        """Write a new trial, which is running; its number is in the record.

        `params` are the candidate's as Optuna has them, `attributes` what the sampler notes.
        """
        template = create_trial(
            state=TrialState.RUNNING,
            params=dict(params),
            distributions=dict(distributions),
            user_attrs=candidate_attributes(candidate, role, of, known),
            system_attrs=dict(attributes or {}),
        )
        # As a template all of it is one transaction, where Optuna's `ask` takes one each.
        trial_id = self._storage.create_new_trial(self._study, template)
        number = self._storage.get_trial_number_from_id(trial_id)
        record = TrialRecord(
            number, role, "running", candidate, (), "", of, known, dict(attributes or {})
        )
        self._ids[number], self._records[number] = trial_id, record
        self._reported[number] = set()
        return record

    def report(self, number: int, epoch: int, score: float) -> None:
        """Keep a validation of a running trial; one that is kept already is left as it is."""
        if epoch not in self._reported[number]:
            self._storage.set_trial_intermediate_value(self._ids[number], epoch, score)
            self._reported[number].add(epoch)

    def trained(self, number: int, training: Training) -> None:
        """Keep a training that is over, of a running trial."""
        self._storage.set_trial_user_attr(self._ids[number], *training_attribute(training))
        record = self._records[number]
        self._records[number] = replace(record, trainings=(*record.trainings, training))

    def finish(self, number: int, state: State, reason: str = "") -> TrialRecord:
        """Keep the end of a trial; its score is the mean of its trainings."""
        record = replace(self._records[number], state=state, reason=reason)
        values = None
        if state == "finished":
            assert record.score is not None
            values = [record.score]
        else:
            said = end_attribute(state, reason)
            self._storage.set_trial_user_attr(self._ids[number], END, said)
        self._storage.set_trial_state_values(self._ids[number], ENDS[state], values)
        self._records[number] = record
        del self._reported[number]
        return record

    def close(self) -> None:
        """Let go of the file."""
        self._storage.remove_session()


def open_store(
    folder: Path,
    text: str,
    digests: Mapping[str, str],
    free: Collection[str] = (),
    wanted: str | None = None,
) -> Store:
    """The store in a study's folder, made if there is none. The caller holds the folder's lock.

    `text` is the study's file, as it is kept there; its fields may not change from one start to the
    next, but for those that are `free`, and neither may what `digests` tell of. Errors: `RunError`
    for another study's folder and for a damaged database.
    """
    path, kind = kind_in(folder, wanted)
    _require_fields(folder, text, free)
    optuna.logging.set_verbosity(logging.ERROR)
    fresh = not path.exists()
    make_folder(folder)
    try:
        if not fresh:
            kind.mend(path)
        study = optuna.create_study(
            storage=kind.open(path), study_name=NAME, direction="maximize", load_if_exists=True
        )
        store = Store(path, study)
        _require_same(store, digests)
    except RunError:
        raise
    # Damage shows as whatever comes of reading what nobody wrote.
    except Exception as error:
        raise damaged(path, error) from error
    _keep(folder, text)
    return store


def read_store(folder: Path) -> Store:
    """The store of a study that was begun, to be read alone. Errors: `RunError`."""
    path, _ = kind_in(folder)
    if not path.exists():
        raise RunError(f"{folder}: no study there; gridgen search STUDY -o {folder} begins one")
    try:
        storage = kind_in(folder)[1].open(path)
        return Store(path, optuna.load_study(study_name=NAME, storage=storage))
    except RunError:
        raise
    except Exception as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> RunError:
    """What to say of a database that cannot be read."""
    reason = str(error.__cause__ or error).splitlines()[:1] or [type(error).__name__]
    fix = f"gridgen study {path.parent} repair saves what is whole"
    return RunError(f"{path}: not the database of a study, or damaged: {reason[0]}; {fix}")


def _require_same(store: Store, digests: Mapping[str, str]) -> None:
    kept = store.optuna.user_attrs
    for name, digest in digests.items():
        if kept.get(DIGEST + name, digest) != digest:
            what = name.replace("_", " ")
            raise RunError(
                f"{store.path.parent} holds a search with other {what} than this study's now; "
                "put them back, or name another folder with -o"
            )
        if DIGEST + name not in kept:
            store.optuna.set_user_attr(DIGEST + name, digest)


def _require_fields(folder: Path, text: str, free: Collection[str]) -> None:
    """The study that the folder keeps says the same, but for fields that are free."""
    path = folder / SPEC
    if not path.exists():
        return
    was, now = Source.read(path).data, Source.parse(text, SPEC).data
    names = [name for name in {**was, **now} if name not in free]
    changed = [name for name in names if was.get(name) != now.get(name)]
    if changed:
        fact = f"{folder} holds a search with other {' and '.join(changed)} ({path})"
        raise RunError(f"{fact}; put that back, or name another folder with -o")


def _keep(folder: Path, text: str) -> None:
    """The study as it is now: how much is trained may change, and where the data lies."""
    path = folder / SPEC
    if not path.exists() or read_text(path) != text:
        write_file(path, text)
