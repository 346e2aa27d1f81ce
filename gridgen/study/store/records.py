"""A trial's record as attributes of an Optuna trial, with checksums, and back.

People see name, role and costs in a dashboard; what gridgen reads stands in two kinds of attributes
of its own, `candidate` and `training-SEED`, each with a checksum of what it says.
"""

import json
from collections.abc import Mapping
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from gridgen.architectures.load import spec_of
from gridgen.files import sha256
from gridgen.study.trials import Candidate, Role, Training, TrialRecord, TrialState as State

CANDIDATE, TRAINING, END = "candidate", "training-", "end"
CHECK, DIGITS = "check", 16


class DamagedRecordError(ValueError):
    """A record does not say what was written."""


def candidate_attributes(
    candidate: Candidate, role: Role, of: int | None, known: str
) -> dict[str, Any]:
    """What a trial is begun with."""
    told = {
        "name": candidate.name,
        "params": dict(candidate.params),
        "network": candidate.network.complete(),
        "recipe": dict(candidate.recipe),
        "costs": dict(candidate.costs),
        "key": candidate.key,
        "role": role,
        "of": of,
        "known": known,
    }
    return {"name": candidate.name, "role": role, **candidate.costs, CANDIDATE: checked_text(told)}


def training_attribute(training: Training) -> tuple[str, str]:
    """Name and value of the attribute for a training that is over."""
    told = {
        "seed": training.seed,
        "state": training.state,
        "score": training.score,
        # JSON has no nan, which a class without pixels scores.
        "row": {name: _plain(value) for name, value in training.row.items()},
        "curve": [[epoch, _plain(score)] for epoch, score in training.curve],
        "seconds": training.seconds,
        "folder": training.folder,
        "reason": training.reason,
    }
    return f"{TRAINING}{training.seed}", checked_text(told)


def end_attribute(state: State, reason: str) -> str:
    """The value of the attribute for the end of a trial that has no score."""
    return checked_text({"state": state, "reason": reason})


def record_of(trial: FrozenTrial) -> TrialRecord:
    """The record that a stored trial holds. Errors: `DamagedRecordError`."""
    attributes = trial.user_attrs
    told = checked_values(attributes.get(CANDIDATE))
    candidate = Candidate(
        told["name"],
        told["params"],
        spec_of(told["network"]),
        told["recipe"],
        told["costs"],
        told["key"],
    )
    every = (value for name, value in attributes.items() if name.startswith(TRAINING))
    trainings = tuple(_training(checked_values(value)) for value in every)
    state, reason = _end(trial)
    record = TrialRecord(
        trial.number,
        told["role"],
        state,
        candidate,
        trainings,
        reason,
        told["of"],
        told["known"],
        trial.system_attrs,
    )
    # Others may have written to the database; what counts are the trainings.
    if state == "finished" and trial.value != record.score:
        fact = f"its value is {trial.value}, and its trainings have {record.score}"
        raise DamagedRecordError(f"trial {trial.number}: {fact}")
    return record


def _training(told: dict[str, Any]) -> Training:
    row = {name: _number(value) for name, value in told["row"].items()}
    curve = tuple((epoch, _number(score)) for epoch, score in told["curve"])
    return Training(**told | {"row": row, "curve": curve})


def _end(trial: FrozenTrial) -> tuple[State, str]:
    if trial.state is TrialState.RUNNING:
        return "running", ""
    if trial.state is TrialState.COMPLETE:
        return "finished", ""
    told = checked_values(trial.user_attrs.get(END))
    return told["state"], told["reason"]


def checked_text(told: Mapping[str, Any]) -> str:
    """A JSON text that says its own checksum."""
    text = json.dumps(told, sort_keys=True)
    return json.dumps({**told, CHECK: sha256(text.encode())[:DIGITS]}, sort_keys=True)


def checked_values(text: object) -> dict[str, Any]:
    """What `checked_text` was given. Errors: `DamagedRecordError`."""
    try:
        told: dict[str, Any] = json.loads(str(text))
        check = told.pop(CHECK)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise DamagedRecordError("an attribute of a trial is missing or no record") from error
    if sha256(json.dumps(told, sort_keys=True).encode())[:DIGITS] != check:
        raise DamagedRecordError("an attribute of a trial says something else than was written")
    return told


def _plain(value: float) -> float | None:
    return None if value != value else value


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
