"""The study on disk: one sqlite file, one writer."""

import logging
from pathlib import Path

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from gridgen.errors import RunError
from gridgen.files import write_file
from gridgen.study.samplers import PRUNERS, SAMPLERS
from gridgen.study.study import Study
from gridgen.training.run import dump

NAME = "gridgen"
DATABASE, SPEC = "study.db", "study.yaml"


def open_study(folder: Path, study: Study) -> optuna.Study:
    """The Optuna study in `folder`, made where there is none. The caller holds the lock.

    Errors: `RunError` where the folder holds another study than `study`.
    """
    optuna.logging.set_verbosity(logging.WARNING)
    kept = folder / SPEC
    if not kept.exists():
        write_file(kept, dump(study))
    elif _without_trials(Study.load(kept)) != _without_trials(study):
        raise RunError(
            f"{folder} holds a study with other settings ({kept}); name another folder with -o"
        )
    storage = RDBStorage(f"sqlite:///{folder / DATABASE}")
    opened = optuna.create_study(
        storage=storage, study_name=NAME, direction="maximize", load_if_exists=True
    )
    # The seed moves with the number of trials, or a continued study would begin again.
    opened.sampler = SAMPLERS[study.sampler].make(study.seed + len(opened.trials))
    opened.pruner = PRUNERS[study.pruner].make()
    return opened


def orphans(study: optuna.Study) -> list[Trial]:
    """Trials that a killed process left running, to be run again under the same number."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [Trial(study, trial._trial_id) for trial in running]


def trained(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that were trained and scored, oldest first; copies of a score left out."""
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return [trial for trial in finished if "copy_of" not in trial.user_attrs]


def _without_trials(study: Study) -> dict[str, object]:
    return {name: value for name, value in study.plain().items() if name != "trials"}
