"""Whatever stops a training: one line says why, and going on gives the bits of one left alone.

The long counts of kills and damages are `python -m benchmarks.nothing_lost`.
"""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from gridgen.emit.weights import load_tensors
from gridgen.errors import Interrupted, OutOfMemoryError, RunError, TrainingError
from gridgen.grid import build_grid
from gridgen.spec.document import dump
from gridgen.training import Run, resume, train
from gridgen.training.loop.learner import Learner
from gridgen.training.loop.watch import Watch
from tests.oracles.killing import (
    DAMAGES,
    RECIPE,
    SPEC,
    bits,
    kill_until_done,
    restore_damaged,
    train_whole,
    write_checkpoints,
    write_training,
)

SHORT = RECIPE.but(epochs=2, workers=0, checkpoint_minutes=10.0)
PER_EPOCH, STEPS, LATE = 16, 32, 18


class At(Watch):
    """Does something after a step."""

    def __init__(self, act, step: int = LATE) -> None:
        self.act, self.step = act, step

    def stepped(self, step: int) -> None:
        if step == self.step:
            self.act()


def begin(place: Path, watch: Watch | None = None, recipe=SHORT, run: str = "run") -> Run:
    grid, data = build_grid(SPEC), str(place / "data")
    return train(grid, data, recipe, folder=place / run, device="cpu", watch=watch)


def kept(place: Path) -> str:
    return f"The last state is kept in {place}/run/checkpoints/step-0000000{PER_EPOCH}."


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("whole")
    write_training(place)
    return begin(place).folder


@pytest.fixture
def place(tmp_path) -> Path:
    write_training(tmp_path)
    return tmp_path


def goes_on(place: Path, whole: Path) -> None:
    """To the bits of `whole`, with nothing left behind."""
    resume(place / "run")
    assert bits(place / "run") == bits(whole)
    assert {path.name for path in (place / "run").rglob(".*")} == {".lock"}


@pytest.mark.slow
def test_kills_at_random_instants_change_no_bit(place):
    life = train_whole(place) / 3
    kill_until_done(place, "run", 3, life, random.Random(1))
    assert bits(place / "run") == bits(place / "whole")
    assert {path.name for path in (place / "run").rglob(".*")} == {".lock"}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    return folder, write_checkpoints(folder)


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_checkpoint_is_found_and_the_one_before_restored(kind, checkpoints):
    folder, held = checkpoints
    rng = random.Random(kind)
    assert {restore_damaged(folder, kind, rng, held)[1] for _ in range(4)} == {"detected"}


# Written after the last checkpoint.
AFTERWARDS = (".png", "weights.safetensors", "metrics.csv")
FILES = {
    "network.safetensors": "checkpoints/step-000000032",
    "manifest.json": "checkpoints/step-000000032",
    "metrics.csv": "metrics.csv",
    "steps.csv": "steps.csv",
    "weights.safetensors": "weights.safetensors",
    "predictions.png": "predictions.png",
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device /dev/full")
@pytest.mark.parametrize(("name", "told"), FILES.items(), ids=FILES)
def test_a_full_disk_is_one_line_and_goes_on_when_there_is_room(
    name, told, place, whole, monkeypatch
):
    def fill():
        for module in ("gridgen.files", "gridgen.training.run.steplog"):
            monkeypatch.setattr(f"{module}.open", opened, raising=False)

    def opened(path, *arguments, **settings):
        full = name in Path(path).name
        return open("/dev/full" if full else path, *arguments, **settings)

    with pytest.raises(TrainingError) as caught:
        begin(place, At(fill))
    # Once the best of an epoch is written too, and first.
    fact = str(caught.value).replace("checkpoints/best", "checkpoints/step-000000032")
    late = f"step-0000000{STEPS}" if told.endswith(AFTERWARDS) else None
    end = kept(place).replace(f"step-0000000{PER_EPOCH}", late) if late else kept(place)
    assert fact == f"{place}/run/{told}: cannot be written: No space left on device. {end}"
    assert caught.value.exit_code == 3
    monkeypatch.undo()
    goes_on(place, whole)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of four megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place)
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    yield place
    subprocess.run(("umount", place), check=True)


def test_a_disk_that_really_is_full(small_disk, whole):
    def fill():
        with open(small_disk / "filler", "wb", buffering=0) as file, pytest.raises(OSError):  # noqa: PT011, PT012
            while True:
                file.write(bytes(4096))

    write_training(small_disk)
    with pytest.raises(TrainingError) as caught:
        begin(small_disk, At(fill))
    assert "No space left on device. The last state is kept in" in str(caught.value)
    (small_disk / "filler").unlink()
    goes_on(small_disk, whole)


