"""Trainings that are killed and checkpoints that are damaged: what is lost of them. Nothing.

The program is killed (SIGKILL) at random instants and started again with --resume, until it is
done. Then one file of the newer of two checkpoints is damaged at random and a state is restored: it
must be the older one, with one warning, or, where the damage changes nothing, the newer one.
"""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from gridgen.spec.document import dump
from gridgen.training import Recipe, Run
from gridgen.training.loop.learner import Learner
from gridgen.training.recipe import TrainingStep
from gridgen.training.run.checkpoint import TrainingState, load_checkpoint, newest, save_checkpoint
from gridgen.training.tasks import Task, task_named

PROGRAM = (sys.executable, "-c", "from gridgen.cli import main; main()")
SPEC = GridSpec(streams=2, columns="1+1", base_channels=3, classes=3, total_dropout=0.3)
RECIPE = Recipe(
    epochs=5,
    batch=4,
    learning_rate=0.01,
    optimizer="sgd",
    class_weights="median-frequency",
    ema=0.9,
    crop={"smallest": 8, "largest": 16, "size": 8},
    checkpoint_minutes=0.002,
    workers=1,
)
STEPS = 80
CLASSES = "0\tdark\t0\t0\t0\tclass\n1\tgrey\t90\t90\t90\tclass\n2\tlight\t200\t200\t200\tclass\n"
AFTER = "after the last step"


SUPERNET = RECIPE.but(supernet={"base_channels": [2, 3], "sampling": "fair"})
"""The same, with sub-networks that are trained in every step."""


def write_training(folder: Path, recipe: Recipe = RECIPE) -> None:
    """spec.yaml, recipe.yaml, and pictures whose classes are their brightness."""
    (folder / "spec.yaml").write_text(dump(SPEC))
    (folder / "recipe.yaml").write_text(dump(recipe))
    rng = np.random.default_rng(0)
    for split, number in (("train", 64), ("val", 4)):
        for part in ("images", "labels"):
            (folder / "data" / split / part).mkdir(parents=True)
        for i in range(number):
            label = np.kron(rng.integers(0, 3, (4, 4)), np.ones((4, 4))).astype(np.uint8)
            image = label[..., None] * 90 + rng.integers(0, 60, (16, 16, 3))
            Image.fromarray(label).save(folder / "data" / split / "labels" / f"{i}.png")
            Image.fromarray(image.astype(np.uint8)).save(
                folder / "data" / split / "images" / f"{i}.png"
            )
    (folder / "data" / "classes.txt").write_text(CLASSES)


def bits(run: Path) -> tuple[bytes, str, list[tuple[float, ...]]]:
    """What two equal trainings have in common: weights, metrics, and losses of steps."""
    steps = [
        tuple(row[name] for name in ("step", "learning_rate", "loss"))
        for row in Run(run).steps.rows()
    ]
    return (
        (run / "weights.safetensors").read_bytes(),
        (run / "metrics.csv").read_text("utf-8"),
        steps,
    )


def start(folder: Path, run: str) -> "subprocess.Popen[str]":
    """The program: begins the training `run` in `folder`, or goes on with it."""
    begun = (folder / run / "run.json").is_file()
    fresh = ("spec.yaml", "--data", "data", "--recipe", "recipe.yaml", "-o", run)
    arguments = ("--resume", run) if begun else fresh
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*PROGRAM, "train", *arguments], cwd=folder, stdout=pipe, stderr=pipe, text=True
    )


def finish(process: "subprocess.Popen[str]") -> None:
    """Wait for the end, which must be a good one."""
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told


def train_whole(folder: Path) -> float:
    """The training left alone; the seconds from its first step to its last checkpoint."""
    process, run = start(folder, "whole"), folder / "whole"
    wait_for_steps(process, run)
    begun = time.monotonic()
    while not is_last(newest(run / "checkpoints")) and process.poll() is None:
        time.sleep(0.001)
    took = time.monotonic() - begun
    finish(process)
    return took


def kill_until_done(
    folder: Path, run: str, kills: int, life: float, rng: random.Random
) -> list[str]:
    """Kill the training at most `kills` times, at random instants; what each kill hit.

    A kill comes within `life` seconds from the first step on. Twice after the last step, where
    pictures are drawn, is enough.
    """
    hits: list[str] = []
    while len(hits) < kills and hits.count(AFTER) < 2:
        process = start(folder, run)
        wait_for_steps(process, folder / run)
        try:
            process.wait(rng.uniform(0, life))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            hits.append(hit(folder / run))
            continue
        finish(process)
        return hits
    finish(start(folder, run))
    return hits


