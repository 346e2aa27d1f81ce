"""Small folders of images and labels, file by file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = "0\tsky\t0\t0\t255\tclass\n1\troad\t90\t90\t90\tclass\n"


def lay(root: Path, files: Mapping[str, np.ndarray], settings: str | None = None) -> Path:
    """Write image files by their paths and pixels, classes.txt, and dataset.yaml where given."""
    for name, pixels in files.items():
        save(root / name, pixels)
    (root / "classes.txt").write_text(CLASSES, "utf-8")
    if settings:
        (root / "dataset.yaml").write_text(settings, "utf-8")
    return root


def save(path: Path, pixels: np.ndarray) -> Path:
    """Write an image file, in folders that need not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path
