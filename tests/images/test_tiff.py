"""TIFF files of many channels, of several pages, of deep colour."""

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from gridgen.errors import DataError
from gridgen.images import read_header, read_image
from gridgen.images.files import inspect_image

BANDS = np.random.default_rng(0).integers(0, 256, (6, 8, 5), np.uint8)
DEEP = np.random.default_rng(1).integers(100, 4000, (6, 8, 5)).astype(np.uint16)
GREY = {"photometric": "minisblack"}


def write(tmp_path, pixels, **options):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, pixels, **options)
    return path


def told(header):
    return header.size, header.channels, header.bits


def failure(path, channels=5):
    with pytest.raises(DataError) as error:
        read_image(path, channels)
    return str(error.value)


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        pytest.param(BANDS, {"planarconfig": "contig"}, id="interleaved"),
        pytest.param(BANDS.transpose(2, 0, 1).copy(), {"planarconfig": "separate"}, id="planar"),
        pytest.param(BANDS.transpose(2, 0, 1).copy(), {}, id="pages"),
        pytest.param(BANDS, {"planarconfig": "contig", "compression": "zlib"}, id="deflate"),
        pytest.param(BANDS, {"planarconfig": "contig", "tile": (16, 16)}, id="tiles"),
        pytest.param(BANDS, {"planarconfig": "contig", "bigtiff": True}, id="big"),
        pytest.param(BANDS, {"planarconfig": "contig", "byteorder": ">"}, id="big-endian"),
    ],
)
def test_any_number_of_channels_is_read_however_it_is_stored(tmp_path, pixels, options):
    path = write(tmp_path, pixels, **GREY, **options)
    expected = torch.from_numpy(BANDS.astype(np.float32) / 255).permute(2, 0, 1)
    assert torch.equal(read_image(path, 5), expected)
    assert told(read_header(path)) == told(inspect_image(path)) == ((6, 8), 5, 8)


def test_each_deep_channel_is_stretched_on_its_own(tmp_path):
    path = write(tmp_path, DEEP * np.array([1, 2, 3, 4, 5], np.uint16), **GREY, planarconfig=1)
    low, high = np.percentile(DEEP, [1, 99.8], axis=(0, 1))
    expected = np.clip((DEEP - low) / (high - low), 0, 1).astype(np.float32)
    image = read_image(path, 5)
    assert torch.allclose(image, torch.from_numpy(expected).permute(2, 0, 1), atol=1e-6)
    assert read_header(path).bits == 16


def test_with_a_white_deep_channels_are_divided_by_it_and_clamped(tmp_path):
    path = write(tmp_path, DEEP, **GREY, planarconfig="contig")
    expected = torch.from_numpy((DEEP / 2000).clip(0, 1).astype(np.float32)).permute(2, 0, 1)
    assert torch.equal(read_image(path, 5, white=2000), expected)


def test_white_says_nothing_of_8_bits(tmp_path):
    path = write(tmp_path, BANDS, **GREY, planarconfig="contig")
    assert torch.equal(read_image(path, 5, white=2000), read_image(path, 5))


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colour_of_16_bits_keeps_them_all_and_is_divided_by_65535(tmp_path, planar):
    pixels = DEEP[..., :3] * 16
    stored = pixels.transpose(2, 0, 1).copy() if planar == "separate" else pixels
    path = write(tmp_path, stored, photometric="rgb", planarconfig=planar)
    expected = torch.from_numpy((pixels / 65535).astype(np.float32)).permute(2, 0, 1)
    assert torch.equal(read_image(path, 3), expected)
    assert told(read_header(path)) == ((6, 8), 3, 16)
    luma = torch.tensor([0.299, 0.587, 0.114]) @ expected.flatten(1)
    assert torch.allclose(read_image(path, 1).flatten(), luma, atol=1e-6)


def test_colour_of_floats_has_no_known_white(tmp_path):
    pixels = np.random.default_rng(0).random((6, 8, 3)).astype(np.float32)
    path = write(tmp_path, 500 * pixels, photometric="rgb")
    assert read_image(path, 3).amax(dim=(1, 2)).tolist() == [1, 1, 1]
    assert torch.allclose(read_image(path, 3, white=500).permute(1, 2, 0), torch.tensor(pixels))


@pytest.mark.parametrize(("extra", "channels"), [("unassalpha", 3), ("unspecified", 4)])
def test_alpha_is_dropped_and_a_fourth_band_is_not(tmp_path, extra, channels):
    path = write(tmp_path, BANDS[..., :4].copy(), photometric="rgb", extrasamples=[extra])
    assert read_header(path).channels == channels
    expected = torch.from_numpy(BANDS[..., :channels] / np.float32(255)).permute(2, 0, 1)
    assert torch.equal(read_image(path, channels), expected)


def test_smaller_versions_of_a_page_are_no_channels(tmp_path):
    path = tmp_path / "pyramid.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(BANDS[..., :3].copy(), photometric="rgb")
        file.write(BANDS[::2, ::2, :3].copy(), photometric="rgb", subfiletype=1)
    expected = torch.from_numpy(BANDS[..., :3] / np.float32(255)).permute(2, 0, 1)
    assert torch.equal(read_image(path, 3), expected)


def test_pages_that_make_no_channels_are_refused(tmp_path):
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(BANDS[..., 0].copy(), **GREY)
        file.write(BANDS[:4, :, 0].copy(), **GREY)
    assert failure(path) == (
        f"{path}: page 2 is 8x4, MINISBLACK, uint8 numbers of 8 bits, page 1 8x6, MINISBLACK, "
        "uint8 numbers of 8 bits; pages are channels, of one size and type"
    )
    Image.fromarray(BANDS[..., :3]).save(
        path, save_all=True, append_images=[Image.fromarray(BANDS[..., :3])]
    )
    assert failure(path) == (
        f"{path}: 2 pages, of which page 1 has 3 samples; pages are channels, "
        "so save each page as a file"
    )


def test_numbers_of_other_kinds_are_refused(tmp_path):
    path = write(tmp_path, BANDS.astype(np.complex64), **GREY, planarconfig="contig")
    assert failure(path) == (
        f"{path}: page 1 stores complex64 numbers of 64 bits; save whole or floating point numbers"
    )


def test_a_file_that_was_cut_off_is_named(tmp_path):
    path = write(tmp_path, BANDS, **GREY, planarconfig="contig")
    path.write_bytes(path.read_bytes()[:-30])
    assert failure(path).startswith(f"{path}: damaged, or no image: ")
    with pytest.raises(DataError):
        inspect_image(path)


def test_what_a_codec_finds_damaged_is_one_line(tmp_path):
    path = write(tmp_path, BANDS, **GREY, planarconfig="contig")
    raw = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        at = file.pages[0].tags["Compression"].valueoffset
    raw[at] = 5
    path.write_bytes(raw)
    told = "damaged, or no image: imcd_lzw_decode returned IMCD_LZW_INVALID"
    assert failure(path) == f"{path}: {told}"


def test_channels_differ_from_what_is_wanted(tmp_path):
    path = write(tmp_path, BANDS, **GREY, planarconfig="contig")
    assert failure(path, channels=3) == f"{path}: 5 channels, but 3 are wanted"
    path = write(tmp_path, BANDS[..., :2].copy(), **GREY, planarconfig="contig")
    assert failure(path, channels=1) == f"{path}: 2 channels, but 1 are wanted"
