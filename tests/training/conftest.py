"""Images for a training whose labels are images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def ramps(tmp_path_factory) -> Path:
    """Smooth grey images, from light to dark: eight for training, two for validation."""
    root = tmp_path_factory.mktemp("restoration") / "ramps"
    for split, number in (("train", 8), ("val", 2)):
        (root / split / "images").mkdir(parents=True)
        for i in range(number):
            ramp = np.linspace(30 + 20 * i, 200, 32 * 32).reshape(32, 32).astype(np.uint8)
            Image.fromarray(np.rot90(ramp, i)).save(root / split / "images" / f"{i}.png")
    return root
