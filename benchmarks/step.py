"""What of a training step is not forward, backward and optimizer: loading, augmentation, tally.

    python -m benchmarks.step [--data FOLDER] [--device cpu] [--steps 10] [--network NAME]

The real training loop runs, and each part of it is timed where it is called; a GPU is waited for
after each part. The first steps, in which memory is found and layouts are chosen, are left out.
Without `--data`, on generated images of CamVid's size and format.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image

from gridgen import GridSpec, build_grid
from gridgen.training import Recipe, load_recipe, train
from gridgen.training.loop import learner, trainer
from gridgen.training.loop.batches import Batches
from gridgen.training.loop.watch import Watch

SPECS = Path(__file__).parent.parent / "specs"
PAPER = load_recipe("paper").but(crop={"smallest": 160, "largest": 360, "size": 160})
NETWORKS = {
    "paper": (GridSpec.load(SPECS / "gridnet.yaml").but(classes=11, size="pad"), PAPER),
    "camvid-small": (GridSpec.load(SPECS / "camvid-small.yaml"), load_recipe("camvid-small")),
}
PARTS = ("network", "loading", "to the device", "augmentation", "tally")
WARM = 3


class Done(Exception):  # noqa: N818 - not an error
    """Enough steps were timed."""


class Clock(Watch):
    """Seconds spent in each part of the steps after the first ones, and in all."""

    def __init__(self, device: str, steps: int) -> None:
        self.device, self.steps = device, steps
        self.seconds: Counter[str] = Counter()
        self.wall = 0.0

    def stepped(self, step: int) -> None:
        if step == WARM:
            self.seconds.clear()
            self.begun = time.perf_counter()
        if step == WARM + self.steps:
            self.wall = time.perf_counter() - self.begun
            raise Done

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*arguments: Any) -> Any:
            begun = time.perf_counter()
            result = function(*arguments)
            if self.device.startswith("cuda"):
                torch.cuda.synchronize()
            self.seconds[part] += time.perf_counter() - begun
            return result

        return measured


def measure(spec: GridSpec, recipe: Recipe, data: str, options: argparse.Namespace) -> Clock:
    clock = Clock(options.device, options.steps)
    load, augmentation = Batches.loader, learner.augmentation

    def loader(batches: Batches, *arguments: Any) -> Iterator[Any]:
        loaded = load(batches, *arguments)
        following = clock.timed("loading", lambda: next(loaded))
        while True:
            yield following()

    def timed_augmentation(*arguments: Any) -> Any:
        return clock.timed("augmentation", augmentation(*arguments))

    places = [
        (learner, "forward", clock.timed("network", learner.forward)),
        (learner, "update", clock.timed("network", learner.update)),
        (learner, "augmentation", timed_augmentation),
        (learner.Learner, "_placed", _method(clock, "to the device", learner.Learner._placed)),
        (trainer.Trainer, "_observe", _method(clock, "tally", trainer.Trainer._observe)),
        (Batches, "loader", loader),
    ]
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        for owner, name, instead in places:
            stack.enter_context(patch.object(owner, name, instead))
        with suppress(Done):
            run = Path(folder) / "run"
            train(build_grid(spec), data, recipe, folder=run, device=options.device, watch=clock)
    return clock


def _method(clock: Clock, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
    measured = clock.timed(part, function)
    return lambda self, *arguments: measured(self, *arguments)


def generated(root: Path, number: int) -> str:
    """A folder of `number` smooth images of 480x360 with eleven classes."""
    rng = np.random.default_rng(0)
    for split, images in (("train", number), ("val", 2)):
        for kind in ("images", "labels"):
            (root / split / kind).mkdir(parents=True)
        for index in range(images):
            pixels = rng.integers(0, 256, (15, 20, 3), dtype=np.uint8)
            image = Image.fromarray(pixels).resize((480, 360), Image.Resampling.BICUBIC)
            image.save(root / split / "images" / f"{index}.webp", quality=90)
            ids = Image.fromarray(rng.integers(0, 11, (15, 20), dtype=np.uint8))
            ids.resize((480, 360), Image.Resampling.NEAREST).save(
                root / split / "labels" / f"{index}.png"
            )
    lines = [f"{index}\tclass-{index}\t{20 * index}\t0\t0\tclass" for index in range(11)]
    (root / "classes.txt").write_text("\n".join(lines) + "\n")
    return str(root)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--network", choices=NETWORKS, action="append")
    options = parser.parse_args()
    print(f"| network | workers | ms a step | {' | '.join(PARTS)} | rest | outside the network |")
    print(f"|---|---:|---:|{'---:|' * (len(PARTS) + 2)}")
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or generated(Path(folder) / "generated", 64)
        for name in options.network or NETWORKS:
            spec, recipe = NETWORKS[name]
            for workers in (0, 1):
                clock = measure(spec, recipe.but(workers=workers, epochs=1000), data, options)
                shown = f"{name}, {recipe.batch} x {recipe.crop.size}x{recipe.crop.size}"
                print(row(shown, workers, clock), flush=True)


def row(name: str, workers: int, clock: Clock) -> str:
    parts = [clock.seconds[part] / clock.wall for part in PARTS]
    shares = " | ".join(f"{share:.1%}" for share in (*parts, 1 - sum(parts), 1 - parts[0]))
    return f"| {name} | {workers} | {1000 * clock.wall / clock.steps:.0f} | {shares} |"


if __name__ == "__main__":
    main()
