"""Write a dataset at a fraction of its size, so that no training shrinks its images anew.

    python -m benchmarks.topologies.shrink data/camvid data/camvid-third --by 3

Images are averaged over squares of pixels, labels take the middle pixel of each square; both are
written as PNG, without loss. Lists of names and classes are copied. Sides have to be multiples.
"""

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

KINDS = ("images", "labels")


def shrunk(picture: Image.Image, kind: str, by: int) -> Image.Image:
    if any(side % by for side in picture.size):
        raise SystemExit(f"{picture.size} is no multiple of {by}")
    if kind == "images":
        return picture.convert("RGB").reduce(by)
    ids = np.asarray(picture)[by // 2 :: by, by // 2 :: by]
    small = Image.fromarray(ids)
    if (palette := picture.getpalette()) is not None:
        small.putpalette(palette)
    return small


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--by", type=int, required=True)
    options = parser.parse_args()
    files = [path for kind in KINDS for path in sorted(options.dataset.glob(f"*/{kind}/*"))]
    if not files:
        raise SystemExit(f"{options.dataset}: no SPLIT/images and SPLIT/labels")
    for path in files:
        place = (options.output / path.relative_to(options.dataset)).with_suffix(".png")
        place.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as picture:
            shrunk(picture, path.parent.name, options.by).save(place)
    for path in options.dataset.glob("*.txt"):
        shutil.copy(path, options.output)
    print(f"{options.output}: {len(files)} files", file=sys.stderr)


if __name__ == "__main__":
    main()
