"""Trainings on the nodes of a Ray cluster: killed, cut off, carried back, refused."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from gridgen.errors import FileError, UsageError
from gridgen.study.engine import ray_processes
from gridgen.study.engine.children import ChildEngine
from gridgen.study.engine.engine import Pruned
from gridgen.study.engine.messages import Shared
from gridgen.study.engine.ray_cluster import RayCluster
from gridgen.study.engine.ray_processes import RayProcesses
from gridgen.training import Run, train
from study.engine.cluster import local_cluster, needs_ray
from study.engine.processes import children_of, is_gone, on_linux, state_of, wait_for
from study.engine.tiny import RECIPE, SPEC, job

pytestmark = [needs_ray, on_linux, pytest.mark.filterwarnings("ignore::ResourceWarning")]
SHARED = Shared(data="shapes", objective="val_iou", device="cpu")
LONG = 100_000
STUDY = """
data: shapes
spec: {classes: 3, in_channels: 3, columns: 1+1}
space: {streams: [2], base_channels: [2, 3]}
baselines: []
trials: 2
recipe: {extends: demo, epochs: 4, batch: 50, crop: {smallest: 32, largest: 48, size: 32}}
"""
HERE = {"PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parents[2])])}


@pytest.fixture(scope="module")
def cluster():
    with local_cluster() as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Rows of the training that others must equal, bit for bit."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    return train(SPEC, "shapes", RECIPE, folder=folder, device="cpu").rows()


@pytest.fixture
def told():
    return []


@pytest.fixture
def processes(cluster, tmp_path):
    return RayProcesses(RayCluster(cluster.address), "cpu", tmp_path)


@pytest.fixture
def engine(processes, told):
    with closing(ChildEngine(SHARED, 2, told.append, processes)) as made:
        yield made


def trainings() -> list[int]:
    """Processes that train for a trainer of any node."""
    trainers = [int(each.name) for each in Path("/proc").glob("[0-9]*") if _is_trainer(each)]
    servers = [each for trainer in trainers for each in children_of(trainer)]
    return [each for server in servers for each in children_of(server)]


def _is_trainer(path: Path) -> bool:
    try:
        return (path / "cmdline").read_bytes().startswith(b"ray::RayTrainer")
    except OSError:
        return False


def trainer_of(training: int) -> int:
    """The process of Ray's that looks after a training."""
    for _ in range(2):
        text = Path(f"/proc/{training}/stat").read_text("utf-8")
        training = int(text.rpartition(")")[2].split()[1])
    return training


def test_it_tells_what_fits(processes, cluster, tmp_path):
    assert str(processes) == "Ray: machines 3, trainings that fit at once 2, each 1 CPU"
    processes.close()
    more = RayProcesses(RayCluster(cluster.address, cpus=0.25), "cpu", tmp_path)
    assert more.fitting == 8
    more.close()
    none = RayProcesses(RayCluster(cluster.address, cpus=2, gpus=0.5), "auto", tmp_path)
    assert str(none) == (
        "Ray: machines 3; none has 2 CPU and 0.5 GPU, which a training takes, so it waits"
    )
    none.close()
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("what", ["training", "trainer", "node"])
def test_a_training_that_is_cut_off_goes_on_from_its_checkpoint(
    what, engine, processes, cluster, told, undisturbed, tmp_path
):
    reported = []

    def report(epoch, score):
        reported.append(epoch)
        if epoch == 1:
            (one,) = trainings()
            if what == "node":
                (place,) = processes._places.values()
                cluster.kill(place.machine.node)
            else:
                os.kill(one if what == "training" else trainer_of(one), signal.SIGKILL)
            wait_for(lambda: is_gone(one))
        return False

    engine.submit(asked := job(tmp_path, report=report))
    outcome = engine.wait()
    assert (outcome.failure, outcome.row) == (None, undisturbed[-1])
    assert reported == [1, 2]
    (line,) = told
    # Ray learns of a machine's end a little later than of its processes'.
    cause = "its process was ended by SIGKILL" if what == "training" else " was lost"
    assert line.startswith("trial 0, seed 0: ")
    assert cause in line
    assert line.endswith("; it goes on from its checkpoint")
    assert Run.open(asked.folder).rows() == undisturbed


def test_closing_has_trainings_saved_and_they_go_on_later(cluster, undisturbed, tmp_path):
    def interrupt(epoch, score):
        raise KeyboardInterrupt

    processes = RayProcesses(RayCluster(cluster.address), "cpu", tmp_path)
    with closing(ChildEngine(SHARED, 1, processes=processes)) as engine:
        engine.submit(asked := job(tmp_path, report=interrupt))
        with pytest.raises(KeyboardInterrupt):
            engine.wait()
    begun = (asked.folder / "run.json").stat().st_mtime_ns
    processes = RayProcesses(RayCluster(cluster.address), "cpu", tmp_path)
    with closing(ChildEngine(SHARED, 1, processes=processes)) as engine:
        engine.submit(job(tmp_path))
        assert engine.wait().row == undisturbed[-1]
    assert (asked.folder / "run.json").stat().st_mtime_ns == begun, "trained anew"
    assert not (tmp_path / ray_processes.SIGN).exists()


