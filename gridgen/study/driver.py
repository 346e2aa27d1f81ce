"""The driver of a search: asks for candidates, refuses some, submits the others, tells scores."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, Trial, TrialState

from gridgen.arguments import PathLike, checked
from gridgen.errors import OutOfMemoryError, RunError, SpecError, TrainingError, UsageError
from gridgen.grid import Grid, build_grid
from gridgen.space import Costs
from gridgen.space.choices import size_of
from gridgen.study.old_report import Result, SearchObserver, write_report
from gridgen.study.sampling import suggest
from gridgen.study.storage import (
    networks,
    open_study,
    orphans,
    require_same,
    settled,
    trained,
    tried,
)
from gridgen.study.study import Reachable, Study, reachable
from gridgen.study.trial_processes import (
    ChildTraining,
    Engine,
    Evaluate,
    LocalEngine,
    Pruned,
    TrialJob,
    TrialOutcome,
)
from gridgen.training.processes import devices
from gridgen.training.run.folder import lock

GIVE_UP = 200
"""Candidates in a row that are refused or known, after which a search ends."""
FAILURES = 5
"""Trainings in a row that fail, after which a search ends with an error."""


@checked
def search(
    study: Study | PathLike,
    *,
    folder: str | Path,
    trials: int | None = None,
    evaluate: Evaluate | None = None,
    watch: SearchObserver | None = None,
) -> Result:
    """Search until `trials` candidates of a study, or of its file, have been trained in all.

    Everything is kept in `folder`: study.db (Optuna, SQLite), study.yaml and trials/, and at the
    end, also after an error or Ctrl-C, best.yaml, trials.csv and scores.png. Calling it again
    resumes a search that was killed; a trial that was running is run again under its number, from
    its own checkpoint. `evaluate` trains each candidate, by default in a child process.

    Errors: `RunError` if another process searches there, or the folder holds another study;
    `SpecError` if the data does not fit, or no candidate meets the budget; `TrainingError` if
    several candidates in a row fail; `DeviceError` under torchrun.

    >>> import tempfile
    >>> study = Study.parse('''
    ... data: shapes
    ... spec: {classes: 3}
    ... space: {streams: [2, 3], columns: [1+1, 2+2], base_channels: [4, 8]}
    ... budget: {parameters: 20000}
    ... recipe: demo
    ... ''')
    >>> def paths(grid, folder, report):  # instead of a training
    ...     return len(grid.connections) / 100
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = search(study, folder=folder, trials=3, evaluate=paths)
    ...     result.best.shape
    '2 streams, 2+2 columns, F0 = 4'
    """
    devices.require_alone("searches")
    study = study if isinstance(study, Study) else Study.load(study)
    folder = Path(folder)
    wanted = study.trials if trials is None else trials
    if wanted < 1:
        raise UsageError(f"trials is {wanted}; give 1 at least")
    evaluate = evaluate or ChildTraining(study)
    require_same(folder, study)
    known = reachable(study)
    with lock(folder / ".lock", f"{folder}: another process is searching there"):
        searching = Search(
            study=study,
            folder=folder,
            optuna=open_study(folder, study),
            engine=LocalEngine(evaluate),
            watch=watch or SearchObserver(),
            known=known,
        )
        try:
            searching.until(wanted)
        except StorageInternalError as error:
            reason = str(error.__cause__ or error).splitlines()[0]
            raise RunError(f"{folder}: the study's database failed: {reason}") from error
        except BaseException:
            write_report(folder, study, searching.optuna)
            raise
        return write_report(folder, study, searching.optuna)


@dataclass
class Search:
    """A search on its way."""

    study: Study
    folder: Path
    optuna: optuna.Study
    engine: Engine
    watch: SearchObserver
    known: Reachable | None = None
    failures: int = field(default=0, init=False)

    def until(self, wanted: int) -> None:
        """Train candidates until `wanted` are, or nothing new is to be found."""
        self.watch.started(wanted, len(trained(self.optuna)))
        if self.known is not None and self.known.few(wanted):
            self.watch.few(*self.known)
        reason = ""
        try:
            for orphan in orphans(self.optuna):
                self.conduct(orphan)
            idle = 0
            while len(trained(self.optuna)) < wanted and not reason:
                idle = 0 if self.conduct(self.optuna.ask()) else idle + 1
                reason = self._reason_to_stop(idle)
        finally:
            self.watch.finished(reason)

    def _reason_to_stop(self, idle: int) -> str:
        """Reason to stop asking for candidates; "" to go on."""
        points = size_of(self.study.space)
        if idle and points is not None and points <= len(tried(self.optuna)):
            return f"all {points} candidates of the space have been tried"
        if idle and points is not None and self.known is not None:
            within = self.known.feasible
            if within <= len(tried(self.optuna, refused=False)):
                return f"all {within} candidates that meet the budget have been tried"
            if self.known.networks <= len(networks(self.optuna)):
                number = self.known.networks
                return f"all {number} different networks that meet the budget have been tried"
        if idle >= GIVE_UP:
            return f"the last {idle} candidates were refused or known; widen space or budget"
        return ""

    def conduct(self, trial: Trial) -> bool:
        """Run one trial to its end; returns whether a network was trained for it."""
        params = suggest(trial, self.study.space)
        try:
            costs = self.study.costs(params)
        except SpecError as error:
            return self._refuse(trial, str(error).splitlines()[0])
        over = self._over_budget(trial, costs)
        if over:
            return self._refuse(trial, over)
        grid = build_grid(self.study.candidate(params))
        known = self._same_network(grid)
        if known is not None:
            return self._copy(trial, known)
        self._remember(trial, grid, costs)
        self._submit(trial, grid)
        return self._tell(trial, self.engine.wait())

    def _refuse(self, trial: Trial, reason: str) -> bool:
        """Tell Optuna that the candidate was not worth building."""
        trial.set_user_attr("refused", reason)
        self.optuna.tell(trial, state=TrialState.PRUNED)
        self.watch.refused(trial.number, reason)
        return False

    def _copy(self, trial: Trial, known: FrozenTrial) -> bool:
        """Tell Optuna the result of an earlier trial of the same network."""
        trial.set_user_attr("copy_of", known.number)
        if known.state is TrialState.COMPLETE:
            self.optuna.tell(trial, known.value)
        else:
            self.optuna.tell(trial, state=TrialState.PRUNED)
        return False

    def _stored(self, trial: Trial) -> FrozenTrial:
        """The trial as the database has it; one that is run again has reported scores already."""
        return self.optuna.get_trials(deepcopy=False)[trial.number]

    def _over_budget(self, trial: Trial, costs: Costs) -> str:
        """The limits that the candidate breaks, by arithmetic alone; "" for none."""
        known, budget = self._stored(trial).constraints, self.study.limits
        for limit in budget.limits():
            # Optuna warns of a constraint that is set twice, as for a trial that is run again.
            if limit.quantity in costs.limited and limit.quantity not in known:
                trial.set_constraint(limit.quantity, limit.over(costs.limited[limit.quantity]))
        return "; ".join(budget.broken(costs.limited))

    def _remember(self, trial: Trial, grid: Grid, costs: Costs) -> None:
        trial.set_user_attr("spec", grid.spec.plain())
        trial.set_user_attr("fingerprint", grid.fingerprint)
        for name, counted in costs.counts.items():
            trial.set_user_attr(name, counted)

    def _same_network(self, grid: Grid) -> FrozenTrial | None:
        network, known = grid.fingerprint, settled(self.optuna)
        same = (each for each in known if each.user_attrs.get("fingerprint") == network)
        return next(same, None)

    def _submit(self, trial: Trial, grid: Grid) -> None:
        """Hand the candidate to the engine, which reports each validation back to Optuna."""
        self.watch.training(trial.number, grid, trial.user_attrs["parameters"])
        reported = set(self._stored(trial).intermediate_values)

        def report(epoch: int, score: float) -> bool:
            self.watch.scored(trial.number, epoch, score)
            # Optuna warns of an epoch that is reported twice, as a resumed training does.
            if epoch not in reported:
                trial.report(score, epoch)
                reported.add(epoch)
            return trial.should_prune()

        folder = self.folder / "trials" / f"{trial.number:05d}"
        self.engine.submit(TrialJob(trial.number, grid, folder, report))

    def _tell(self, trial: Trial, outcome: TrialOutcome) -> bool:
        """Tell Optuna how the trial ended; returns whether a network was trained for it."""
        match outcome.failure:
            case Pruned(score=score):
                self.failures = 0
                trial.set_user_attr("pruned_at", score)
                self.optuna.tell(trial, state=TrialState.PRUNED)
                self.watch.ended(trial.number, None, "pruned")
                return True
            case OutOfMemoryError() as error:
                return self._give_up(trial, error)
            case TrainingError() as error:
                return self._fail(trial, error)
        if not math.isfinite(outcome.score):
            return self._fail(trial, TrainingError(f"the score is {outcome.score}"))
        self.failures = 0
        self.optuna.tell(trial, outcome.score)
        self.watch.ended(trial.number, outcome.score, "")
        return True

    def _give_up(self, trial: Trial, error: OutOfMemoryError) -> bool:
        """Note a candidate that does not fit in memory: it is infeasible, as one over budget is."""
        trial.set_user_attr("failed", str(error))
        trial.set_constraint("memory", 1.0)
        self.optuna.tell(trial, state=TrialState.PRUNED)
        self.watch.ended(trial.number, None, str(error))
        return False

    def _fail(self, trial: Trial, error: TrainingError) -> bool:
        """Note a candidate that cannot be trained; a series of them stops the search."""
        trial.set_user_attr("failed", str(error))
        self.optuna.tell(trial, state=TrialState.FAIL)
        self.watch.ended(trial.number, None, str(error).splitlines()[0])
        self.failures += 1
        if self.failures >= FAILURES:
            fact = f"{FAILURES} candidates in a row failed; the last: {error}"
            raise TrainingError(fact) from error
        return True