def wait_for_steps(process: "subprocess.Popen[str]", run: Path) -> None:
    """Until it writes steps.csv anew, which is its first act."""
    before = inode(run / "steps.csv")
    while inode(run / "steps.csv") in (None, before) and process.poll() is None:
        time.sleep(0.001)


def inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def hit(run: Path) -> str:
    """Where a training was when it was killed."""
    folder = run / "checkpoints"
    if any(folder.glob(".*")):
        return "while a checkpoint was written"
    last = newest(folder)
    if last is None:
        return "before the first checkpoint"
    return AFTER if is_last(last) else "between two checkpoints"


def is_last(checkpoint: Path | None) -> bool:
    return checkpoint is not None and checkpoint.name.endswith(str(STEPS))


def flip(path: Path, rng: random.Random) -> None:
    """One bit."""
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def zero(path: Path, rng: random.Random) -> None:
    """Up to 512 bytes."""
    content = bytearray(path.read_bytes())
    begin = rng.randrange(len(content))
    end = min(begin + 512, len(content))
    content[begin:end] = bytes(end - begin)
    path.write_bytes(content)


def truncate(path: Path, rng: random.Random) -> None:
    """Somewhere."""
    path.write_bytes(path.read_bytes()[: rng.randrange(1, path.stat().st_size)])


def append(path: Path, rng: random.Random) -> None:
    """1 to 64 bytes of anything."""
    path.write_bytes(path.read_bytes() + rng.randbytes(rng.randint(1, 64)))


def exchange(path: Path, _rng: random.Random) -> None:
    """The same file of the checkpoint before."""
    before = sorted(path.parent.parent.glob("step-*"))[0]
    shutil.copy(before / path.name, path)


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "a bit flipped": flip,
    "a block zeroed": zero,
    "cut short": truncate,
    "bytes appended": append,
    "that of another checkpoint": exchange,
    "empty": lambda path, _rng: path.write_bytes(b"") and None,
    "missing": lambda path, _rng: path.unlink(),
}


def fresh_state() -> TrainingState:
    return TrainingState(Learner(build_grid(SPEC), task(), RECIPE, 0, torch.device("cpu")))


def task() -> Task:
    return task_named(
        "segmentation", ["dark", "grey", "light"], [[0, 0, 0], [90, 90, 90], [200, 200, 200]]
    )


def write_checkpoints(folder: Path) -> tuple[dict[str, object], dict[str, object]]:
    """Two checkpoints of a few steps on noise; what is in them, the older one first."""
    state, held = fresh_state(), []
    for _ in range(2):
        for _ in range(3):
            torch.manual_seed(state.step)
            images, labels = torch.rand(4, 3, 8, 8), torch.randint(0, 3, (4, 8, 8))
            outcome = state.learner.step(images, labels, TrainingStep(state.step, 10, 1))
            state.losses.add(outcome.loss)
            state.step += 1
        state.losses.fetch(state.step)
        state.statistics = torch.arange(9).reshape(3, 3) + state.step
        save_checkpoint(folder, state)
        held.append(content(state))
    return held[0], held[1]


def content(state: TrainingState) -> dict[str, object]:
    """All that a checkpoint is to bring back, tensors as their bytes."""
    learner = state.learner
    assert learner.ema is not None
    moments = learner.optimizer.state_dict()["state"].items()
    tensors = {
        **{f"network.{name}": t for name, t in learner.network.state_dict().items()},
        **{f"average.{name}": t for name, t in learner.ema.network.state_dict().items()},
        **{f"{n}.{name}": t for n, values in moments for name, t in values.items()},
        **({} if state.statistics is None else {"statistics": state.statistics}),
    }
    raw = {name: t.contiguous().numpy().tobytes() for name, t in tensors.items()}
    return {**raw, "numbers": json.dumps(state.numbers())}


def restore_damaged(
    folder: Path, kind: str, rng: random.Random, held: tuple[dict[str, object], dict[str, object]]
) -> tuple[str, str]:
    """Damage a file of the newer checkpoint in a copy of `folder`: the file, and what came of it.

    `detected`: the older state was restored, with one warning. `harmless`: the newer one was.
    """
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "checkpoints"
        shutil.copytree(folder, copy)
        last = newest(copy)
        assert last is not None
        path = rng.choice(sorted(last.iterdir()))
        DAMAGES[kind](path, rng)
        state = fresh_state()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = load_checkpoint(copy, state)
    older, newer = held
    now = content(state)
    if found == last and now == newer and not told:
        return path.name, "harmless"
    detected = found != last and now == older and len(told) == 1
    return path.name, "detected" if detected else "LOST"
