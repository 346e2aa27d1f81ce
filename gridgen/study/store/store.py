"""The study on disk: a log of its trials, written by one driver, read by whoever looks on."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState as OptunaState

from gridgen.arguments import checked
from gridgen.errors import RunError
from gridgen.study.store.attributes import (
    END,
    ENDS,
    INFEASIBLE,
    LOST,
    Attributes,
    Damaged,
    begun,
    end_of,
    record_of,
    sealed,
    training_of,
)
from gridgen.study.store.identity import Identity
from gridgen.study.store.storages import (
    STUDY_KEY,
    Opened,
    StorageKind,
    close,
    damaged,
    note_of,
    writing,
)
from gridgen.study.trials import Candidate, Role, Training, TrialRecord, TrialState

AGAIN = "again"
BUSY = "searching there"


class Store:
    """The trials of a study, kept in its folder. `open_store` and `read_store` make it.

    All of them are read and checked once; afterwards each write also updates what is held here, so
    that looking at all trials costs nothing.
    """

    def __init__(self, folder: Path, kind: StorageKind, opened: Opened) -> None:
        self.folder, self.kind = folder, kind
        self._storage, self._study = opened.storage, opened.study_id
        self._noted, self._attributes = opened.noted, dict(opened.attributes)
        self._objectives = Identity(self.text, {}).objectives
        self._records: dict[int, TrialRecord] = {}
        self._ids: list[int] = []
        self._reports: dict[int, dict[int, float]] = {}
        self._half_ended: list[TrialRecord] = []
        for trial in opened.trials:
            self._take(trial)

    @property
    def text(self) -> str:
        """The study's file, as it was when the folder was last searched in."""
        return str(self._noted["text"])

    @property
    def digests(self) -> Mapping[str, Any]:
        """Digests of what decides the scores, by what it is."""
        return dict(self._noted["digests"])

    @cached_property
    def optuna(self) -> optuna.Study:
        """Optuna's study, for importances and dashboards."""
        name = self.kind.name(self.folder / self.kind.file)
        return optuna.load_study(study_name=name, storage=self._storage)

    def hold(self) -> None:
        """Lock the storage until `close`, where it is one that others reach without this folder.

        Errors: `RunError` where another process writes to it.
        """
        self.kind.hold(self._storage, BUSY)

    def trials(self) -> list[TrialRecord]:
        """All trials in the order of their numbers."""
        return list(self._records.values())

    def trial(self, number: int) -> TrialRecord:
        """The trial of that number. Errors: `RunError`."""
        if number not in self._records:
            raise RunError(f"{self.folder}: there is no trial {number}")
        return self._records[number]

    @checked
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
        number, noted = len(self._ids), dict(attributes or {})
        record = TrialRecord(number, role, "running", candidate, (), "", of, known, noted)
        self._create(_template(params, distributions, begun(record, distributions, params), noted))
        self._records[number] = record
        self._reports[number] = {}
        return record

    @checked
    def report(self, number: int, step: int, score: float) -> None:
        """Write a validation of the first training; one that is known changes nothing."""
        reports = self._reports[self._running(number).number]
        if step in reports:
            return
        with self._writing():
            self._storage.set_trial_intermediate_value(self._ids[number], int(step), float(score))
        reports[int(step)] = float(score)

    def reports(self, number: int) -> Mapping[int, float]:
        """Validations of a trial that runs: score by step."""
        return dict(self._reports[self._running(number).number])

    @checked
    def trained(self, number: int, training: Training) -> None:
        """Write a training of a trial that is over."""
        record = self._running(number)
        key, value = training_of(number, len(record.trainings), training)
        with self._writing():
            self._storage.set_trial_user_attr(self._ids[number], key, value)
        self._records[number] = replace(record, trainings=(*record.trainings, training))

    @checked
    def finish(self, number: int, state: TrialState, reason: str = "") -> TrialRecord:
        """Write the end of a trial: one that finished has the mean of its scores."""
        record = replace(self._running(number), state=state, reason=reason)
        values = record.values(self._objectives)
        known = values is not None and all(map(isfinite, values))
        assert known or state != "finished", "finished without a score"
        with self._writing():
            end = end_of(record, self._reports[number])
            # A kill between this and the next leaves a trial that `_complete` ends.
            self._storage.set_trial_user_attr(self._ids[number], END, end)
            self._end(record)
        self._records[number] = record
        del self._reports[number]
        return record

    def again(self) -> list[TrialRecord]:
        """Failed trials that `retry` asked to be run again, but for those that were since."""
        asked_for = self._attributes.get(AGAIN, [])
        records = [self._records[number] for number in asked_for if number in self._records]
        return [each for each in records if not self._begun_since(each)]

    def retry(self) -> list[TrialRecord]:
        """Ask for all failed trials to be run again; returns them. The caller holds the lock."""
        failed = [each for each in self.trials() if each.state == "failed"]
        failed = [each for each in failed if not self._begun_since(each)]
        numbers = [each.number for each in failed]
        with self._writing():
            self._storage.set_study_user_attr(self._study, AGAIN, numbers)
        self._attributes[AGAIN] = numbers
        return failed

    def close(self) -> None:
        """Let go of the file."""
        close(self._storage)

    def lost(self, reason: str) -> None:
        """Write a trial in place of one whose record is gone, so that numbers stay."""
        number = len(self._ids)
        attributes = {LOST: sealed(number, LOST, {"reason": reason})}
        trial = _template({}, {}, attributes, {})
        trial.state = OptunaState.FAIL
        self._create(trial)

    def _begun_since(self, failed: TrialRecord) -> bool:
        def asked(record: TrialRecord) -> tuple[str, str, int | None]:
            return record.candidate.key, record.role, record.of

        later = (each for each in self.trials() if each.number > failed.number)
        return any(asked(each) == asked(failed) for each in later)

    def _create(self, trial: FrozenTrial) -> None:
        with self._writing():
            made = self._storage.create_new_trial(self._study, template_trial=trial)
        number = len(self._ids)
        # Numbers follow each other unless another program wrote a trial of its own.
        follows = self._ids and made == self._ids[-1] + 1
        if not follows and self._storage.get_trial_number_from_id(made) != number:
            raise RunError(f"{self.folder}: another program wrote a trial before trial {number}")
        self._ids.append(made)

    def _take(self, trial: FrozenTrial) -> None:
        """Hold a trial that was stored."""
        self._ids.append(trial._trial_id)
        try:
            record = record_of(trial, self._objectives)
        except Damaged as error:
            path = self.folder / self.kind.file
            raise damaged(self.folder, path, f"trial {trial.number}: {error}") from error
        if record is None:
            return
        self._records[trial.number] = record
        if record.state == "running":
            self._reports[trial.number] = dict(trial.intermediate_values)
        elif trial.state is OptunaState.RUNNING:
            self._half_ended.append(record)

    def settle(self, identity: Identity) -> None:
        """Complete what a kill left half written, and keep the study as it is now.

        How much is trained may have changed, and where the data lies.
        """
        self._complete()
        digests = {**self._noted["digests"], **identity.digests}
        noted = note_of(replace(identity, digests=digests))
        if any(self._noted[name] != value for name, value in noted.items()):
            with self._writing():
                sealed_note = sealed(-1, STUDY_KEY, noted)
                self._storage.set_study_user_attr(self._study, STUDY_KEY, sealed_note)
            self._noted = noted

    def _complete(self) -> None:
        """Tell Optuna of trials whose end a kill left half written."""
        for record in self._half_ended:
            with self._writing():
                self._end(record)
        self._half_ended.clear()

    def _end(self, record: TrialRecord) -> None:
        trial_id = self._ids[record.number]
        if record.state == "infeasible":
            for name, value in INFEASIBLE.items():
                self._storage.set_trial_system_attr(trial_id, name, value)
        values = record.values(self._objectives) if record.state == "finished" else None
        self._storage.set_trial_state_values(trial_id, ENDS[record.state], values)

    def _running(self, number: int) -> TrialRecord:
        record = self.trial(number)
        if record.state != "running":
            raise RunError(f"{self.folder}: trial {number} is {record.state} already")
        return record

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self.folder)


def _template(
    params: Mapping[str, Any],
    distributions: Mapping[str, BaseDistribution],
    attributes: Attributes,
    system_attrs: Attributes,
) -> FrozenTrial:
    """A running trial that Optuna stores in one transaction."""
    return FrozenTrial(
        number=-1,  # the storage gives it one, and an id
        state=OptunaState.RUNNING,
        value=None,
        datetime_start=datetime.now(),
        datetime_complete=None,
        params=dict(params),
        distributions=dict(distributions),
        user_attrs=attributes,
        system_attrs=system_attrs,
        intermediate_values={},
        trial_id=-1,
    )
