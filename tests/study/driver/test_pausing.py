"""Searches that pause trainings at rungs: what goes on, what is told, what a kill changes."""

import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from random import Random

import pytest
from study.fakes import rows, states, study
from study.report.made import ASKED

from gridgen.spec.document import dump
from gridgen.study import search
from gridgen.study.candidates.drawing import Drawing
from gridgen.study.driver.search import Search
from gridgen.study.engine.engine import Pruned, TrainingJob, TrainingOutcome
from gridgen.study.language.requirements import kept
from gridgen.study.looking import study_status
from gridgen.study.report.observer import SearchObserver, SearchProgress
from gridgen.study.store.opening import open_store
from gridgen.training import Run, train

EPOCHS = 16
WIDE = study(
    space={"streams": [2, 3, 4], "columns": ["1+1", "2+2", "3+3"], "base_channels": [2, 4, 6, 8]},
    budget={},
    sampler="random",
    recipe={"extends": "demo", "epochs": EPOCHS, "validate_every": 1},
)
"""36 candidates; the rungs of `halving` are at epochs 1 and 4."""
LATE = {0: (0.3, 0.95), 1: (0.5, 0.6)}
"""Scores of a trial at its first epoch and at its last; all others have less at both."""


@pytest.fixture(autouse=True)
def _no_page(monkeypatch):
    """Pictures of all trials take longer than these searches."""
    monkeypatch.setattr("gridgen.study.driver.writing.write_page", lambda result: None)


@dataclass
class Curves:
    """An `evaluate` that rises from one score to another, and goes on where it was stopped."""

    ends: dict[int, tuple[float, float]] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)
    parts: list[tuple[int, int, int]] = field(default_factory=list)

    def score(self, trial: int, epoch: int) -> float:
        first, last = self.ends.get(trial, (0.1, 0.2))
        return first + (last - first) * (epoch - 1) / (EPOCHS - 1)

    def __call__(self, job: TrainingJob) -> float:
        begun = self.done.get(job.trial, 0) + 1
        for epoch in range(begun, EPOCHS + 1):
            self.done[job.trial] = epoch
            if job.report(epoch, self.score(job.trial, epoch)):
                self.parts.append((job.trial, begun, epoch))
                raise Pruned(self.score(job.trial, epoch))
        self.parts.append((job.trial, begun, EPOCHS))
        return self.score(job.trial, EPOCHS)


def test_a_slow_starter_is_paused_goes_on_later_and_wins(tmp_path, capsys):
    curves = Curves(LATE)
    searched = WIDE.but(pruner="halving", stop={"begun": 32})
    watch = SearchProgress(ASKED)
    result = search(searched, folder=tmp_path, trials=2, evaluate=curves, watch=watch)
    assert result.entries[0].number == 0
    assert [each for each in curves.parts if each[0] == 0] == [(0, 1, 1), (0, 2, 4), (0, 5, 16)]
    # The curve is whole although each part told of what was new alone.
    (training,) = result.entries[0].trainings
    assert training.curve == tuple((n, curves.score(0, n)) for n in range(1, EPOCHS + 1))
    assert result.entries[0].score == 0.95
    assert set(states(tmp_path)) == {"finished", "pruned"}
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "halving: trainings pause at epoch 1, 4 of 16; the best 1 of 4 goes on"
    assert "trial 0: paused at epoch 1, val_iou 0.3000" in told
    assert "trial 0: goes on from epoch 4" in told
    many = states(tmp_path).count("pruned")
    assert f"{many} paused trials are pruned, as the search is over" in told
    begun = [line for line in told if ", seed 0 begins: " in line]
    assert len(begun) == len(rows(tmp_path)), "a training that goes on is none that begins"


def test_a_trial_is_promoted_before_a_new_one_is_begun(tmp_path):
    curves = Curves(LATE)
    searched = WIDE.but(pruner="halving", stop={"begun": 32})
    search(searched, folder=tmp_path, trials=1, evaluate=curves)
    assert curves.parts[:5] == [(0, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 1), (1, 2, 4)]


@pytest.mark.parametrize("pruner", ["halving", "hyperband"])
@pytest.mark.parametrize("reproducible", [False, True])
def test_however_few_are_begun_one_is_trained_to_its_end(pruner, reproducible, tmp_path):
    curves = Curves(LATE)
    searched = WIDE.but(pruner=pruner, stop={"begun": 3}, reproducible=reproducible)
    result = search(searched, folder=tmp_path, trials=3, evaluate=curves)
    assert len(result.records) == 3
    assert result.asked.stopped == "3 candidates were begun; stop.begun allows more"
    assert 1 in [each.number for each in result.entries]


