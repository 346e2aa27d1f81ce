"""Images as files: what is written is read back."""

import numpy as np
import pytest
import torch

from gridgen.errors import DataError
from gridgen.images import read_header, read_image, write_image


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("channels", "suffix"),
    [(1, ".png"), (3, ".png"), (1, ".tif"), (2, ".tif"), (3, ".tiff"), (4, ".tif"), (12, ".tif")],
)
def test_what_is_written_is_read_back(tmp_path, channels, suffix, bits):
    image = torch.rand(channels, 5, 7, generator=torch.Generator().manual_seed(0))
    path = write_image(tmp_path / f"a{suffix}", image, bits=bits)
    white = 2**bits - 1
    expected = ((image.double() * white).round() / white).float()
    assert torch.equal(read_image(path, white=white), expected)
    assert (read_header(path).channels, read_header(path).bits) == (channels, bits)


def test_levels_that_rounding_brings_into_range_are_written(tmp_path):
    path = write_image(tmp_path / "a.png", torch.tensor([[[-1e-6, 0.5, 1 + 1e-6]]]))
    assert read_image(path).tolist() == [[[0.0, np.float32(128 / 255), 1.0]]]


@pytest.mark.parametrize(
    ("name", "image", "options", "told"),
    [
        ("a.jpg", torch.ones(1, 2, 2), {}, "a.jpg: images are written as .png or .tif"),
        ("a.png", torch.ones(4, 2, 2), {}, "4 channels do not fit into a PNG"),
        ("a.png", torch.ones(2, 2), {}, "2 x 2 of float32 is no image"),
        ("a.png", torch.ones(1, 2, 2, dtype=torch.uint8), {}, "1 x 2 x 2 of uint8 is no image"),
        ("a.png", torch.full((1, 2, 2), torch.nan), {}, "numbers that are not finite"),
        ("a.png", torch.full((1, 2, 2), 7.0), {}, "levels from 7 to 7; give them from 0 to 1"),
        ("a.png", torch.full((1, 2, 2), -0.01), {}, "levels from -0.01 to -0.01; give them"),
        ("a.png", torch.full((1, 2, 2), 1.001), {"bits": 16}, "levels from 1.001 to 1.001"),
        ("a.png", torch.ones(1, 2, 2, device="meta"), {}, "on the device meta has no plain values"),
        ("a.png", torch.ones(1, 2, 2).to_sparse(), {}, "sparse_coo has no plain values"),
        ("a.png", torch.ones(1, 2, 2), {"bits": 12}, "bits: 12 are not written; choose 8 or 16"),
    ],
)
def test_what_cannot_be_written_is_told(tmp_path, name, image, options, told):
    with pytest.raises(DataError) as error:
        write_image(tmp_path / name, image, **options)
    assert told in str(error.value)
    assert not list(tmp_path.iterdir())
