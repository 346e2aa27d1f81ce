"""Training: repeatable to the bit, resumed to the bit, stopped without loss."""

import errno
import json
import math
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from contextlib import nullcontext

import pytest
import torch
from tiny import PROGRAM, RECIPE, SPEC, STEPS, StopAt, bits

from gridgen.data import IGNORE
from gridgen.data.shapes import Shapes
from gridgen.emit.weights import load_tensors
from gridgen.errors import (
    DeviceError,
    FileError,
    Interrupted,
    RunError,
    SizeError,
    SpecError,
    TrainingError,
    WeightsError,
)
from gridgen.grid import build_grid
from gridgen.training import Run, open_model, resume, train
from gridgen.training.loop.batches import Batches
from gridgen.training.loop.watch import Watch
from gridgen.training.run.facts import Facts


class Counting(Watch):
    """How many labels were read to count classes."""

    counts = 0

    def counted(self, done, total):
        self.counts += 1


def quick(folder, watch=None, seed=0, spec=SPEC, recipe=RECIPE) -> Run:
    return train(
        build_grid(spec), "shapes", recipe, folder=folder, seed=seed, watch=watch, device="cpu"
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Run:
    return quick(tmp_path_factory.mktemp("whole") / "run")


def test_a_run_folder_holds_what_the_user_needs(whole):
    names = {path.name for path in whole.folder.iterdir()}
    assert names == {
        *("spec.yaml", "recipe.yaml", "run.json", "metrics.csv", "curve.png", "predictions.png"),
        *("steps.csv", "checkpoints", "weights.safetensors", ".lock"),
        *(("remarks.txt",) if whole.remarks else ()),
    }
    assert whole.spec == SPEC
    assert whole.recipe == RECIPE
    assert [row["epoch"] for row in whole.rows()] == [1, 2, 3]
    assert sorted(path.name for path in whole.checkpoints.iterdir()) == [
        "best",
        "step-000000008",
        "step-000000012",
    ]


def test_the_same_seed_gives_the_same_bits(whole, tmp_path):
    assert bits(quick(tmp_path / "again")) == bits(whole)


def test_another_seed_gives_other_bits(whole, tmp_path):
    assert bits(quick(tmp_path / "other", seed=1)) != bits(whole)


@pytest.mark.parametrize("step", [1, 4, 6, 11])
def test_a_stopped_and_resumed_run_equals_the_uninterrupted_one(step, whole, tmp_path):
    with pytest.raises(Interrupted) as caught:
        quick(tmp_path / "run", StopAt(step, signal.SIGTERM))
    assert str(caught.value) == (
        f"stopped at step {step} of {STEPS}; gridgen train --resume {tmp_path}/run goes on"
    )
    stopped = Run.open(tmp_path / "run")
    stopped.network()
    assert bits(resume(stopped.folder)) == bits(whole)


def test_a_stop_at_the_last_step_finishes_the_run(whole, tmp_path):
    assert bits(quick(tmp_path / "run", StopAt(STEPS, signal.SIGINT))) == bits(whole)


def test_a_finished_run_can_be_resumed_without_change(whole, tmp_path):
    shutil.copytree(whole.folder, tmp_path / "copy")
    assert bits(resume(tmp_path / "copy")) == bits(whole)


@pytest.fixture
def written(tmp_path):
    """A spec and a recipe as files, for the program."""
    from gridgen.spec.document import dump

    (tmp_path / "spec.yaml").write_text(dump(SPEC))
    (tmp_path / "recipe.yaml").write_text(dump(RECIPE))
    return tmp_path


def start(folder, *arguments: str, program: str = PROGRAM) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", program, "train", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(folder, pattern: str) -> None:
    for _ in range(1200):
        if list(folder.glob(pattern)):
            return
        time.sleep(0.05)
    raise AssertionError(f"no {pattern} in {folder}")


STOPPED = """
import os, signal
from gridgen.cli import main
from gridgen.training.loop.learner import Learner

def step(self, images, labels, step):
    if step.number == 2:
        os.kill(os.getpid(), signal.SIGTERM)
    return original(self, images, labels, step)

original, Learner.step = Learner.step, step
main()
"""


def test_sigterm_ends_the_program_with_143_and_a_usable_run(written):
    arguments = ("spec.yaml", "--data", "shapes", "--recipe", "recipe.yaml", "-o", "run")
    process = start(written, *arguments, program=STOPPED)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 143, errors
    said = errors.splitlines()[-1]
    assert said == "stopped at step 3 of 12; gridgen train --resume run goes on"
    assert "Traceback" not in errors
    Run.open(written / "run").network()


STOPPED_TOO_LATE = """
import atexit, os, signal
import gridgen.cli.train as command
import gridgen.training.loop.trainer as trainer

def stopped_first(function):
    def stopped(*arguments):
        stop()
        return function(*arguments)
    return stopped

def stop():
    os.kill(os.getpid(), signal.SIGTERM)

trainer.draw_curve = stopped_first(trainer.draw_curve)
command.print_run = stopped_first(command.print_run)
atexit.register(stop)
"""


def test_sigterm_after_the_last_step_changes_nothing_until_the_program_has_ended(whole, written):
    shutil.copytree(whole.folder, written / "run")
    shutil.rmtree(written / "run" / "checkpoints" / "step-000000012")
    for name in ("weights.safetensors", "curve.png", "predictions.png"):
        (written / "run" / name).unlink()
    process = start(written, "--resume", "run", program=STOPPED_TOO_LATE + PROGRAM)
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert printed.endswith("run/curve.png, run/predictions.png\n")
    assert (written / "run" / "predictions.png").is_file()
    assert bits(Run.open(written / "run")) == bits(whole)


def test_no_whole_checkpoint_is_an_error(whole, tmp_path):
    shutil.copytree(whole.folder, tmp_path / "copy")
    for manifest in (tmp_path / "copy" / "checkpoints").glob("*/manifest.json"):
        manifest.write_text("{}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RunError) as caught:
            resume(tmp_path / "copy")
    assert str(caught.value) == (
        f"{tmp_path}/copy/checkpoints: no whole checkpoint (2 found); train anew"
    )


def test_a_taken_folder_is_refused_and_left_alone(whole):
    before = bits(whole)
    with pytest.raises(RunError) as caught:
        quick(whole.folder)
    assert str(caught.value) == (
        f"{whole.folder} exists already; continue it with --resume {whole.folder}, or name another"
    )
    assert bits(whole) == before


def test_classes_are_counted_where_a_run_is_begun_and_not_where_one_goes_on(tmp_path):
    recipe, watch = RECIPE.but(epochs=1, class_weights="median-frequency"), Counting()
    for _ in range(2):
        run = train(
            build_grid(SPEC),
            "shapes",
            recipe,
            folder=tmp_path / "run",
            device="cpu",
            resume_if_begun=True,
            watch=watch,
        )
        assert watch.counts == len(Shapes("train"))
    assert len(run.facts.class_weights) == 3
    with pytest.raises(RunError, match="exists already"):
        quick(tmp_path / "run", watch, recipe=recipe)
    assert watch.counts == len(Shapes("train"))


def test_a_second_process_on_the_same_run_is_refused(whole):
    with whole.locked(), pytest.raises(RunError) as caught:
        resume(whole.folder)
    assert str(caught.value) == f"{whole.folder}: another process is training this run"


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"classes": 4}, SpecError, "classes: 4, but the data shapes has 3; set classes: 3"),
        (
            {"in_channels": 1},
            SpecError,
            "in_channels: 1, but the data shapes has 3; set in_channels: 3",
        ),
        (
            {"streams": 5, "size": "error"},
            SizeError,
            "recipe, crop.size: Image is 8x8; 5 streams need multiples of 16. "
            "Pad to 16x16, or set size: pad.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(changes, error, text, tmp_path):
    with pytest.raises(error) as caught:
        quick(tmp_path / "run", spec=SPEC.but(**changes))
    assert str(caught.value) == text
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_no_number_stops_with_the_last_state_kept(tmp_path):
    wild = RECIPE.but(learning_rate=1e30, epochs=10)
    with pytest.raises(TrainingError) as caught:
        quick(tmp_path / "run", recipe=wild)
    assert re.fullmatch(
        r"(The loss is (nan|inf) at|A weight is not a number after) step \d+\. "
        r"Lower learning_rate in the recipe\. No state was saved yet\.",
        str(caught.value),
    )


def test_memory_that_runs_out_is_one_line(monkeypatch, tmp_path):
    def exhausted(*_args, **_kwargs):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9")

    monkeypatch.setattr("gridgen.training.recipe.losses.cross_entropy", exhausted)
    with pytest.raises(TrainingError) as caught:
        quick(tmp_path / "run")
    assert str(caught.value) == (
        "Memory ran out at batch 250. Lower crop.size, set recompute: unit, or train anew with a "
        "lower batch. No state was saved yet."
    )


def test_bf16_and_other_formats_train_too(tmp_path):
    recipe = RECIPE.but(precision="bf16", channels_last=False, epochs=1)
    run = quick(tmp_path / "run", recipe=recipe)
    tensors, _ = load_tensors(run.weights)
    assert all(t.dtype in (torch.float32, torch.int64) for t in tensors.values())


def test_the_run_says_how_it_was_made(whole):
    facts = json.loads((whole.folder / "run.json").read_text("utf-8"))
    assert facts["data"] == "shapes"
    assert facts["classes"] == ["background", "larger", "smaller"]
    assert facts["torch"] == torch.__version__


def test_a_run_killed_before_its_first_checkpoint_begins_again_in_its_folder(whole, tmp_path):
    shutil.copytree(whole.folder, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "checkpoints")
    (tmp_path / "copy" / "weights.safetensors").unlink()
    Run.open(tmp_path / "copy").write_rows([])
    assert bits(resume(tmp_path / "copy")) == bits(whole)


@pytest.mark.parametrize("best", [True, False])
def test_a_spec_that_was_changed_after_the_training_is_refused(whole, tmp_path, best):
    run = Run.open(shutil.copytree(whole.folder, tmp_path / "run"))
    path = run.folder / "spec.yaml"
    path.write_text(path.read_text("utf-8").replace("base_channels: 3", "base_channels: 4"))
    with pytest.raises(RunError) as caught:
        open_model(run.folder, best)
    assert str(caught.value) == f"{path} was changed after the training; put it back"


def test_the_best_weights_are_those_of_the_best_row(whole):
    from gridgen.training import evaluate

    best = max(row["val_iou"] for row in whole.rows())
    found = evaluate(open_model(whole.folder, best=True), "shapes", baseline=False)
    assert found.network.means["iou"] == pytest.approx(best, abs=1e-6)


def test_a_batch_without_a_labelled_pixel_gives_no_loss_and_no_nan(tmp_path, monkeypatch):
    def unlabelled(self, step):
        images, labels = original(self, step)
        return images, torch.full_like(labels, IGNORE) if step == 2 else labels

    original = Batches.__getitem__
    monkeypatch.setattr(Batches, "__getitem__", unlabelled)
    run = quick(tmp_path / "run", recipe=RECIPE.but(epochs=1))
    assert all(math.isfinite(row["loss"]) for row in run.rows())


def test_a_batch_that_processes_cannot_share_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    # The three others are not there.
    monkeypatch.setattr("gridgen.training.loop.train.joined", nullcontext)
    with pytest.raises(DeviceError) as caught:
        quick(tmp_path / "run")
    assert str(caught.value) == (
        "a batch of 250 cannot be shared by 4 processes; set batch to a multiple of 4"
    )
    assert not (tmp_path / "run").exists()


def test_an_image_of_val_that_does_not_fit_is_named_before_anything_is_written(
    tmp_path, monkeypatch
):
    sizes = ((64, 64),) * 63 + ((63, 64),)
    original = Shapes.__init__

    def uneven(self, split="train", seed=0):
        original(self, split, seed)
        self.sizes = sizes

    monkeypatch.setattr(Shapes, "__init__", uneven)
    with pytest.raises(SizeError) as caught:
        quick(tmp_path / "run", spec=SPEC.but(size="error"))
    assert str(caught.value) == (
        "shapes, val, image val-0063: Image is 63x64; 2 streams need multiples of 2. "
        "Pad to 64x64, crop to 62x64, or set size: pad."
    )
    assert not (tmp_path / "run").exists()


def test_a_folder_that_another_training_has_taken_meanwhile_is_not_this_ones(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    create, taken = Run.create, []

    def raced(place, *given):
        if not taken:
            taken.append(create(place, *given))
        return create(place, *given)

    monkeypatch.setattr(Run, "create", raced)
    assert quick(None).folder.name == f"{taken[0].folder.name}-2"


def test_a_run_that_cannot_be_written_leaves_nothing(monkeypatch, tmp_path):
    def full(facts, path):
        raise FileError(f"{path}: cannot be written: No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Facts, "write", full)
        with pytest.raises(FileError, match="No space left on device"):
            quick(tmp_path / "run")
    assert not any(tmp_path.iterdir())
    assert quick(tmp_path / "run").is_finished(Run.open(tmp_path / "run").rows())


def test_a_file_system_without_locks_is_one_line(monkeypatch, tmp_path):
    def refused(file, how):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", refused)
    with pytest.raises(FileError) as caught:
        quick(tmp_path / "run")
    assert str(caught.value) == (
        f"{tmp_path}/run/.lock: cannot be locked: Function not implemented; use a file system that "
        "has locks"
    )


def test_the_best_weights_before_the_first_validation_are_told_to_be_none(tmp_path):
    with pytest.raises(Interrupted):
        quick(tmp_path / "run", StopAt(2, signal.SIGINT))
    with pytest.raises(WeightsError, match="no validation yet, so no weights are the best"):
        open_model(tmp_path / "run", best=True)
