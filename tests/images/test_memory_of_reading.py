"""What is refused as too large for memory takes about as much as is said."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from gridgen.images import files

SIDE = 2000
PEAK, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
GREY = np.random.default_rng(0).integers(0, 60000, (SIDE, SIDE), np.uint16)
LOW = (GREY >> 8).astype(np.uint8)


def palette():
    image = Image.fromarray(LOW)
    image.putpalette(list(range(256)) * 3)
    return image


KINDS = {
    "rgb.png": lambda path: Image.fromarray(np.stack([LOW] * 3, 2)).save(path, compress_level=1),
    "rgb.jpg": lambda path: Image.fromarray(np.stack([LOW] * 3, 2)).save(path),
    "cmyk.jpg": lambda path: Image.fromarray(np.stack([LOW] * 4, 2), "CMYK").save(path),
    "palette.png": lambda path: palette().save(path, compress_level=1),
    "stretched.tif": lambda path: tifffile.imwrite(path, GREY),
    "floats.tif": lambda path: tifffile.imwrite(path, GREY.astype(np.float32)),
    "white-at-0.tif": lambda path: tifffile.imwrite(path, LOW, photometric="miniswhite"),
}


def kilobytes(name):
    line = next(line for line in STATUS.read_text("ascii").splitlines() if line.startswith(name))
    return int(line.split()[1])


@pytest.mark.skipif(not PEAK.exists(), reason="the peak of memory is known on Linux alone")
@pytest.mark.parametrize("kind", KINDS)
def test_reading_takes_about_what_is_said(tmp_path, monkeypatch, kind):
    KINDS[kind](tmp_path / kind)
    said = []
    monkeypatch.setattr(files, "require_memory_for", lambda path, what, needed: said.append(needed))
    files.read_image(tmp_path / kind)  # once, for what is imported
    PEAK.write_text("5", "ascii")
    before = kilobytes("VmRSS")
    files.read_image(tmp_path / kind)
    taken = 1024 * (kilobytes("VmHWM") - before)
    assert taken < 1.15 * said[-1] + 2**22
