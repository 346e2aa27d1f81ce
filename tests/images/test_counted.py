"""Percentiles of an image that is gone through in bands are those of the whole, to the last bit."""

import numpy as np
import pytest

from gridgen.images.counted import counted_ranges, is_countable
from gridgen.images.header import Header, Photometric
from gridgen.images.rules import ranges_of
from gridgen.images.scale import PixelScale


def header(values, photometric=Photometric.BLACK_IS_ZERO, **more):
    *size, samples = values.shape
    bits = 8 * values.dtype.itemsize
    return Header("TIFF", tuple(size), samples, values.dtype, bits, photometric, **more)


@pytest.mark.parametrize("photometric", [Photometric.BLACK_IS_ZERO, Photometric.WHITE_IS_ZERO])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2"])
def test_counts_give_the_percentiles_of_numpy(dtype, photometric):
    rng, limits = np.random.default_rng(0), np.iinfo(dtype)
    for number in range(60):
        size = (int(rng.integers(1, 40)), int(rng.integers(1, 40)), int(rng.integers(1, 4)))
        least, most = np.sort(rng.integers(limits.min, limits.max + 1, 2))
        values = rng.integers(least, most + 1, size).astype(dtype)
        mark = float(values.flat[0]) if number % 2 else None
        declared = PixelScale(nodata=float(values.flat[-1]) if number % 3 == 0 else None)
        said = header(values, photometric, nodata=mark)
        bands = np.array_split(values, int(rng.integers(1, 5)))
        assert counted_ranges(said, bands, declared) == ranges_of(said, values, declared)


def test_an_image_without_a_value_is_left_as_it_is():
    values = np.full((3, 4, 1), 7, np.uint16)
    said = header(values, nodata=7.0)
    assert counted_ranges(said, [values], PixelScale()) == ((0.0, 1.0),)


def test_opacity_is_not_counted():
    values = np.random.default_rng(0).integers(0, 999, (9, 9, 2), np.uint16)
    said = header(values, alpha=(1,))
    assert counted_ranges(said, [values], PixelScale()) == ranges_of(said, values, PixelScale())
    assert len(counted_ranges(said, [values], PixelScale())) == 1


@pytest.mark.parametrize("dtype", ["u4", "i8", "f2", "f4"])
def test_more_numbers_than_can_be_counted(dtype):
    assert not is_countable(header(np.zeros((1, 1, 1), dtype)))
