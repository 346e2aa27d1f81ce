from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CLASSES = "# id\tname\tR\tG\tB\trole\n0\tsky\t0\t0\t255\tclass\n1\troad\t90\t90\t90\tclass\n"
VOID = "7\tvoid\t0\t0\t0\tignore\n"


class Tree:
    """A small dataset folder to break: train has a.png and b.webp, val has c.jpg; 6x4 pixels."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("classes.txt", CLASSES + VOID)
        for split, name in [("train", "a.png"), ("train", "b.webp"), ("val", "c.jpg")]:
            self.image(f"{split}/images/{name}", np.full((4, 6, 3), 50, np.uint8))
            self.label(f"{split}/labels/{Path(name).stem}.png", np.zeros((4, 6), np.uint8))

    def path(self, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name: str, content: str | bytes) -> Path:
        raw = content.encode() if isinstance(content, str) else content
        self.path(name).write_bytes(raw)
        return self.root / name

    def image(self, name: str, pixels: np.ndarray) -> Path:
        Image.fromarray(pixels).save(self.path(name))
        return self.root / name

    def label(self, name: str, ids: np.ndarray) -> Path:
        image = Image.fromarray(ids.astype(np.uint8))
        image.putpalette(np.random.default_rng(0).integers(0, 256, 768, np.uint8).tobytes())
        image.save(self.path(name))
        return self.root / name

    def cut(self, name: str, share: float = 0.6) -> Path:
        """Damage the file, as a copy that was broken off."""
        raw = (self.root / name).read_bytes()
        return self.write(name, raw[: int(len(raw) * share)])


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "streets")


@pytest.fixture
def stardist() -> None:
    if find_spec("stardist") is None:
        pytest.skip("the package stardist, which carries the image, is not installed")
