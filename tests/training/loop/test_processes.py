"""Several processes train what one does (gloo, two of them, on this machine)."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import SPEC, StopAt
from two_processes import run_two

from gridgen.emit.weights import load_tensors
from gridgen.errors import Interrupted
from gridgen.grid import build_grid
from gridgen.spec.document import dump
from gridgen.training import Recipe, Run, evaluate, resume, train

# An epsilon that keeps Adam from making steps of the noise where there is no gradient, such as
# that of a bias before a BN.
RECIPE = Recipe(
    epochs=6,
    batch=4,
    learning_rate=0.01,
    optimizer={"name": "adam", "epsilon": 1e-3},
    crop={"smallest": 8, "largest": 16, "size": 8},
    validate_every=2,
)
# Few steps: the Charbonnier loss bends sharply, and makes much of rounding soon, with one process
# in another memory format too.
AS_THEY_ARE = RECIPE.but(
    crop={"smallest": 8, "largest": 8, "size": 8}, epochs=4, optimizer="sgd", validate_every=1
)
RESTORATION = SPEC.but(in_channels=1, classes=1)
MARKS = "{marks}"
RAMPS = "denoising:{ramps}"
TRAININGS = {
    "total dropout": (SPEC, MARKS, RECIPE),
    "class weights, smoothed labels": (
        SPEC,
        MARKS,
        RECIPE.but(class_weights="median-frequency", label_smoothing=0.1, workers=1),
    ),
    "dice and focal loss": (
        SPEC,
        MARKS,
        RECIPE.but(
            loss=["dice", {"name": "focal", "weight": 0.5, "gamma": 1.5}],
            class_weights="root-frequency",
            label_smoothing=0.1,
        ),
    ),
    "an average": (SPEC, MARKS, RECIPE.but(ema=0.9)),
    "clipped SGD": (SPEC, MARKS, RECIPE.but(optimizer="sgd", clip_norm=0.5)),
    "recomputed units": (SPEC, MARKS, RECIPE.but(recompute="unit")),
    "recomputed columns": (SPEC, MARKS, RECIPE.but(recompute="column")),
    "augmentation": (SPEC, MARKS, RECIPE.but(augmentation={"rotation": 20, "noise": 0.05})),
    "weighted fusion": (SPEC.but(fusion="weighted"), MARKS, RECIPE),
    "a supernet": (
        SPEC.but(base_channels=4),
        MARKS,
        RECIPE.but(supernet={"base_channels": [2, 4], "samples": 1}, clip_norm=0.5),
    ),
    "restoration": (RESTORATION, RAMPS, AS_THEY_ARE),
}
STOPPED_AT = 7

# Each training takes some seconds; one that hangs says in which line, and ends both processes.
WORK = """
import faulthandler, json, signal, sys
from tiny import StopAt
from gridgen.architectures import load_spec
from gridgen.errors import Interrupted
from gridgen.grid import build_grid
from gridgen.training import resume, train
from gridgen.training.processes.devices import rank
for job in json.loads(sys.argv[1]):
    faulthandler.dump_traceback_later(300, exit=True)
    folder = job["folder"]
    print(folder, flush=True)
    watch = StopAt(job["stop"], signal.SIGTERM) if rank() == 1 and job["stop"] else None
    try:
        if job["resume"]:
            resume(folder)
        else:
            grid = build_grid(load_spec(job["spec"]))
            train(grid, job["data"], job["recipe"], folder=folder, device="cpu", watch=watch)
    except Interrupted as stopped:
        assert stopped.exit_code == 143
