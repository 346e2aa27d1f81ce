"""A tiny tree in Cityscapes' layout, and predictions of it that are wrong in known ways.

    python -m tests.cityscapes FOLDER [--predictions FOLDER] [--size HxW] [--seed N]

Street scenes of blocks: what stands where is drawn from a seed, so that trees of two seeds differ.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from gridgen.data.cityscapes import LABELS, TRAINED

Ids = np.ndarray
Tree = dict[str, tuple[Ids, Ids]]
"""Label ids and instance numbers, each (H, W), of each image."""

CITIES = {"train": {"aachen": 2, "bochum": 1, "ulm": 2}, "val": {"frankfurt": 2, "lindau": 1}}
ID = {label.name: label.id for label in LABELS}
COLOURS = np.array([label.colour for label in LABELS if label.id >= 0], np.uint8)
STUFF = ("building", "vegetation", "pole", "traffic sign", "parking", "guard rail", "static")
THINGS = ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle", "caravan")
ABSENT = "wall"
"""A class that no tree has, nor any prediction but those of `invented`."""


def scene(rng: np.random.Generator, size: tuple[int, int], things: list[str]) -> tuple[Ids, Ids]:
    """Label ids and instance numbers of one street with such instances."""
    height = size[0]
    ids = np.full(size, ID["road"], np.int32)
    ids[: height // 3] = ID["sky"]
    for name in rng.permutation(STUFF)[:5]:
        ids[_block(rng, size, 4)] = ID[name]
    ids[-height // 16 :] = ID["ego vehicle"]
    numbers = ids.copy()
    counts: dict[str, int] = {}
    for name in (*things, *rng.choice(things, 8)):
        block = _block(rng, size, int(rng.integers(3, 12)))
        counts[name] = counts.get(name, -1) + 1
        ids[block], numbers[block] = ID[name], 1000 * ID[name] + counts[name]
    group = _block(rng, size, 8)
    ids[group] = numbers[group] = ID[str(rng.choice(("person", "car", "bicycle")))]
    return ids, numbers


def _block(rng: np.random.Generator, size: tuple[int, int], share: int) -> tuple[slice, slice]:
    """Rows and columns of a block whose sides are about 1 / share of the image's."""
    sides = [max(1, int(side / share * rng.uniform(0.6, 1.4))) for side in size]
    starts = [int(rng.integers(0, side - length)) for side, length in zip(size, sides, strict=True)]
    return tuple(slice(a, a + length) for a, length in zip(starts, sides, strict=True))


def make_tree(root: Path, seed: int = 0, size: tuple[int, int] = (64, 128)) -> Path:
    """Write `leftImg8bit` and `gtFine`, train and val; each lacks one kind of instances."""
    for number, (split, cities) in enumerate(CITIES.items()):
        rng = np.random.default_rng([seed, number])
        things = rng.permutation(THINGS)[1:].tolist()
        for city, count in cities.items():
            for frame in range(count):
                name = f"{city}_{frame:06d}_000019"
                _write(root, split, name, *scene(rng, size, things), rng)
    return root


def _write(
    root: Path, split: str, name: str, ids: Ids, numbers: Ids, rng: np.random.Generator
) -> None:
    city = name.split("_")[0]
    pictures, labels = (root / part / split / city for part in ("leftImg8bit", "gtFine"))
    for folder in (pictures, labels):
        folder.mkdir(parents=True, exist_ok=True)
    noise = rng.normal(0, 12, (*ids.shape, 3))
    pixels = np.clip(COLOURS[ids] + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(pictures / f"{name}_leftImg8bit.png")
    Image.fromarray(ids.astype(np.uint8)).save(labels / f"{name}_gtFine_labelIds.png")
    Image.fromarray(numbers.astype(np.uint16)).save(labels / f"{name}_gtFine_instanceIds.png")


def read_tree(root: Path, split: str = "val") -> Tree:
    """What `make_tree` wrote."""
    found = {}
    for path in sorted((root / "gtFine" / split).glob("*/*_labelIds.png")):
        instances = path.with_name(path.name.replace("labelIds", "instanceIds"))
        pair = (np.array(Image.open(file)).astype(np.int32) for file in (path, instances))
        found[path.name.removesuffix("_gtFine_labelIds.png")] = tuple(pair)
    return found


def perfect(ids: Ids) -> Ids:
    """The truth."""
    return ids


def shifted(ids: Ids) -> Ids:
    """All is 2 rows and 5 columns off."""
    return np.roll(ids, (2, 5), (0, 1))


def swapped(ids: Ids) -> Ids:
    """Cars are trucks, persons riders, both within a category; buses are buildings, and back."""
    table = np.arange(34)
    for one, other in (("car", "truck"), ("person", "rider"), ("bus", "building")):
        table[[ID[one], ID[other]]] = ID[other], ID[one]
    return table[ids]


def invented(ids: Ids) -> Ids:
    """The lower half of everything is a class that is nowhere."""
    wrong = ids.copy()
    wrong[len(ids) // 2 :] = ID[ABSENT]
    return wrong


def odd(ids: Ids) -> Ids:
    """Ids that are not scored: roads are void, trucks caravans, persons trailers."""
    table = np.arange(34)
    table[[ID["road"], ID["truck"], ID["person"]]] = 0, ID["caravan"], ID["trailer"]
    return table[ids]


def scattered(ids: Ids) -> Ids:
    """A third of all pixels is any trained class."""
    rng = np.random.default_rng(int(ids.sum()))
    guess = rng.choice([label.id for label in TRAINED if label.name != ABSENT], ids.shape)
    return np.where(rng.random(ids.shape) < 1 / 3, guess, ids)


def bare(ids: Ids) -> Ids:
    """Road everywhere."""
    return np.full_like(ids, ID["road"])


FAULTS: dict[str, Callable[[Ids], Ids]] = {
    fault.__name__: fault for fault in (perfect, shifted, swapped, invented, odd, scattered, bare)
}


def write_predictions(folder: Path, root: Path, fault: str, split: str = "val") -> Path:
    """Label ids of every image of a split, with that fault."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (ids, _) in read_tree(root, split).items():
        Image.fromarray(FAULTS[fault](ids).astype(np.uint8)).save(folder / f"{name}_labelIds.png")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--predictions", type=Path, help="also write those, with a fault")
    parser.add_argument("--fault", choices=FAULTS, default="scattered")
    parser.add_argument("--size", default="64x128", help="HxW")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    height, width = map(int, given.size.split("x"))
    make_tree(given.folder, given.seed, (height, width))
    if given.predictions:
        write_predictions(given.predictions, given.folder, given.fault)


if __name__ == "__main__":
    main()
