"""Searching: from a study to an answer, over as many starts as it takes."""

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from types import FrameType

from gridgen.arguments import PathLike, checked
from gridgen.errors import Interrupted, UsageError
from gridgen.spec.document import dump
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.candidates.reachable import Reachable, reachable
from gridgen.study.driver.conductor import Conductor
from gridgen.study.driver.engines import TrainingPlaces, engine_of
from gridgen.study.driver.latencies import Latencies, PredictedLatency
from gridgen.study.driver.phases import (
    Listed,
    PlannedTrial,
    Searching,
    SearchPhase,
    baselines,
    confirmations,
    drawn_at_random,
    seeds_of,
    told_of,
    trained,
)
from gridgen.study.driver.resumed import take_up_known
from gridgen.study.driver.writing import asked_of, write_answer
from gridgen.study.engine.engine import Engine, Evaluate
from gridgen.study.engine.ray_cluster import RayCluster
from gridgen.study.engine.screening import (
    Screen,
    ScreeningEngine,
    require_same_data,
    require_screen,
)
from gridgen.study.language.requirements import FREE, digests, kept, require_data
from gridgen.study.language.study import Study
from gridgen.study.proposals.proposals import Proposals
from gridgen.study.report.observer import SearchObserver
from gridgen.study.report.result import Result
from gridgen.study.store.identity import Identity
from gridgen.study.store.opening import open_store, require_ours
from gridgen.study.store.storages import locked_study
from gridgen.study.store.store import Store
from gridgen.study.store.tables import known_rows
from gridgen.study.trials import TrialRecord
from gridgen.training.processes import devices
from gridgen.training.processes.precision import slow_precision


@checked
def search(
    study: Study | PathLike,
    *,
    folder: PathLike,
    trials: int | None = None,
    evaluate: Evaluate | None = None,
    screen: Screen | None = None,
    parallel: int | None = None,
    device: str = "auto",
    cluster: RayCluster | None = None,
    storage: str | None = None,
    known: PathLike | None = None,
    watch: SearchObserver | None = None,
) -> Result:
    """Search until `trials` candidates of a study, or of its file, have been trained in all.

    Everything is kept in `folder`: the study, its database, a run folder for each training under
    trials/, and at the end, also after an error or Ctrl-C, best.yaml, trials.csv, trainings.csv and
    report.html. Calling it again goes on with a search that was killed, each training from its own
    checkpoint. `parallel` candidates (None: one) are trained at once, each in a child process on
    `device`, on this machine or those of a `cluster` (None: as many as fit there now); `evaluate`
    trains them in this process instead; a `gridgen.errors.TrainingError` that it raises is a failed
    trial, any other error ends the search. Where a pruner pauses, it is called again for a
    training that goes on. A `screen`, which `gridgen.search_by_supernet` gives, scores candidates
    without training, and confirmations alone are trained. `storage` is sqlite, journal, or the
    address of a PostgreSQL database. Rows of the table `known`, a trials.csv, count as trained.

    Errors: `RunError` if another process searches there, or the folder holds another study;
    `SpecError` if the data does not fit, or no candidate meets the budget; `TrainingError` if
    several candidates in a row fail; `DeviceError` under torchrun; `Interrupted` after SIGTERM.

    >>> import tempfile
    >>> study = Study.parse('''
    ... data: shapes
    ... spec: {classes: 3}
    ... space: {streams: [2, 3], columns: [1+1, 2+2], base_channels: [4, 8]}
    ... budget: {parameters: 20000}
    ... recipe: demo
    ... baselines: []
    ... ''')
    >>> def paths(job):  # instead of a training
    ...     return len(job.grid.connections) / 100
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = search(study, folder=folder, trials=3, evaluate=paths)
    ...     result.best.shape
    '3 streams, 1+1 columns, F0 = 4'
    """
    devices.require_alone("searches")
    # All that can be wrong is looked for before anything is written.
    study = study if isinstance(study, Study) else Study.load(study)
    folder = Path(folder)
    wanted = study.trials if trials is None else trials
    for name, number in (("trials", wanted), ("parallel", parallel)):
        if number is not None and number < 1:
            raise UsageError(f"{name} is {number}; give 1 at least")
    table = None if known is None else known_rows(Path(known))
    require_screen(study, screen)
    predicted = None if study.latency is None else PredictedLatency(study, study.latency)
    held = require_data(study) if evaluate is None else {}
    if screen is not None:
        require_same_data(study, held, screen.digests)
    if cluster is not None and evaluate is not None:
        raise UsageError("evaluate trains in this process; leave cluster out")
    watch, text = watch or SearchObserver(), dump(kept(study))
    known_by = digests(study, held | ({} if screen is None else dict(screen.digests)))
    require_ours(folder, Identity(text, known_by, FREE), storage)
    engine = engine_of(
        study, evaluate, TrainingPlaces(folder, parallel, device, cluster), held, watch.noted
    )
    screened = ""
    if screen is not None:
        engine, screened = ScreeningEngine(screen, engine), f"by {screen.name}: {screen.trust}"
    drawing = Drawing(study)
    found = reachable(drawing)
    timing = None
    if predicted is not None:
        timing = Latencies(folder, predicted, engine.quiet, watch.noted)
        drawing.measured = timing.measured
    with (
        locked_study(folder, "searching there"),
        raised_signals(),
        # Trainings end before the lock is given back, and while SIGTERM cannot interrupt that.
        closing(engine),
        closing(timing) if timing is not None else nullcontext(),
        closing(open_store(folder, text, known_by, FREE, storage)) as store,
    ):
        most = _most(drawing, found)
        searching = Search(study, folder, store, engine, watch, drawing, most, screened)
        if known is not None and table is not None:
            take_up_known(searching.conductor, Path(known), table)
        if found is not None and found.few(wanted):
            watch.noted(str(found))
        if evaluate is None and cluster is None:
            chosen = devices.choose_device(device)
            if line := slow_precision(chosen, study.training.precision):
                watch.noted(line)
        result = searching.run(wanted)
        if timing is not None:
            timing.require_some(study, result.records)
        return result


