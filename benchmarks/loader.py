"""Training images per second that loading and cropping give, against a plain Pillow loop.

    python -m benchmarks.loader [--images 16] [--seconds 10] [--rounds 3]

Pictures of 2048x1024 as PNG, made from a seed: blobs of all sizes and a little grain, which PNG
packs to 0.37 of their bytes (Cityscapes: 11 GB for 5,000 images, 0.35); labels are blocks of 19
classes. What is asked for is the paper's: a square of side 400..1024 at a random place, resized to
400x400, mirrored half of the time, in batches of 4. The peer does that with Pillow alone: it
decodes both files, cuts and resizes in one pass with `resize(box=...)`, and makes tensors of what
is left. It checks nothing. Files are in the page cache; the same processes load for both, which
take turns.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from gridgen.data import load_dataset
from gridgen.data.folder import read_classes
from gridgen.data.folder.dataset import label_source
from gridgen.data.folder.labels import labels_in
from gridgen.data.folder.layout import Layout, paired
from gridgen.images import Window
from gridgen.images.files import read_image, read_pixels
from gridgen.training import load_recipe
from gridgen.training.loop.batches import Batches
from gridgen.training.processes.prefetch import prefetch

HEIGHT, WIDTH, CLASSES = 1024, 2048, 19
RECIPE = load_recipe("paper")
CROP = RECIPE.crop
BILINEAR, NEAREST = Image.Resampling.BILINEAR, Image.Resampling.NEAREST
Load = Callable[[int], tuple[Tensor, Tensor]]


class PillowLoop:
    """The peer."""

    def __init__(self, root: Path) -> None:
        self.pairs = [
            (path, root / "train" / "labels" / path.name)
            for path in sorted((root / "train" / "images").iterdir())
        ]

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(step)
        pairs = [self.sample(rng) for _ in range(RECIPE.batch)]
        images, labels = zip(*pairs, strict=True)
        return torch.stack(images), torch.stack(labels)

    def sample(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        image, label = map(Image.open, self.pairs[int(rng.integers(len(self.pairs)))])
        side = int(rng.integers(CROP.smallest, CROP.largest + 1))
        top, left = int(rng.integers(HEIGHT - side + 1)), int(rng.integers(WIDTH - side + 1))
        box, size = (left, top, left + side, top + side), (CROP.size, CROP.size)
        image = image.resize(size, BILINEAR, box=box)
        label = label.resize(size, NEAREST, box=box)
        if rng.random() < 0.5:
            image, label = (
                each.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for each in (image, label)
            )
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div_(255)
        return pixels, torch.from_numpy(np.array(label)).long()


def write_dataset(root: Path, images: int) -> float:
    """A folder of two equal splits; the share of their bytes that PNG needs."""
    rng, sizes = np.random.default_rng(0), []
    rows = (f"{i}\tclass{i}\t{i}\t0\t0\tclass\n" for i in range(CLASSES))
    for split in ("train", "val"):
        for part in ("images", "labels"):
            (root / split / part).mkdir(parents=True)
    (root / "classes.txt").write_text("".join(rows))
    for number in range(images):
        path = root / "train" / "images" / f"{number:03d}.png"
        picture(rng).save(path)
        sizes.append(path.stat().st_size)
        ids = rng.integers(0, CLASSES, (HEIGHT // 64, WIDTH // 64), np.uint8)
        label = Image.fromarray(ids).resize((WIDTH, HEIGHT), NEAREST)
        label.save(root / "train" / "labels" / path.name)
    return float(np.mean(sizes)) / (3 * HEIGHT * WIDTH)


def write_small(root: Path, images: int) -> None:
    """A folder of smooth images of 64x64, all different, three quarters of them in train."""
    rng = np.random.default_rng(0)
    parts = (("images", 255, (8, 8, 3), BILINEAR), ("labels", 4, (4, 4), NEAREST))
    for number in range(images):
        split = root / ("val" if number % 4 == 3 else "train")
        for part, most, shape, resampling in parts:
            (split / part).mkdir(parents=True, exist_ok=True)
            values = Image.fromarray(rng.integers(0, most, shape, np.uint8))
            values.resize((64, 64), resampling).save(split / part / f"{number:04d}.png")
    rows = (f"{i}\tclass{i}\t{i}\t0\t0\tclass\n" for i in range(4))
    (root / "classes.txt").write_text("".join(rows))


def picture(rng: np.random.Generator) -> Image.Image:
    canvas = torch.zeros(1, 3, HEIGHT, WIDTH)
    for side in (4, 8, 16, 32, 64, 128, 256):
        blobs = torch.from_numpy(rng.normal(0, 3 / side, (1, 3, side // 2, side)))
        canvas += interpolate(blobs.float(), (HEIGHT, WIDTH), mode="bilinear", align_corners=True)
    pixels = canvas[0].permute(1, 2, 0).numpy()
    pixels = 90 + 55 * (pixels - pixels.mean()) / pixels.std() + rng.normal(0, 1, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def images_per_second(load: Load, workers: int, seconds: float) -> float:
    """Of processes that do nothing but load, after the first batches."""
    with closing(prefetch(load, range(1_000_000), workers)) as batches:
        for _ in range(2 * workers + 1):
            next(batches)
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            next(batches)
            count += RECIPE.batch
        return count / (time.perf_counter() - start)


def milliseconds(work: Callable[[], object], rounds: int = 15) -> float:
    """The least of some rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def print_parts(root: Path) -> None:
    """What one sample takes, on one thread."""
    image, label = (root / "train" / part / "000.png" for part in ("images", "labels"))
    layout = Layout.of(root)
    source = label_source(layout, "train", read_classes(root / "classes.txt"), [])
    sample = paired(layout, "train", source.files, [])[0]
    pixels, side = read_image(image, 3), (CROP.smallest + CROP.largest) // 2
    window = Window.square(100, 200, side)
    cut, size = pixels[None, :, :side, :side].contiguous(), (CROP.size, CROP.size)
    print("\n| part of a sample | ms |\n|---|---:|")
    for name, work in {
        "decode the image, Pillow": lambda: Image.open(image).load(),
        "read_image: decode, then a tensor": lambda: read_image(image, 3),
        f"the same of a window of {side}": lambda: read_pixels(image, 3, window=window),
        "decode the label, Pillow": lambda: Image.open(label).load(),
        "labels_in: decode, then check ids": lambda: labels_in(source, sample),
        f"the same of that window of {side}": lambda: labels_in(source, sample, window),
        f"resize a crop of {side}, torch": lambda: interpolate(
            cut, size, mode="bilinear", antialias=True
        ),
    }.items():
        print(f"| {name} | {milliseconds(work):.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{platform.machine()} CPU, {os.cpu_count()} cores, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        share = write_dataset(root, options.images)
        print(f"{options.images} PNG of {WIDTH}x{HEIGHT}, packed to {share:.2f} of their bytes\n")
        ways = {
            "gridgen": Batches(load_dataset(folder), RECIPE, 0).__getitem__,
            "Pillow loop": PillowLoop(root).__getitem__,
        }
        print("| workers | gridgen images/s | Pillow loop images/s | ratio |\n|---|---:|---:|---:|")
        for workers in (1, 2):
            found = dict.fromkeys(ways, 0.0)
            for _ in range(options.rounds):
                for way, load in ways.items():
                    speed = images_per_second(load, workers, options.seconds)
                    found[way] = max(found[way], speed)
            ours, theirs = found.values()
            print(f"| {workers} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} |", flush=True)
        print_parts(root)


if __name__ == "__main__":
    main()