@pytest.mark.parametrize(
    ("workers", "spoil", "reason"),
    [
        (0, lambda path: path.unlink(), "No such file or directory"),
        (1, lambda path: path.write_bytes(path.read_bytes()[:99]), "damaged, or no image: "),
    ],
    ids=["missing", "cut short"],
)
def test_an_image_that_is_spoilt_in_the_middle(workers, spoil, reason, place, whole):
    image = place / "data" / "train" / "images" / "7.png"
    sound = image.read_bytes()
    with pytest.raises(TrainingError) as caught:
        begin(place, At(lambda: spoil(image)), SHORT.but(workers=workers))
    told = str(caught.value)
    assert told.startswith(f"{image}: {reason}")
    assert told.endswith(kept(place))
    assert "\n" not in told
    assert caught.value.exit_code == 3
    image.write_bytes(sound)
    goes_on(place, whole)


def spoilt_after(step: int, spoil, monkeypatch) -> None:
    """`spoil` the learner after a step."""
    original = Learner.step

    def spoilt(self, images, labels, now):
        outcome = original(self, images, labels, now)
        if now.number + 1 == step:
            spoil(self)
        return outcome

    monkeypatch.setattr(Learner, "step", spoilt)


@torch.no_grad()
def no_weight(learner) -> None:
    next(learner.network.parameters()).fill_(float("nan"))


def no_moment(learner) -> None:
    next(iter(learner.optimizer.state.values()))["momentum_buffer"].fill_(float("inf"))


@pytest.mark.parametrize(
    ("step", "spoil", "fact"),
    [
        (LATE, no_weight, f"The loss is nan at step {LATE + 1}"),
        (STEPS, no_weight, f"A weight is not a number after step {STEPS}"),
        (STEPS, no_moment, f"A moment of the optimizer is not a number after step {STEPS}"),
    ],
)
def test_what_is_no_number_is_never_saved(step, spoil, fact, place, whole, monkeypatch):
    spoilt_after(step, spoil, monkeypatch)
    with pytest.raises(TrainingError) as caught:
        begin(place)
    assert str(caught.value) == f"{fact}. Lower learning_rate in the recipe. {kept(place)}"
    for file in (place / "run" / "checkpoints").rglob("*.safetensors"):
        assert all(tensor.isfinite().all() for tensor in load_tensors(file)[0].values())
    monkeypatch.undo()
    goes_on(place, whole)


class Little(Watch):
    """Leaves a training 128 MB of address space to grow."""

    def started(self, run: Run, total: int, done: int, workers: int) -> None:
        pages = int(Path("/proc/self/statm").read_text("utf-8").split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + 128 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_memory_that_really_runs_out(place):
    before = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with pytest.raises(OutOfMemoryError) as caught:
            begin(place, Little(), SHORT.but(crop={"smallest": 8, "largest": 8, "size": 1024}))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert str(caught.value) == (
        "Memory ran out at batch 4. Lower crop.size, set recompute: unit, or train anew with a "
        "lower batch. No state was saved yet."
    )
    assert caught.value.exit_code == 3


LOADER_KILLED = """
import multiprocessing, os, signal
from gridgen.cli import main
from gridgen.training.loop.learner import Learner

def step(self, images, labels, step):
    if step.number == 18:
        os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
    return original(self, images, labels, step)

original, Learner.step = Learner.step, step
main()
"""


def program(place: Path, text: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`text` runs the program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", text, "train", *arguments], cwd=place, capture_output=True, text=True
    )


NEW = ("spec.yaml", "--data", "data", "--recipe", "recipe.yaml", "-o", "run")


def test_a_process_that_loads_images_and_is_killed(place, whole):
    (place / "recipe.yaml").write_text(dump(SHORT.but(workers=2)))
    done = program(place, LOADER_KILLED, *NEW)
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "A process that loads images ended with SIGKILL; memory may have run out. Lower workers in "
        "the recipe. The last state is kept in run/checkpoints/step-000000016."
    )
    assert "Traceback" not in done.stderr
    goes_on(place, whole)


def test_a_second_ctrl_c_is_obeyed_at_once(place, whole):
    def twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        begin(place, At(twice))
    goes_on(place, whole)


def test_sigterm_while_validating_is_obeyed_after_it(place, whole, monkeypatch):
    from gridgen.training.loop import trainer

    original = trainer.statistics_of

    def asked(*arguments, **settings):
        os.kill(os.getpid(), signal.SIGTERM)
        return original(*arguments, **settings)

    monkeypatch.setattr(trainer, "statistics_of", asked)
    with pytest.raises(Interrupted) as caught:
        begin(place)
    assert str(caught.value).startswith(f"stopped at step {PER_EPOCH} of {STEPS}; ")
    assert caught.value.exit_code == 143
    monkeypatch.undo()
    goes_on(place, whole)


