"""The study on disk: its spec, and its database, to which one process writes at a time."""

import logging
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from gridgen.errors import RunError
from gridgen.files import write_file
from gridgen.study.sampling import PRUNERS, SAMPLERS
from gridgen.study.study import Study
from gridgen.training.run.folder import dump

NAME = "gridgen"
DATABASE, SPEC = "study.db", "study.yaml"
SQLITE = "sqlite:///"


def open_study(folder: Path, study: Study) -> optuna.Study:
    """The Optuna study in `folder`, which is created if there is none. The caller holds the lock.

    Errors: `RunError` if the folder holds another study than `study`.
    """
    optuna.logging.set_verbosity(logging.WARNING)
    require_same(folder, study)
    if not (folder / SPEC).exists():
        write_file(folder / SPEC, dump(study))
    opened = _open_database(folder / DATABASE)
    # The seed moves with the number of trials, or a continued study would begin again.
    opened.sampler = SAMPLERS[study.sampler].make(study.seed + len(opened.trials))
    opened.pruner = PRUNERS[study.pruner].make()
    return opened


def require_same(folder: Path, study: Study) -> None:
    """Refuse a folder that holds another study, except for `trials`. Errors: `RunError`."""
    kept = folder / SPEC
    if kept.exists() and _settings(Study.load(kept)) != _settings(study):
        raise RunError(
            f"{folder} holds a study with other settings ({kept}); name another folder with -o"
        )


def open_storage(url: str) -> BaseStorage:
    """The storage of trials at a URL; storages are opened nowhere else.

    Errors: `RunError` for a URL that is not of an SQLite file; Optuna's and SQLAlchemy's own
    errors for a file that is not a study's database.
    """
    if not url.startswith(SQLITE):
        scheme = url.partition(":")[0]
        raise RunError(f"unsupported storage {scheme!r}: trials are stored in an SQLite file")
    return RDBStorage(url)


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file, whatever characters its path holds. Errors: `RunError`.

    >>> sqlite_url(Path("found?/study.db"))
    'sqlite:///found%3F/study.db'
    """
    # SQLAlchemy ends a path at `?` and decodes the rest, so SQLAlchemy itself must encode it.
    try:
        url = URL.create("sqlite", database=str(path)).render_as_string()
    except UnicodeEncodeError as error:
        fact = "the name is not UTF-8, as the address of a study's database must be"
        raise RunError(f"{path}: {fact}; name another folder with -o") from error
    # Optuna runs str.format over the URL, for which a single brace begins a field.
    return url.replace("{", "{{").replace("}", "}}")


def _open_database(path: Path) -> optuna.Study:
    try:
        return optuna.create_study(
            storage=open_storage(sqlite_url(path)),
            study_name=NAME,
            direction="maximize",
            load_if_exists=True,
        )
    except (SQLAlchemyError, StorageInternalError, RuntimeError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise RunError(
            f"{path}: not the database of a study: {reason}; name another folder with -o"
        ) from error


def orphans(study: optuna.Study) -> list[Trial]:
    """Trials that a killed process left running, to be run again under the same number."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    # Optuna has no public way back from a stored trial to one that can be told its score.
    return [Trial(study, trial._trial_id) for trial in running]


def trained(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that were trained and scored, oldest first, without copies of earlier scores."""
    return [trial for trial in settled(study) if trial.state is TrialState.COMPLETE]


def settled(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that were trained to the end or until the pruner stopped them, oldest first."""
    # A deep copy of all trials for every candidate would take quadratic time.
    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return [trial for trial in ended if not {"copy_of", "refused"} & trial.user_attrs.keys()]


def tried(study: optuna.Study, refused: bool = True) -> set[str]:
    """The points of the space that were asked for, as text, with or without the refused ones."""
    trials = study.get_trials(deepcopy=False)
    counted = (trial for trial in trials if refused or "refused" not in trial.user_attrs)
    return {str(sorted(trial.params.items())) for trial in counted}


def networks(study: optuna.Study) -> set[str]:
    """The fingerprints of the networks that a training was begun for."""
    trials = study.get_trials(deepcopy=False)
    known = (trial.user_attrs.get("fingerprint") for trial in trials)
    return {fingerprint for fingerprint in known if fingerprint is not None}


def _settings(study: Study) -> dict[str, object]:
    """The fields that decide what a search finds: all but `trials`, the budget in full."""
    fields = study.complete() | {"budget": study.limits.complete()}
    return {name: value for name, value in fields.items() if name != "trials"}
