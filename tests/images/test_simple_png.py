"""PNG files that are not decoded by Pillow hold what Pillow would have given."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from gridgen.errors import DataError
from gridgen.images.arrays import decoded
from gridgen.images.files import read_samples

MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def picture(mode):
    values = np.random.default_rng(0).integers(0, 255, (9, 7, MODES[mode]), np.uint8)
    return Image.fromarray(values if MODES[mode] > 1 else values[..., 0], mode)


def without_alpha(image):
    return np.asarray(image).reshape(9, 7, -1)[..., : 1 if image.mode in ("L", "LA") else 3]


@pytest.mark.parametrize("mode", MODES)
def test_samples_are_those_of_pillow(tmp_path, mode):
    picture(mode).save(tmp_path / "a.png")
    assert np.array_equal(read_samples(tmp_path / "a.png")[1], without_alpha(picture(mode)))


@pytest.mark.parametrize(("mode", "colour"), [("L", 7), ("RGB", (1, 2, 3))])
def test_a_colour_that_is_transparent_is_a_colour(tmp_path, mode, colour):
    picture(mode).save(tmp_path / "a.png", transparency=colour)
    header, samples = read_samples(tmp_path / "a.png")
    assert header.samples == MODES[mode]
    assert np.array_equal(samples, without_alpha(picture(mode)))


def test_colour_profiles_and_gamma_change_nothing(tmp_path):
    picture("RGB").save(tmp_path / "a.png")
    raw = (tmp_path / "a.png").read_bytes()
    content = b"gAMA" + struct.pack(">I", 20000)
    chunk = struct.pack(">I", 4) + content + struct.pack(">I", zlib.crc32(content))
    (tmp_path / "b.png").write_bytes(raw[:33] + chunk + raw[33:])
    assert np.array_equal(read_samples(tmp_path / "b.png")[1], without_alpha(picture("RGB")))


def test_of_several_frames_that_pillow_has_open_it_is_the_current_one(tmp_path):
    frames = [picture("RGB"), picture("RGB").transpose(Image.Transpose.ROTATE_180)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.png") as opened:
        opened.seek(1)
        levels = decoded(opened, 3).levels
    wanted = np.asarray(frames[1]).astype(np.float32) / 255
    assert np.array_equal(levels.permute(1, 2, 0).numpy(), wanted)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_that_was_cut_off_is_named(tmp_path, share):
    picture("RGB").save(tmp_path / "a.png")
    raw = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(DataError, match=r"a\.png: damaged, or no image: "):
        read_samples(tmp_path / "a.png")


def test_pixels_that_were_changed_are_named(tmp_path):
    picture("RGB").save(tmp_path / "a.png")
    raw = bytearray((tmp_path / "a.png").read_bytes())
    raw[len(raw) // 2] ^= 255
    (tmp_path / "a.png").write_bytes(raw)
    with pytest.raises(DataError, match=r"a\.png: damaged, or no image: "):
        read_samples(tmp_path / "a.png")


def test_exif_that_is_none_is_passed_over(tmp_path):
    picture("RGB").save(tmp_path / "a.png", exif=b"Exif\0\0garbage")
    assert np.array_equal(read_samples(tmp_path / "a.png")[1], without_alpha(picture("RGB")))
