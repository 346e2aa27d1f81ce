"""A trial as the attributes of an Optuna trial, and read again, with all that was changed noticed.

Each attribute of ours carries a checksum over itself, its name and the trial's number. What a
person reads in a dashboard (name, role, parameters, MACs) stands beside them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.trial import FrozenTrial, TrialState as OptunaState, create_trial

from gridgen.architectures.load import spec_of
from gridgen.errors import GridgenError
from gridgen.study.trials import Candidate, Objectives, Role, Training, TrialRecord, TrialState

CANDIDATE, TRAINING, END, LOST = "candidate", "training ", "end", "lost"
SUM = "sum"
SHOWN_COSTS = ("parameters", "macs")
ENDS: dict[TrialState, OptunaState] = {
    "finished": OptunaState.COMPLETE,
    "pruned": OptunaState.PRUNED,
    "failed": OptunaState.FAIL,
    # Optuna has no state for it; a broken constraint beside tells it from a pruned trial.
    "infeasible": OptunaState.PRUNED,
}
Attributes = dict[str, Any]


class Damaged(Exception):  # noqa: N818 - what was found, worded for a user elsewhere
    """What is stored is not what was written."""


def sealed(number: int, key: str, content: Mapping[str, Any]) -> Attributes:
    """The attribute `key` of trial `number`, as JSON types, with its checksum."""
    plain: Attributes = json.loads(json.dumps(content, default=_plain))
    plain |= {"trial": number, "attribute": key}
    return plain | {SUM: _checksum(plain)}


def unsealed(value: Any) -> Attributes:
    """What `sealed` wrote, with `trial` and `attribute`. Errors: `Damaged`."""
    if not isinstance(value, dict) or SUM not in value:
        raise Damaged("not written by gridgen")
    content = {name: each for name, each in value.items() if name != SUM}
    if value[SUM] != _checksum(content):
        raise Damaged("its checksum does not match its content")
    return content


def begun(
    record: TrialRecord, distributions: Mapping[str, BaseDistribution], params: Mapping[str, Any]
) -> Attributes:
    """User attributes of a trial that begins; `params` are the candidate's as Optuna has them."""
    candidate = record.candidate
    content = {
        "name": candidate.name,
        "params": candidate.params,
        "network": candidate.network.complete(),
        "recipe": candidate.recipe,
        "costs": candidate.costs,
        "key": candidate.key,
        "role": record.role,
        "of": record.of,
        "known": record.known,
        "asked": _internal(params, distributions),
        "attributes": record.attributes,
    }
    sealed_content = sealed(record.number, CANDIDATE, content)
    return {**_shown(candidate, record.role), CANDIDATE: sealed_content}


def training_of(number: int, index: int, training: Training) -> tuple[str, Attributes]:
    """Key and value of the attribute of a trial's training number `index`."""
    key = f"{TRAINING}{index}"
    return key, sealed(number, key, asdict(training))


def end_of(record: TrialRecord, reports: Mapping[int, float]) -> Attributes:
    """The attribute that ends a trial; it knows how many trainings and which reports there are."""
    content = {
        "state": record.state,
        "reason": record.reason,
        "trainings": len(record.trainings),
        "reports": _checksum(sorted(reports.items())),
    }
    return sealed(record.number, END, content)


def constraint(name: str, value: float) -> Attributes:
    """System attributes by which Optuna knows a constraint of a trial; broken above 0."""
    # The key is Optuna's own affair, and only trials know it.
    trial = create_trial(state=OptunaState.RUNNING)
    trial.set_constraint(name, value)
    return trial.system_attrs


INFEASIBLE = constraint("infeasible", 1.0)


def read_candidate(content: Attributes) -> Candidate:
    """The candidate of an unsealed attribute. Errors: `Damaged` where another version wrote it."""
    try:
        return Candidate(
            name=content["name"],
            params=content["params"],
            network=spec_of(content["network"]),
            recipe=content["recipe"],
            costs=content["costs"],
            key=content["key"],
        )
    except (KeyError, TypeError, ValueError, GridgenError) as error:
        raise Damaged(f"its candidate is none: {str(error).splitlines()[0]}") from error