@dataclass
class Search:
    """A search on its way."""

    study: Study
    folder: Path
    store: Store
    engine: Engine
    watch: SearchObserver
    drawing: Drawing
    most: float = inf
    """Candidates that there are to search at most; infinity where that is not known."""
    screened: str = ""
    """What scores candidates without training, in one line; "" where nothing does."""
    stopped: str = field(default="", init=False)

    def __post_init__(self) -> None:
        records = {each.number: each for each in self.store.trials()}
        proposals = Proposals(self.study, self.drawing, self.study.reproducible)
        proposals.restore(records.values(), self.store.reports)
        self.conductor = Conductor(
            self.study,
            self.folder,
            self.store,
            self.engine,
            self.watch,
            proposals,
            self.drawing.refused,
            records,
        )

    def run(self, wanted: int) -> Result:
        """Train baselines, candidates and confirmations, and write the answer, come what may."""
        searching = Searching(self.study, self.conductor.proposals, wanted)
        done = trained(self.conductor.listed)
        self.watch.started(wanted, done, self.engine.places)
        self.watch.taken_up(self.conductor.listed)
        for line in told_of(self.study):
            self.watch.noted(line)
        try:
            self.conductor.resume(lambda record: seeds_of(self.study, record))
            for phases in self._phases(searching):
                titles = " and ".join(phase.title for phase in phases if phase.wanted)
                if titles:
                    before = done if searching in phases else 0
                    self.watch.phase(titles, self._to_train(phases), before)
                self.conductor.conduct(*phases)
                if searching.late:  # what depends on what was found comes when the search is over
                    break
                if searching in phases:
                    self.conductor.end_paused()
            ended = "scored" if self.screened else "trained"
            self.stopped = searching.reason or f"{wanted} candidates are {ended}"
        except BaseException as error:
            self.stopped = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
            raise
        finally:
            self.watch.finished(searching.reason)
            self.result = write_answer(
                self.folder,
                asked_of(
                    *(self.study, self.folder, self.drawing.refused, self.stopped, self.screened)
                ),
                self.conductor.listed,
            )
        return self.result

    def _to_train(self, phases: Iterable[SearchPhase]) -> int:
        """How many trials the phases are to train, those that an earlier start began among them."""
        begun = self.conductor.running.values()
        wanted = sum(trial.record.role != "searched" for trial in begun)
        for phase in phases:
            most = self.most if isinstance(phase, Searching) else inf
            wanted += int(min(phase.wanted, most))
        return wanted

    def _phases(self, searching: Searching) -> Iterator[tuple[SearchPhase, ...]]:
        """Those of one tuple go on together; the next are made when these are over, as they depend
        on what was found.
        """
        listed, lines = baselines(self.study, self.conductor.listed)
        for line in lines:
            self.watch.noted(line)
        again = Listed("to be run again", deque(map(self._planned_again, self.store.again())))
        yield listed, again, searching
        yield (drawn_at_random(self.study, self.drawing, self.conductor.listed),)
        yield (confirmations(self.study, self.conductor.listed),)

    def _planned_again(self, failed: TrialRecord) -> PlannedTrial:
        seeds = seeds_of(self.study, failed)
        return PlannedTrial(failed.candidate, failed.role, seeds, of=failed.of)


def _most(drawing: Drawing, found: Reachable | None) -> float:
    """How many candidates there are at most: networks alone, unless the recipe varies too."""
    if any(branch.of_recipe for branch in drawing.branches):
        return inf
    if found is not None:
        return found.networks
    # Without a table, as where `match` chooses widths: all combinations, met or not.
    return sum(inf if each.networks is None else each.networks for each in drawing.branches)


TERMINATED = "the search was asked to stop; calling it again goes on"


class Terminated(KeyboardInterrupt):
    """SIGTERM came. As Ctrl-C it is no `Exception`: nothing takes it for damage or a failure."""


@contextmanager
def raised_signals() -> Iterator[None]:
    """Stop where SIGTERM comes as where Ctrl-C does, and raise `Interrupted` at the end.

    What was begun is then ended in order: children save their state, and the answer is written.
    """
    asked = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        # Once is enough: a second one would interrupt the writing.
        signal.signal(number, signal.SIG_IGN)
        raise Terminated(TERMINATED)

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread: whoever runs us decides
        yield
        return
    try:
        yield
    except KeyboardInterrupt:
        # Ray makes one of its own of that.
        if not asked:
            raise
        raise Interrupted(TERMINATED, signal.SIGTERM) from None
    finally:
        signal.signal(signal.SIGTERM, before)
