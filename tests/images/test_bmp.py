"""BMP files whose palette is grey: Pillow takes the bytes of one of black and white for bits."""

import struct

import numpy as np
import pytest
from PIL import Image

from gridgen.errors import DataError
from gridgen.images.arrays import decoded
from gridgen.images.files import read_ids, read_image

IDS = np.random.default_rng(0).integers(0, 2, (5, 17), np.uint8)


def saved(path, palette):
    image = Image.fromarray(IDS)
    image.putpalette(palette)
    image.save(path)
    return path


@pytest.mark.parametrize("palette", [[0, 0, 0, 255, 255, 255], [9, 0, 0, 255, 255, 255]])
def test_ids_of_8_bits_are_what_is_stored(tmp_path, palette):
    path = saved(tmp_path / "a.bmp", palette)
    assert np.array_equal(read_ids(path), IDS)


def test_an_image_of_8_bits_in_black_and_white_has_both(tmp_path):
    path = saved(tmp_path / "a.bmp", [0, 0, 0, 255, 255, 255])
    assert np.array_equal(read_image(path)[0].numpy(), IDS)
    with Image.open(path) as opened:
        assert np.array_equal(decoded(opened, 1).levels[0].numpy(), IDS)


def test_greys_of_4_bits_are_refused_with_the_cure(tmp_path):
    palette = b"".join(bytes([grey, grey, grey, 0]) for grey in range(16))
    begin = 54 + len(palette)
    size = struct.pack("<IiiHHIIiiII", 40, 8, 1, 1, 4, 0, 4, 0, 0, 16, 0)
    head = b"BM" + struct.pack("<IHHI", begin + 4, 0, 0, begin)
    (tmp_path / "a.bmp").write_bytes(head + size + palette + bytes([1, 35, 69, 103]))
    with pytest.raises(DataError) as caught:
        read_ids(tmp_path / "a.bmp")
    told = f"{tmp_path}/a.bmp: a BMP of 4 bits with a grey palette; save it as PNG"
    assert str(caught.value) == told