def test_other_seeds_begin_when_the_first_has_passed_all_rungs(tmp_path):
    seen = []

    def evaluate(job):
        seen.append((job.trial, job.seed))
        return Curves(LATE)(job) if job.seed == 0 else 0.5

    searched = WIDE.but(pruner="halving", seeds=2, stop={"begun": 4})
    result = search(searched, folder=tmp_path, trials=4, evaluate=evaluate)
    assert [each for each in seen if each[0] == 1] == [(1, 0), (1, 0), (1, 0), (1, 1)]
    assert [each.scores for each in result.entries] == [(0.6, 0.5)]


def test_where_no_rung_fits_that_is_said(tmp_path):
    short = WIDE.but(pruner="halving", recipe={"extends": "demo", "epochs": 3})
    lines = []

    class Noted(SearchObserver):
        def noted(self, line):
            lines.append(line)

    result = search(short, folder=tmp_path, trials=2, evaluate=lambda job: 0.5, watch=Noted())
    assert len(result.entries) == 2
    assert lines == [
        "halving: there is no rung in 3 epochs with a validation every 2; "
        "all are trained to the end"
    ]


def test_time_that_is_over_leaves_paused_trials_to_go_on(tmp_path, monkeypatch):
    late, clock = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + late[0])

    def evaluate(job):
        late[0] += 1000.0 * (job.trial == 2)
        return Curves(LATE)(job)

    searched = WIDE.but(pruner="halving", stop={"begun": 4, "hours": 0.1})
    result = search(searched, folder=tmp_path, trials=1, evaluate=evaluate)
    assert [each.state for each in result.records] == ["paused"] * 3
    assert {row["note"] for row in rows(tmp_path)} == {"at epoch 1"}
    assert study_status(tmp_path).states == {"paused": 3}
    more = WIDE.but(pruner="halving", stop={"begun": 4})
    again = search(more, folder=tmp_path, trials=1, evaluate=Curves(LATE))
    assert [each.state for each in again.records] == ["pruned", "finished", "pruned", "pruned"]


@dataclass
class Pretended:
    """An engine: at each step a training that is chosen at random is validated once more.

    `saved` are the checkpoints: epochs by folder. After `steps` steps it is killed. One that is
    told to stop takes `lag` steps to save its state and end.
    """

    places: int
    random: Random
    saved: dict[Path, int]
    steps: float
    lag: int = 0
    jobs: list[TrainingJob] = field(default_factory=list)
    ending: list[tuple[float, TrainingOutcome]] = field(default_factory=list)
    most: int = 0

    def submit(self, job: TrainingJob) -> None:
        self.jobs.append(job)
        self.most = max(self.most, len(self.jobs))

    def wait(self) -> TrainingOutcome:
        while True:
            over = [each for each in self.ending if each[0] >= self.steps or not self.jobs]
            if over:
                self.ending.remove(over[0])
                return over[0][1]
            job = self.random.choice(self.jobs)
            epoch = min(self.saved.get(job.folder, 0) + 1, job.recipe.epochs)
            self.saved[job.folder] = epoch
            score = Random(f"{job.grid.fingerprint} {epoch // 3}").random()
            stop = job.report(epoch, score)
            self.steps -= 1
            if self.steps <= 0:
                raise KeyboardInterrupt
            row = {"val_iou": score} if epoch == job.recipe.epochs else {}
            if stop or row:
                self.jobs.remove(job)
                failure = Pruned(score) if stop else None
                outcome = TrainingOutcome(job, row, ((epoch, score),), 1.0, failure)
                self.ending.append((self.steps - self.lag * stop, outcome))

    def close(self) -> None:
        """Nothing runs on."""


def searched(asked, folder: Path, engine: Pretended, wanted: int):
    with closing(open_store(folder, dump(kept(asked)), {}, wanted="journal")) as store:
        return Search(asked, folder, store, engine, SearchObserver(), Drawing(asked)).run(wanted)


def told(result) -> list[tuple[object, ...]]:
    """Every trial with its candidate, its end, and its curve."""
    return [
        (each.number, each.candidate.key, each.state, each.scores, each.trainings[0].curve)
        for each in result.records
    ]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
@pytest.mark.parametrize("pruner", ["halving", "hyperband"])
def test_a_reproducible_search_has_the_same_trials_whatever_runs_and_is_killed(
    pruner, sampler, tmp_path
):
    short = {"extends": "demo", "epochs": 9, "validate_every": 1}
    changes = {"pruner": pruner, "sampler": sampler, "recipe": short, "stop": {"begun": 28}}
    asked = WIDE.but(**changes, reproducible=True)
    alone = told(searched(asked, tmp_path / "alone", Pretended(1, Random(0), {}, 1e9), 6))
    ends = [state for _, _, state, _, _ in alone]
    assert ends.count("finished") >= 3
    assert ends.count("pruned") >= 10
    for places, lag in ((3, 0), (3, 4), (8, 2)):
        random, saved = Random(places), {}
        folder = tmp_path / f"{places}-{lag}"
        result = None
        while result is None:
            engine = Pretended(places, random, saved, random.randrange(1, 40), lag)
            with suppress(KeyboardInterrupt):
                result = searched(asked, folder, engine, 6)
        assert told(result) == alone