def test_a_training_that_has_no_place_ends_with_the_engine(cluster, tmp_path):
    processes = RayProcesses(RayCluster(cluster.address, cpus=2), "cpu", tmp_path)
    begun = time.monotonic()
    with closing(ChildEngine(SHARED, 1, processes=processes)) as engine:
        engine.submit(job(tmp_path))
    assert time.monotonic() - begun < 30


def test_more_than_fit_take_turns(cluster, undisturbed, tmp_path):
    processes = RayProcesses(RayCluster(cluster.address), "cpu", tmp_path)
    with closing(ChildEngine(SHARED, 4, processes=processes)) as engine:
        for trial in range(4):
            engine.submit(job(tmp_path, trial))
        ended = [engine.wait() for _ in range(4)]
    assert sorted(each.job.trial for each in ended) == [0, 1, 2, 3]
    assert all(each.row == undisturbed[-1] for each in ended)


def test_what_runs_on_this_machine_is_held_still(
    engine, processes, undisturbed, tmp_path, monkeypatch
):
    def report(epoch, score):
        if epoch == 1:
            (place,) = processes._places.values()
            # The nodes of this cluster are one machine, but not for Ray.
            context = type(processes._ray.get_runtime_context())
            monkeypatch.setattr(context, "get_node_id", lambda _: place.machine.node)
            with engine.quiet():
                (one,) = trainings()
                wait_for(lambda: state_of(one) == "T")
        return False

    engine.submit(job(tmp_path, report=report))
    assert engine.wait().row == undisturbed[-1]


@pytest.mark.parametrize("pauses", [False, True])
def test_what_another_machine_has_written_is_carried_back(
    pauses, cluster, undisturbed, tmp_path, monkeypatch
):
    # No machine finds the sign by which it would know that it sees this folder.
    monkeypatch.setattr(ray_processes, "write_file", lambda *_: None)
    processes = RayProcesses(RayCluster(cluster.address), "cpu", tmp_path / "search")
    asked = job(tmp_path / "search", report=lambda epoch, _: pauses and epoch == 1)
    with closing(ChildEngine(SHARED, 1, processes=processes)) as engine:
        engine.submit(asked)
        outcome = engine.wait()
        if pauses:
            assert isinstance(outcome.failure, Pruned)
            assert [row["epoch"] for row in Run.open(asked.folder).rows()] == [1]
            begun = (asked.folder / "run.json").read_bytes()
            engine.submit(job(tmp_path / "search"))
            outcome = engine.wait()
            assert (asked.folder / "run.json").read_bytes() == begun, "trained anew"
    assert outcome.row == undisturbed[-1]
    assert Run.open(asked.folder).rows() == undisturbed
    assert (asked.folder.parent / "seed-0.log").exists()
    assert sorted(each.name for each in asked.folder.parent.iterdir()) == ["seed-0", "seed-0.log"]


def test_a_machine_with_other_code_is_refused(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_processes, "versions", lambda: {"torch": "1.0"})
    engine.submit(job(tmp_path))
    with pytest.raises(UsageError, match=r"has torch 2\S+, this machine 1\.0; install the same"):
        engine.wait()


def test_a_fault_of_the_machine_names_it(cluster, tmp_path):
    processes = RayProcesses(RayCluster(cluster.address), "cpu", tmp_path)
    lacks = Shared(data=str(tmp_path / "gone"), objective="val_iou", device="cpu")
    with closing(ChildEngine(lacks, 1, processes=processes)) as engine:
        engine.submit(job(tmp_path))
        with pytest.raises(Exception, match=r"^trial 0, seed 0: .*gone.* \(on \S+\)$"):
            engine.wait()


def test_without_the_token_the_search_says_how_to_have_one(cluster, tmp_path, monkeypatch):
    # What Ray asks for is read once, when it is first used.
    program = [sys.executable, "-m", "gridgen", "search", str(tmp_path / "study.yaml")]
    (tmp_path / "study.yaml").write_text(STUDY, "utf-8")
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    done = subprocess.run(
        [*program, "-o", str(tmp_path / "s"), "--engine", "ray", "--address", cluster.address],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert f"no Ray cluster with this token is what answers at {cluster.address}" in done.stderr
    assert "ray get-auth-token" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "s").exists()


