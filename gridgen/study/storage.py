"""The study on disk: one sqlite file, one writer."""

import logging
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from gridgen.errors import RunError
from gridgen.files import write_file
from gridgen.study.sampling import PRUNERS, SAMPLERS
from gridgen.study.study import Study
from gridgen.training.run import dump

NAME = "gridgen"
DATABASE, SPEC = "study.db", "study.yaml"


def open_study(folder: Path, study: Study) -> optuna.Study:
    """The Optuna study in `folder`, made where there is none. The caller holds the lock.

    Errors: `RunError` where the folder holds another study than `study`.
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
    """The study that `folder` holds, if any, is `study`, give or take `trials`; or `RunError`."""
    kept = folder / SPEC
    if kept.exists() and _settings(Study.load(kept)) != _settings(study):
        raise RunError(
            f"{folder} holds a study with other settings ({kept}); name another folder with -o"
        )


def _open_database(path: Path) -> optuna.Study:
    try:
        return optuna.create_study(
            storage=RDBStorage(f"sqlite:///{path}"),
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
    return [Trial(study, trial._trial_id) for trial in running]


def trained(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that were trained and scored, oldest first; copies of a score left out."""
    return [trial for trial in settled(study) if trial.state is TrialState.COMPLETE]


def settled(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that were trained to the end or until the pruner gave them up, oldest first."""
    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return [trial for trial in ended if not {"copy_of", "refused"} & trial.user_attrs.keys()]


def tried(study: optuna.Study, refused: bool = True) -> set[str]:
    """The points of the space that have been asked for, as text; with or without refused ones."""
    trials = study.get_trials(deepcopy=False)
    counted = (trial for trial in trials if refused or "refused" not in trial.user_attrs)
    return {str(sorted(trial.params.items())) for trial in counted}


def _settings(study: Study) -> dict[str, object]:
    """All that decides what is found: no `trials`, and the budget with what the recipe says."""
    fields = study.complete() | {"budget": study.limits.complete()}
    return {name: value for name, value in fields.items() if name != "trials"}
