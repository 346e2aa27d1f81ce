"""The trials of a search as samplers and Optuna's pruners see them: a study of Optuna's in memory.

A trial is known by its place, the number of searched trials that were proposed before it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from gridgen.space.choices import Params
from gridgen.study.language.dimensions import SearchSpace
from gridgen.study.methods import Pruner
from gridgen.study.proposals.distributions import holds, in_optuna
from gridgen.study.proposals.sampler import FeasibleSampler, NothingNew, suggested
from gridgen.study.trials import TrialState as State

NAME = "gridgen"
STATES: dict[State, TrialState] = {
    "finished": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    # What is known of it is as much as of one that is pruned.
    "paused": TrialState.PRUNED,
    # A sampler learns that there is nothing to be had there.
    "infeasible": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


class SeenTrials:
    """Trials by their places, filled anew at each start of a search."""

    def __init__(self, dimensions: SearchSpace, pruner: Pruner, epochs: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.dimensions, self.pruner, self.epochs = dimensions, pruner, epochs
        self.optuna = self._empty()
        self._judges: dict[int, optuna.Study] = {}

    def ask(self, sampler: FeasibleSampler) -> dict[str, Any] | None:
        """Add the trial that a sampler proposes; what it notes of it, None where nothing is new."""
        self.optuna.sampler = sampler
        trial = self.optuna.ask()
        try:
            # Asked for here, as Optuna asks for no point of which each value is the only one.
            trial.relative_params  # noqa: B018
            suggested(trial, self.dimensions)
        except NothingNew:
            self.optuna.tell(trial, state=TrialState.FAIL)
            return None
        noted = self._trials[trial.number].system_attrs
        # What samplers note of a proposal on its way is of no use to a later start.
        return {name: each for name, each in noted.items() if "relative_params" not in name}

    def add(self, params: Params, attributes: Mapping[str, Any]) -> None:
        """Add a trial that the sampler did not propose just now."""
        point = in_optuna(self.dimensions, params)
        noted = dict(attributes)
        self.optuna.add_trial(create_trial(state=TrialState.RUNNING, **point, system_attrs=noted))

    def fits(self, params: Params) -> bool:
        """Whether these are values of this space; those of a table may be of another."""
        named = self.dimensions.named
        if not params or not params.keys() <= named.keys():
            return False
        return all(holds(named[name], label) for name, label in params.items())

    def show(
        self, place: int, curve: Iterable[tuple[int, float]], state: State, score: float | None
    ) -> None:
        """Show how a trial ended, or paused; one that paused is shown again when it went on."""
        self._judges.pop(place, None)
        stored = self._trials[place]
        if stored.state is TrialState.PRUNED:
            # Optuna has no public way to go on with a trial that was told as pruned.
            stored.state, stored.values = TrialState.RUNNING, None
        trial = _trial(self.optuna, place)
        for epoch, reached in curve:
            if epoch not in stored.intermediate_values:
                trial.report(reached, epoch)
        told = STATES[state]
        self.optuna.tell(trial, score if told is TrialState.COMPLETE else None, told)

    def judged(self, place: int, epoch: int, score: float, apart: bool) -> bool:
        """Note a validation, and say whether Optuna's pruner ends the training there.

        `apart`: compare it with what was known when it was first asked for, and with no more.
        """
        judge = self._judge(place) if apart else self.optuna
        trial = _trial(judge, place)
        if epoch not in judge.get_trials(deepcopy=False)[place].intermediate_values:
            trial.report(score, epoch)
        return trial.should_prune()

    def _judge(self, place: int) -> optuna.Study:
        if place not in self._judges:
            judge = self._judges[place] = self._empty()
            for trial in self._trials[: place + 1]:
                judge.add_trial(trial)
        return self._judges[place]

    def _empty(self) -> optuna.Study:
        pruner = self.pruner.make(self.epochs)
        return optuna.create_study(direction="maximize", study_name=NAME, pruner=pruner)

    @property
    def _trials(self) -> list[FrozenTrial]:
        return self.optuna.get_trials(deepcopy=False)


def _trial(study: optuna.Study, place: int) -> Trial:
    # Optuna has no public way from a trial's number to one that can be told its score.
    return Trial(study, study.get_trials(deepcopy=False)[place]._trial_id)