def test_what_cannot_be_carried_back_ends_the_search_and_others_are_saved(
    cluster, tmp_path, monkeypatch
):
    def full(*_):
        raise FileError("seed-0: cannot be written: No space left on device")

    monkeypatch.setattr(ray_processes, "write_file", lambda *_: None)
    monkeypatch.setattr(ray_processes, "carried_back", full)
    processes = RayProcesses(RayCluster(cluster.address), "cpu", tmp_path)
    with closing(ChildEngine(SHARED, 1, processes=processes)) as engine:
        engine.submit(job(tmp_path))
        with pytest.raises(FileError, match=r"trial 0, seed 0: .* No space left"):
            engine.wait()


def test_a_search_is_asked_to_stop_and_goes_on(cluster, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY, "utf-8")
    command = [sys.executable, "-m", "gridgen", "search", str(tmp_path / "study.yaml")]
    options = ["-o", str(tmp_path / "s"), "--engine", "ray", "--address", cluster.address]
    search = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: [*(tmp_path / "s").glob("trials/*/*/run.json")])
    search.terminate()
    _, said = search.communicate(timeout=120)
    assert search.returncode == 143, said
    assert (tmp_path / "s" / "report.html").exists()
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "connecting with Ray" in done.stderr
    assert len([*(tmp_path / "s").glob("trials/*/*/weights.safetensors")]) == 2


def test_an_address_at_which_nothing_answers_is_refused_at_once(tmp_path):
    begun = time.monotonic()
    with pytest.raises(UsageError, match=r"^no Ray cluster at 127\.0\.0\.1:1: .*; ray start"):
        RayProcesses(RayCluster("127.0.0.1:1"), "cpu", tmp_path)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cpus": 0}, "cpus is 0; give a number above 0"),
        ({"cpus": -1.0}, "cpus is -1; give a number above 0"),
        ({"cpus": float("nan")}, "cpus is nan; give a number above 0"),
        ({"cpus": float("inf")}, "cpus is inf; give a number above 0"),
        ({"gpus": -0.5}, "gpus is -0.5; give 0, a part of one, or a whole number"),
        ({"gpus": 1.5}, "gpus is 1.5; give 0, a part of one, or a whole number"),
        ({"gpus": 0.00001}, "gpus is 1e-05; give 0, a part of one, or a whole number"),
        (
            {"address": "ray://head:10001"},
            "address is ray://head:10001, of a Ray client; "
            "search on a machine of the cluster, with HOST:PORT or auto",
        ),
    ],
)
def test_wrong_clusters_are_refused(fields, said):
    with pytest.raises(UsageError) as caught:
        RayCluster(**fields)
    assert str(caught.value) == said


DRIVER = """
import sys
from pathlib import Path
from gridgen.study.engine.children import ChildEngine
from gridgen.study.engine.messages import Shared
from gridgen.study.engine.ray_cluster import RayCluster
from gridgen.study.engine.ray_processes import RayProcesses
from study.engine.tiny import job

folder = Path(sys.argv[2])
processes = RayProcesses(RayCluster(sys.argv[1]), "cpu", folder)
shared = Shared(data="shapes", objective="val_iou", device="cpu")
engine = ChildEngine(shared, 2, processes=processes)
for trial in (0, 1):
    engine.submit(job(folder, trial, epochs=100_000))
engine.wait()
"""


def test_trainings_die_with_the_driver_and_go_on_with_the_next(cluster, tmp_path):
    program = [sys.executable, "-c", DRIVER, cluster.address, str(tmp_path)]
    driver = subprocess.Popen(program, env={**os.environ, **HERE}, stderr=subprocess.DEVNULL)
    try:
        for trial in (0, 1):
            wait_for((tmp_path / f"{trial:05d}" / "seed-0" / "metrics.csv").exists)
    finally:
        driver.kill()
        driver.wait()
    begun = (tmp_path / "00000" / "seed-0" / "run.json").stat().st_mtime_ns
    processes = RayProcesses(RayCluster(cluster.address), "cpu", tmp_path)
    with closing(ChildEngine(SHARED, 2, processes=processes)) as engine:
        for trial in (0, 1):
            engine.submit(job(tmp_path, trial, epochs=LONG, report=lambda epoch, _: epoch > 3))
        for _ in range(2):
            assert isinstance(engine.wait().failure, Pruned)
    assert (tmp_path / "00000" / "seed-0" / "run.json").stat().st_mtime_ns == begun
    wait_for(lambda: not trainings(), 20)


def test_nothing_of_ray_is_loaded_without_a_cluster(tmp_path):
    program = """
import sys
from pathlib import Path
from gridgen.study import Study, search

search(Study.load(sys.argv[1]), folder=Path(sys.argv[2]), trials=1, evaluate=lambda job: 0.5)
print([name for name in sys.modules if name.split(".")[0] == "ray"])
"""
    (tmp_path / "study.yaml").write_text(STUDY, "utf-8")
    command = [sys.executable, "-c", program, str(tmp_path / "study.yaml"), str(tmp_path / "s")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr
