"""The trials of a search as samplers and Optuna's pruners see them: a study of Optuna's in memory.

A trial is known by its place, the number of searched trials that were proposed before it.

With several objectives, Optuna's studies take no validations and ask no pruner. Those are kept here
then, and a pruner is asked of a study of one objective, whose trials cost no more than the one that
is judged: what nothing as cheap beats is never below their median.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from gridgen.space.choices import Params
from gridgen.study.language.dimensions import SearchSpace
from gridgen.study.methods import Pruner
from gridgen.study.proposals.distributions import holds, in_optuna
from gridgen.study.proposals.sampler import FeasibleSampler, NothingNew, suggested
from gridgen.study.trials import Direction, TrialState as State

NAME = "gridgen"
Costs = tuple[float, ...]
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

    def __init__(
        self,
        dimensions: SearchSpace,
        pruner: Pruner,
        epochs: int,
        directions: Sequence[Direction] = ("maximize",),
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.dimensions, self.pruner, self.epochs = dimensions, pruner, epochs
        self.several = len(directions) > 1
        self.optuna = optuna.create_study(
            directions=directions, study_name=NAME, pruner=pruner.make(epochs)
        )
        self._judges: dict[int, optuna.Study] = {}
        # With several objectives: validations, and the exact costs, less of which is better.
        self._curves: dict[int, dict[int, float]] = defaultdict(dict)
        self._costs: dict[int, Costs] = {}
        # And those that stopped, which samplers see as if they had ended so.
        self._stopped: set[int] = set()

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

    def price(self, place: int, costs: Costs) -> None:
        """Note what a trial costs exactly, each cost such that less is better."""
        self._costs[place] = costs

    def show(
        self,
        place: int,
        curve: Iterable[tuple[int, float]],
        state: State,
        values: Sequence[float] | None,
    ) -> None:
        """Show how a trial ended, or paused; one that paused is shown again when it went on."""
        self._judges.pop(place, None)
        stored = self._trials[place]
        if stored.state.is_finished():
            # Optuna has no public way to go on with a trial that was told as ended.
            stored.state, stored.values = TrialState.RUNNING, None
        trial = _trial(self.optuna, place)
        for epoch, reached in curve:
            if self.several:
                self._curves[place][epoch] = reached
            elif epoch not in stored.intermediate_values:
                trial.report(reached, epoch)
        told = STATES[state]
        # Of several objectives, samplers look at no trial that is told as pruned.
        self._stopped.discard(place)
        if self.several and values is not None and state in ("paused", "pruned"):
            self._stopped.add(place)
            told = TrialState.COMPLETE
        self.optuna.tell(trial, values if told is TrialState.COMPLETE else None, told)

    def judged(self, place: int, epoch: int, score: float, apart: bool) -> bool:
        """Note a validation, and say whether Optuna's pruner ends the training there.

        `apart`: compare it with what was known when it was first asked for, and with no more.
        """
        if self.several:
            self._curves[place][epoch] = score
        judge, there = self.optuna, place
        if apart or self.several:
            judge, there = self._judge(place, apart), -1
        trial = _trial(judge, there)
        if epoch not in judge.get_trials(deepcopy=False)[there].intermediate_values:
            trial.report(score, epoch)
        return trial.should_prune()

    def _judge(self, place: int, apart: bool) -> optuna.Study:
        """A study that ends with the trial of a place, which knows those that it is held against.

        `apart`: it stays as it was when it was first asked for.
        """
        if apart and place in self._judges:
            return self._judges[place]
        judge = optuna.create_study(direction="maximize", pruner=self.pruner.make(self.epochs))
        trials = self._trials
        others = [number for number in range(place if apart else len(trials)) if number != place]
        for number in [*filter(lambda other: self._as_cheap(other, place), others), place]:
            judge.add_trial(self._with_one_objective(number) if self.several else trials[number])
        if apart:
            self._judges[place] = judge
        return judge

    # Candidates whose costs are not known, such as those of another study's table, cost nothing.
    def _as_cheap(self, other: int, place: int) -> bool:
        """Whether a trial costs no more than the one at a place in anything."""
        pairs = zip(self._costs.get(other, ()), self._costs.get(place, ()), strict=False)
        return all(theirs <= ours for theirs, ours in pairs)

    def _with_one_objective(self, place: int) -> FrozenTrial:
        trial, curve = self._trials[place], dict(self._curves[place])
        stopped = place in self._stopped
        value = trial.values[0] if trial.values and not stopped else None
        state = TrialState.PRUNED if stopped else trial.state
        return create_trial(state=state, value=value, intermediate_values=curve)

    @property
    def _trials(self) -> list[FrozenTrial]:
        return self.optuna.get_trials(deepcopy=False)


def _trial(study: optuna.Study, place: int) -> Trial:
    # Optuna has no public way from a trial's number to one that can be told its score.
    return Trial(study, study.get_trials(deepcopy=False)[place]._trial_id)
