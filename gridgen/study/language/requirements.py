"""What a study asks of its data, and what makes two studies the same."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gridgen.data import Dataset
from gridgen.data.datasets import lasting_name
from gridgen.errors import DataError, SpecError
from gridgen.files import is_file, sha256
from gridgen.space.choices import FieldPath
from gridgen.study.language.checking import relocated
from gridgen.study.language.objectives import further_scores
from gridgen.study.language.study import Study
from gridgen.training.tasks import HOLDOUT, VAL, columns, task_of
from gridgen.training.tasks.fingerprint import fingerprint
from gridgen.training.tasks.requirements import Splits, load_splits, require_fit

FREE = (
    *("data", "supernet", "trials", "stop", "trial_timeout", "baselines", "confirm"),
    "latency.table",
)
"""Fields that may change from one start of a search to the next: where the data lies, and how much
is trained.
"""


def require_data(study: Study) -> dict[str, Any]:
    """Refuse data that is missing, does not fit the networks, or is not scored by the objective.

    Returns the digests of what the data holds. Errors: `SpecError` at the field of the study.
    """
    return asdict(fingerprint(fitting_splits(study)))


def fitting_splits(study: Study) -> Splits:
    """The splits of the study's data, if they fit its networks and are scored by its objective.

    Errors: `SpecError` at the field of the study.
    """
    _require_holdout(study)
    dimensions = study.dimensions
    point = dimensions.first()
    keys = {each.name: each.key_of(point[each.name]) for each in dimensions.among(point)}
    try:
        splits = load_splits(study.data, study.holdout, study.fold, study.group)
        require_fit(study.unmatched(point), splits.train)
    except DataError as error:
        raise study.blame(SpecError(str(error), ("data",))) from error
    except SpecError as error:
        raise study.blame(relocated(error, dimensions, keys)) from error
    _require_objectives(study, splits.val)
    return splits


def _require_holdout(study: Study) -> None:
    """Refuse scores of what is held out where nothing is. Errors: `SpecError`."""
    for name, place in _asked(study).items():
        if name.startswith(HOLDOUT) and not study.holdout:
            fact = f"{name}: nothing is held out; set holdout to a pattern of names"
            raise study.blame(SpecError(fact, place))


def _asked(study: Study) -> dict[str, FieldPath]:
    """The scores that a study asks for, and where."""
    further = {name: ("against", name) for name in further_scores(study.against)}
    return {study.objective: ("objective",), **further}


def _require_objectives(study: Study, dataset: Dataset) -> None:
    task = task_of(dataset)
    scored = columns(task, (VAL, HOLDOUT) if study.holdout else (VAL,))
    for name, place in _asked(study).items():
        if name not in scored:
            fact = f"{name} is not scored on {dataset.name}; set {task.metric.val}"
            raise study.blame(SpecError(fact, place))


def digests(study: Study, data: dict[str, Any]) -> dict[str, str]:
    """Hashes of what may not change from one start of a search to the next, by what it is.

    Those of `data` are what `require_data` gives.
    """
    fields = {name: value for name, value in study.complete().items() if name not in FREE}
    fields["against"] = [*study.against.items()]  # their order is that of what is stored
    # Studies of before could not say these, and what their folders hold is still theirs.
    for name in ("against", "latency"):
        if not fields.get(name):
            fields.pop(name, None)
    if "latency" in fields:  # a table refuses early what would be refused later
        timed = fields["latency"].items()
        fields["latency"] = {name: value for name, value in timed if f"latency.{name}" not in FREE}
    fields |= {"recipe": study.training.complete(), "budget": study.limits.complete()}
    # Its folder may move, but not whether there is one; nor how confirmations are trained.
    if study.supernet is not None:
        fields["supernet"] = True
    if study.confirm is not None and (study.confirm.init or study.confirm.recipe):
        fields["confirm"] = {"init": study.confirm.init, "recipe": study.confirm.recipe}
    if study.specs is not None:
        fields["specs"] = {name: study.base(name) for name in study.spec_names}
    return {"settings": sha256(json.dumps(fields, sort_keys=True).encode()), **data}


def kept(study: Study) -> Study:
    """The study as its folder keeps it: whole, with paths that mean the same from everywhere."""
    given = study.spec_names.values()
    specs = [str(Path(path).resolve()) if is_file(path) else path for path in given]
    timed = study.latency
    if timed is not None and timed.table is not None:
        study = study.but(latency=timed.but(table=str(Path(timed.table).resolve())))
    return study.but(
        data=lasting_name(study.data),
        recipe=study.training.complete(),
        **({} if study.supernet is None else {"supernet": str(Path(study.supernet).resolve())}),
        **({} if study.specs is None else {"specs": specs}),
    )