@pytest.mark.parametrize("lag", [0, 1, 3])
@pytest.mark.parametrize("reproducible", [False, True])
def test_what_is_promoted_while_its_process_saves_its_state_goes_on(reproducible, lag, tmp_path):
    ended, given_up = [], []

    class Watching(SearchObserver):
        def ended(self, record):
            ended.append(record.state)

        def given_up(self, records):
            given_up.extend(records)

    asked = WIDE.but(pruner="halving", stop={"begun": 32}, reproducible=reproducible)
    engine = Pretended(4, Random(0), {}, 1e9, lag)
    with closing(open_store(tmp_path, dump(kept(asked)), {}, wanted="journal")) as store:
        Search(asked, tmp_path, store, engine, Watching(), Drawing(asked)).run(4)
    # What pauses is given up at the end alone.
    assert set(ended) == {"finished"}
    assert given_up


def test_a_score_that_is_no_number_at_a_rung_is_no_value_for_samplers(tmp_path):
    def evaluate(job):
        for epoch in range(1, EPOCHS + 1):
            score = nan if job.trial % 3 == 1 else job.trial / 100
            if job.report(epoch, score):
                raise Pruned(score)
        return job.trial / 100

    asked = WIDE.but(pruner="halving", sampler="tpe", against=["macs"], stop={"begun": 12})
    result = search(asked, folder=tmp_path, trials=3, evaluate=evaluate)
    assert [each.number % 3 for each in result.entries].count(1) == 0
    assert result.entries


def test_no_place_is_empty_though_fewer_are_wanted_than_there_are(tmp_path):
    engine = Pretended(3, Random(0), {}, 1e9)
    asked = WIDE.but(pruner="halving", stop={"begun": 8})
    result = searched(asked, tmp_path, engine, 1)
    assert (engine.most, len(result.records), len(result.entries)) == (3, 8, 1)


def test_a_search_that_is_killed_while_trials_are_paused_goes_on(tmp_path):
    asked, random, saved = WIDE.but(pruner="halving", stop={"begun": 28}), Random(5), {}
    result, starts = None, 0
    while result is None:
        with suppress(KeyboardInterrupt):
            result = searched(asked, tmp_path, Pretended(3, random, saved, 12), 4)
        starts += 1
    assert starts > 5
    assert set(states(tmp_path)) == {"finished", "pruned"}
    # No training ran an epoch beyond the rung at which it was paused to the end.
    for each in result.records:
        last = each.trainings[0].curve[-1][0]
        assert last == {"finished": EPOCHS}.get(each.state, last)
        assert saved[tmp_path / each.trainings[0].folder] == last
        assert last in (1, 4, EPOCHS)


REAL = study(
    spec={"classes": 3, "columns": "1+1", "streams": 2},
    space={"base_channels": [2, 3]},
    budget={},
    sampler="grid",
    pruner="halving",
    recipe={
        "epochs": 4,
        "batch": 500,
        "learning_rate": 0.01,
        "crop": {"smallest": 8, "largest": 8, "size": 8},
    },
)
"""The only rung is at epoch 1."""


class Interrupting(SearchObserver):
    """Stops the search when so many trainings were paused."""

    def __init__(self, many: int) -> None:
        self.left, self.went = many, []

    def paused(self, record, score, seconds):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    def went_on(self, trial, seed, epoch):
        self.went.append((trial, epoch))


@pytest.mark.slow
def test_a_training_that_was_paused_scores_as_one_that_was_not(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        search(REAL, folder=tmp_path / "s", trials=1, device="cpu", watch=Interrupting(2))
    assert states(tmp_path / "s") == ["paused"] * 2
    watch = Interrupting(100)
    result = search(REAL, folder=tmp_path / "s", trials=1, device="cpu", watch=watch)
    assert sorted(states(tmp_path / "s")) == ["finished", "pruned"]
    (best,) = result.entries
    assert watch.went == [(best.number, 1)]
    run = Run.open(tmp_path / "s" / best.trainings[0].folder)
    whole = train(
        best.candidate.network, "shapes", REAL.training, folder=tmp_path / "whole", device="cpu"
    )
    assert run.rows() == whole.rows()
    assert best.score == whole.rows()[-1]["val_iou"]
    assert dict(best.trainings[0].curve) == {
        int(row["epoch"]): row["val_iou"] for row in whole.rows()
    }