def ask_to_stop():
    os.kill(os.getpid(), signal.SIGTERM)


def begin_again(run: Path) -> Run:
    return train(
        build_grid(SPEC),
        str(run.parent / "data"),
        SHORT,
        folder=run,
        device="cpu",
        resume_if_begun=True,
    )


@pytest.mark.parametrize("again", [resume, begin_again])
@pytest.mark.parametrize("change", ["added", "white", "values", "redrawn"])
def test_other_data_than_the_run_was_begun_on_is_refused(place, whole, again, change):
    with pytest.raises(Interrupted):
        begin(place, At(ask_to_stop))
    if change == "white":
        (place / "data" / "dataset.yaml").write_text("white: 4095\n")
        fact = "Its dataset.yaml names another white, black or nodata"
    elif change == "values":
        swapped = "values: {0: 1, 1: 0, 2: 2, 255: ignore}\n"
        (place / "data" / "dataset.yaml").write_text(swapped)
        fact = "Its classes.txt or dataset.yaml gives its labels another meaning"
    elif change == "redrawn":
        label = min((place / "data" / "train" / "labels").iterdir())
        before, times = label.read_bytes(), (label.stat().st_atime_ns, label.stat().st_mtime_ns)
        Image.open(label).transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(label)
        os.utime(label, ns=times)
        fact = "Label files hold other labels"
    else:
        for kind in ("images", "labels"):
            first = min((place / "data" / "train" / kind).iterdir())
            shutil.copy(first, first.with_stem("zzz"))
        fact = "Images were added, removed, renamed or resized"
    with pytest.raises(RunError) as caught:
        again(place / "run")
    assert str(caught.value) == (
        f"{place / 'run'} was begun on other data than {place / 'data'} is now. {fact}; put that "
        "back, or train anew."
    )
    if change == "redrawn":
        # Written later than the run was begun, and none the less what it was.
        label.write_bytes(before)
    elif change != "added":
        (place / "data" / "dataset.yaml").write_text(
            "# as before\nlabels: '{split}/labels/{name}'\n"
        )
    else:
        for kind in ("images", "labels"):
            max((place / "data" / "train" / kind).iterdir()).unlink()
    goes_on(place, whole)


@pytest.mark.parametrize("damage", ["cut short", "empty", "missing"])
def test_metrics_are_written_again_from_a_checkpoint(place, whole, damage):
    with pytest.raises(Interrupted):
        begin(place, At(ask_to_stop))
    metrics = place / "run" / "metrics.csv"
    if damage == "missing":
        metrics.unlink()
    else:
        metrics.write_bytes(metrics.read_bytes()[:-40] if damage == "cut short" else b"")
    with pytest.raises(RunError, match=r"writes it again from a checkpoint$"):
        Run.open(place / "run").rows()
    goes_on(place, whole)


def test_a_finished_run_needs_no_checkpoints(place):
    run = begin(place)
    before = {path: path.read_bytes() for path in (run.weights, run.folder / "metrics.csv")}
    shutil.rmtree(run.checkpoints)
    resume(run.folder)
    begin_again(run.folder)
    assert {path: path.read_bytes() for path in before} == before


def test_what_was_reached_is_not_begun_anew_where_checkpoints_are_gone(place):
    with pytest.raises(Interrupted):
        begin(place, At(ask_to_stop))
    run = Run.open(place / "run")
    before = run.weights.read_bytes()
    shutil.rmtree(run.checkpoints)
    with pytest.raises(RunError) as caught:
        resume(run.folder)
    assert str(caught.value) == (
        f"{run.checkpoints}: no checkpoint, but metrics.csv has 1 validation; put them back, "
        "or train anew elsewhere"
    )
    assert run.weights.read_bytes() == before


ASKED_WHILE_COUNTING = """
import os, time
from gridgen.cli import main
from gridgen.data import frequencies

def asked(*_):
    os.kill(os.getpid(), {number})
    time.sleep(60)  # which the signal ends

frequencies._labels = asked
main()
"""


@pytest.mark.parametrize(
    ("number", "code", "told"), [(signal.SIGTERM, -15, ""), (signal.SIGINT, 130, "stopped")]
)
def test_a_signal_while_labels_are_counted_leaves_nothing(number, code, told, place, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(place / "home"))  # no earlier count
    done = program(place, ASKED_WHILE_COUNTING.format(number=int(number)), *NEW)
    assert (done.returncode, done.stderr.strip()) == (code, told)
    assert not (place / "run").exists()
