"""What every engine has to do, in this process, in children, or on the nodes of a cluster."""

from contextlib import ExitStack, closing

import pytest

from gridgen.errors import TrainingError
from gridgen.study.engine.children import ChildEngine
from gridgen.study.engine.engine import FunctionEngine, Pruned, TrainingJob
from gridgen.study.engine.messages import Shared
from gridgen.study.engine.ray_cluster import RayCluster
from gridgen.study.engine.ray_processes import RayProcesses
from gridgen.training import Run, train
from gridgen.training.loop.watch import Watch
from study.engine.cluster import local_cluster, needs_ray
from study.engine.tiny import SPEC, job


def evaluate(job: TrainingJob):
    """Trains here, as a program of its own would that searches with a function."""

    class Told(Watch):
        def scored(self, row):
            score = row["val_iou"]
            if job.report(int(row["epoch"]), score) and row["epoch"] < job.recipe.epochs:
                raise Pruned(score)

    try:
        run = train(job.grid, "shapes", job.recipe, folder=job.folder, seed=job.seed, watch=Told())
    except Pruned:
        raise
    except Exception as error:
        raise TrainingError(str(error)) from error
    return run.rows()[-1]


ENGINES = ["function", "child", pytest.param("ray", marks=needs_ray)]


@pytest.fixture(params=ENGINES, scope="module")
def engine(request, tmp_path_factory):
    shared = Shared(data="shapes", objective="val_iou", device="cpu")
    with ExitStack() as used:
        if request.param == "function":
            made = FunctionEngine(evaluate, "val_iou")
        elif request.param == "child":
            made = ChildEngine(shared, places=2)
        else:
            cluster = RayCluster(used.enter_context(local_cluster()).address)
            processes = RayProcesses(cluster, "cpu", tmp_path_factory.mktemp("search"))
            made = ChildEngine(shared, 2, processes=processes)
        yield used.enter_context(closing(made))


def test_the_outcome_is_the_last_row_with_the_curve_of_what_was_reported(engine, tmp_path):
    told = []
    engine.submit(asked := job(tmp_path, report=lambda *news: told.append(news)))
    outcome = engine.wait()
    rows = Run.open(asked.folder).rows()
    assert (outcome.job, outcome.failure) == (asked, None)
    assert outcome.row == rows[-1]
    assert list(outcome.curve) == told == [(row["epoch"], row["val_iou"]) for row in rows]
    assert [epoch for epoch, _ in told] == [1, 2]
    assert outcome.seconds > 0


def test_a_training_is_stopped_where_its_report_is_answered_so(engine, tmp_path):
    engine.submit(job(tmp_path, report=lambda epoch, score: epoch == 1))
    outcome = engine.wait()
    assert isinstance(outcome.failure, Pruned)
    assert outcome.curve == ((1, outcome.failure.score),)
    assert outcome.row == {}


def test_after_the_last_validation_there_is_nothing_to_stop(engine, tmp_path):
    engine.submit(job(tmp_path, report=lambda epoch, score: epoch == 2))
    outcome = engine.wait()
    assert outcome.failure is None
    assert outcome.row["epoch"] == 2


def test_a_fault_of_the_candidate_is_the_outcome_and_others_are_trained(engine, tmp_path):
    engine.submit(job(tmp_path, 0, network=SPEC.but(classes=2)))
    engine.submit(job(tmp_path, 1))
    engine.submit(job(tmp_path, 2))
    ended = {outcome.job.trial: outcome for outcome in (engine.wait() for _ in range(3))}
    said = "classes: 2, but the data shapes has 3; set classes: 3"
    assert str(ended[0].failure) == said
    assert type(ended[0].failure) is TrainingError
    assert [ended[number].row["epoch"] for number in (1, 2)] == [2, 2]
    assert ended[1].row == ended[2].row


def test_seeds_differ(engine, tmp_path):
    for seed in (0, 1):
        engine.submit(job(tmp_path, seed=seed))
    one, other = engine.wait(), engine.wait()
    assert {one.job.seed, other.job.seed} == {0, 1}
    assert one.row["loss"] != other.row["loss"]