def read_training(content: Attributes) -> Training:
    """The training of an unsealed attribute. Errors: `Damaged`."""
    fields = {name: value for name, value in content.items() if name not in ("trial", "attribute")}
    try:
        curve = tuple((epoch, score) for epoch, score in fields.pop("curve"))
        return Training(**fields, curve=curve)
    except (KeyError, TypeError, ValueError, GridgenError) as error:
        raise Damaged(f"a training is none: {str(error).splitlines()[0]}") from error


def record_of(trial: FrozenTrial, objectives: Objectives) -> TrialRecord | None:
    """The record of a stored trial, whose values are of these objectives; None for one that a
    repair found lost.

    A trial that has its end, but still runs for Optuna, was ended when a kill came between the two
    writes. Errors: `Damaged`.
    """
    attributes = dict(trial.user_attrs)
    if LOST in attributes:
        _opened(trial.number, LOST, attributes.pop(LOST))
        return None
    content = _opened(trial.number, CANDIDATE, attributes.pop(CANDIDATE, None))
    end = attributes.pop(END, None)
    candidate = read_candidate(content)
    if (shown := _shown(candidate, content["role"])) != {
        name: attributes.pop(name, None) for name in shown
    }:
        raise Damaged("name, role or costs are not those of its candidate")
    trainings: list[Training] = []
    while (key := f"{TRAINING}{len(trainings)}") in attributes:
        trainings.append(read_training(_opened(trial.number, key, attributes.pop(key))))
    if attributes:
        raise Damaged(f"unknown attribute {next(iter(attributes))!r}")
    _require_asked(trial, content)
    record = TrialRecord(
        trial.number,
        content["role"],
        "running",
        candidate,
        tuple(trainings),
        of=content["of"],
        known=content["known"],
        attributes=content["attributes"],
    )
    return _ended(record, trial, end, objectives)


def _ended(
    record: TrialRecord, trial: FrozenTrial, end: Any, objectives: Objectives
) -> TrialRecord:
    """The record with its end, which must agree with all that Optuna stores."""
    running = trial.state is OptunaState.RUNNING
    if end is None:
        if not running:
            raise Damaged("its end is missing")
        return record
    content = _opened(record.number, END, end)
    state = content["state"]
    if len(record.trainings) != content["trainings"]:
        raise Damaged("a training is missing")
    if content["reports"] != _checksum(sorted(trial.intermediate_values.items())):
        raise Damaged("its validations are not those that were written")
    ended = replace(record, state=state, reason=content["reason"])
    if not running and trial.state is not ENDS[state]:
        raise Damaged(f"it is {state}, but {trial.state.name} for Optuna")
    if not running and trial.values != (ended.values(objectives) if state == "finished" else None):
        raise Damaged("its score is not the mean of those of its trainings")
    return ended


def _require_asked(trial: FrozenTrial, content: Attributes) -> None:
    """Parameters and system attributes are those that were written. Errors: `Damaged`."""
    if _internal(trial.params, trial.distributions) != content["asked"]:
        raise Damaged("its parameters are not those that were written")
    system = trial.system_attrs
    if any(system.get(name) != value for name, value in content["attributes"].items()):
        raise Damaged("its constraints are not those that were written")


def _internal(
    params: Mapping[str, Any], distributions: Mapping[str, BaseDistribution]
) -> Attributes:
    return {
        name: [float(each.to_internal_repr(params[name])), distribution_to_json(each)]
        for name, each in distributions.items()
    }


def _opened(number: int, key: str, value: Any) -> Attributes:
    """An unsealed attribute that is of this trial and name. Errors: `Damaged`."""
    content = unsealed(value)
    if (content["trial"], content["attribute"]) != (number, key):
        raise Damaged(f"an attribute of trial {content['trial']} stands there")
    return content


def _shown(candidate: Candidate, role: Role) -> Attributes:
    """What people read in a dashboard."""
    costs = {name: int(candidate.costs[name]) for name in SHOWN_COSTS if name in candidate.costs}
    return {"name": candidate.name, "role": role, **costs}


def _checksum(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Mappings of other kinds, and numbers of NumPy, as JSON types."""
    if isinstance(value, Mapping):
        return dict(value)
    return value.item() if hasattr(value, "item") else str(value)