"""


@pytest.fixture(scope="session")
def marks(tmp_path_factory) -> Path:
    """Noisy squares of three classes; of the training images every other is mostly void."""
    root = tmp_path_factory.mktemp("processes") / "marks"
    rng = np.random.default_rng(0)
    for split, number in (("train", 16), ("val", 3)):
        for part in ("images", "labels"):
            (root / split / part).mkdir(parents=True)
        for i in range(number):
            label = rng.integers(0, 3, (4, 4)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
            image = np.stack([80 * label, 160 - 60 * label, rng.integers(0, 255, label.shape)], -1)
            Image.fromarray(image.astype(np.uint8)).save(root / split / "images" / f"{i}.png")
            void = rng.random(label.shape) < (0.9 if i % 2 else 0.1)
            label[void] = 3
            Image.fromarray(label).save(root / split / "labels" / f"{i}.png")
    names = ("ground", "tree", "wall")
    lines = [f"{i}\t{name}\t{40 * i}\t0\t0\tclass\n" for i, name in enumerate(names)]
    (root / "classes.txt").write_text("".join([*lines, "3\tvoid\t0\t0\t0\tignore\n"]))
    return root


@pytest.fixture(scope="session")
def alone(marks, ramps, tmp_path_factory) -> dict[str, Run]:
    """Each training by one process."""
    root = tmp_path_factory.mktemp("alone")
    return {
        name: train(
            build_grid(spec),
            data.format(marks=marks, ramps=ramps),
            recipe,
            folder=root / name,
            device="cpu",
        )
        for name, (spec, data, recipe) in TRAININGS.items()
    }


@pytest.fixture(scope="session")
def shared(marks, ramps, tmp_path_factory) -> dict[str, Run]:
    """Each training by two processes; the last two begun by two, and gone on with by two."""
    root = tmp_path_factory.mktemp("shared")
    jobs = []
    for name, (spec, data, recipe) in TRAININGS.items():
        jobs.append(_job(root, name, spec, data.format(marks=marks, ramps=ramps), recipe))
    whole = jobs[0]
    jobs.append({**whole, "folder": str(root / "begun by two"), "stop": STOPPED_AT})
    with pytest.raises(Interrupted):
        train(
            build_grid(SPEC),
            str(marks),
            RECIPE,
            folder=root / "begun by one",
            device="cpu",
            watch=StopAt(STOPPED_AT, signal.SIGTERM),
        )
    jobs.append({**whole, "folder": str(root / "begun by one"), "resume": True})
    run_two(root, WORK, json.dumps(jobs))
    return {Path(job["folder"]).name: Run.open(job["folder"]) for job in jobs}


def _job(root: Path, name: str, spec, data: str, recipe) -> dict[str, object]:
    (root / f"{name}.spec.yaml").write_text(dump(spec))
    (root / f"{name}.recipe.yaml").write_text(dump(recipe))
    files = {what: str(root / f"{name}.{what}.yaml") for what in ("spec", "recipe")}
    return {**files, "data": data, "folder": str(root / name), "stop": None, "resume": False}


def assert_equal_but_for_rounding(one: Run, two: Run) -> None:
    """Losses and scores, and all weights and BN statistics."""
    ours, theirs = one.rows(), two.rows()
    assert [row["step"] for row in ours] == [row["step"] for row in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert other["loss"] == pytest.approx(mine["loss"], rel=1e-5)
        assert other == pytest.approx(mine, rel=1e-5, abs=0.01)
    losses = [[row["loss"] for row in run.steps.rows()] for run in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    weights, others = load_tensors(one.weights)[0], load_tensors(two.weights)[0]
    torch.testing.assert_close(others, weights, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_train_what_one_does(name, alone, shared):
    assert_equal_but_for_rounding(alone[name], shared[name])


@pytest.mark.slow
def test_the_score_of_two_processes_is_that_of_the_whole_split(shared, marks):
    run = shared["total dropout"]
    score = evaluate(run.folder, str(marks), baseline=False).network
    assert run.rows()[-1]["val_iou"] == pytest.approx(score.value, abs=1e-6)


@pytest.mark.slow
def test_a_training_begun_by_two_processes_is_finished_by_one(alone, shared):
    begun = shared["begun by two"]
    assert begun.steps.rows() == []
    assert sorted(p.name for p in begun.checkpoints.glob("step-*"))[-1] == "step-000000007"
    assert_equal_but_for_rounding(alone["total dropout"], resume(begun.folder))


@pytest.mark.slow
def test_a_training_begun_by_one_process_is_finished_by_two(alone, shared):
    assert_equal_but_for_rounding(alone["total dropout"], shared["begun by one"])
