"""Images in memory become what a file of the same pixels becomes, or an error of one line."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from gridgen.errors import DataError
from gridgen.images import read_image
from gridgen.images.arrays import image_of
from gridgen.images.scale import PixelScale
from gridgen.images.writing import encode

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 4), np.uint8)
DEEP = np.random.default_rng(0).integers(300, 60_000, (6, 8), np.uint16)
FILES = {
    "1": "png",
    "L": "png",
    "LA": "png",
    "P": "png",
    "RGB": "png",
    "RGBA": "png",
    "CMYK": "tif",
    "YCbCr": "jpg",
    "I;16": "png",
    "F": "tif",
}
"""A format that keeps each mode."""


def in_mode(mode: str) -> Image.Image:
    if mode in ("I;16", "F"):
        return Image.fromarray(DEEP if mode == "I;16" else DEEP.astype(np.float32))
    return Image.fromarray(PIXELS).convert(mode)


@pytest.mark.parametrize("mode", FILES)
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_of_pillow_is_what_its_file_is(mode, channels, tmp_path):
    path = tmp_path / f"image.{FILES[mode]}"
    in_mode(mode).save(path, quality=100, subsampling=0)
    with Image.open(path) as opened:
        assert torch.equal(image_of(opened, channels), read_image(path, channels))
        opened.load()
        assert torch.equal(image_of(opened.copy(), channels), read_image(path, channels))


@pytest.mark.parametrize("mode", ["HSV", "LAB", "RGBa", "RGBX", "PA", "I", "I;16B"])
def test_modes_that_no_file_has_are_read_too(mode):
    assert image_of(Image.new(mode, (8, 6)), 3).shape == (3, 6, 8)


def test_white_is_that_of_files_too():
    levels = image_of(Image.fromarray(DEEP), 1, PixelScale(60_000))
    torch.testing.assert_close(
        levels[0].double(), torch.from_numpy(DEEP / 60_000), atol=1e-6, rtol=0
    )


def refusal(given, channels=3) -> str:
    with pytest.raises(DataError) as caught:
        image_of(given, channels)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["png", "jpeg", "webp", "tiff"])
def test_an_image_that_was_opened_from_a_file_that_is_cut_off_is_one_line(suffix, tmp_path):
    whole = BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(whole, suffix)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) * 3 // 4])
    try:
        opened = Image.open(path)
    except OSError:  # Pillow sees it at once
        assert refusal(path).startswith(f"{path}: damaged, or no image")
        return
    with opened:
        assert refusal(opened).startswith(f"{path}: damaged, or no image: ")


def test_an_image_that_was_closed_is_one_line(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as opened:
        pass
    told = "closed before its pixels were read; give it while it is open"
    assert refusal(opened) == f"{tmp_path / 'a.png'}: {told}"


def test_a_mode_that_pillow_does_not_convert_is_one_line():
    told = "damaged, or no image: conversion from La to L not supported"
    assert refusal(Image.new("La", (3, 2))) == f"an image of Pillow, mode La: {told}"


def test_an_image_of_pillow_that_does_not_fit_is_one_line():
    assert refusal(Image.new("L", (3, 0))) == (
        "an image of Pillow, mode L: 0x3 is no image; give one with pixels"
    )
    assert refusal(Image.new("RGB", (3, 2)), channels=5) == (
        "an image of Pillow, mode RGB: 3 channels, but 5 are wanted"
    )


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<f4", ">f4", ">f8", "f2"])
def test_mirrored_arrays_and_those_of_either_byte_order_are_read(dtype):
    values = np.linspace(0, 1, 6 * 8 * 3).reshape(6, 8, 3)
    scale = {"u1": 255, "u2": 65535}.get(dtype.strip("<>"), 1)
    array = (values * scale).astype(dtype)
    plain = image_of(array.astype(array.dtype.newbyteorder("=")), 3)
    assert torch.equal(image_of(array, 3), plain)
    assert torch.equal(image_of(array[:, ::-1], 3), plain.flip(2))
    assert torch.equal(image_of(array[::-1, :, ::-1], 3), plain.flip(1).flip(0))
    assert torch.equal(image_of(array[::-1, ::-1, 0], 1, PixelScale(65535)), plain[:1].flip(1, 2))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16, torch.float64])
def test_a_tensor_of_any_of_these_types_is_read(dtype):
    given = (torch.rand(3, 6, 8) * (255 if dtype == torch.uint8 else 1)).to(dtype)
    whole = given.float() / (255 if dtype == torch.uint8 else 1)
    assert torch.equal(image_of(given, 3), whole)
    assert torch.equal(image_of(given.requires_grad_(given.is_floating_point()), 3), whole)


@pytest.mark.parametrize(
    ("tensor", "kind"),
    [
        (torch.rand(3, 8, 8, device="meta"), "on the device meta"),
        (torch.rand(3, 8, 8).to_sparse(), "of layout torch.sparse_coo"),
    ],
)
def test_a_tensor_without_plain_values_is_one_line(tensor, kind):
    assert refusal(tensor) == (
        f"a tensor that is {kind} has no plain values; give a dense one with values"
    )


def test_complex_values_are_refused_as_other_types_are():
    told = "an image of complex64 values, whose white is not known; give uint8, uint16, or floats"
    assert refusal(torch.rand(3, 4, 4).to(torch.complex64).conj()) == f"{told} in [0, 1]"


@pytest.mark.parametrize("bits", [8, 16])
def test_a_png_without_a_name_is_read_in_full(bits):
    white = 2**bits - 1
    expected = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))
    opened = Image.open(BytesIO(encode(expected, bits, ".png")))
    assert torch.allclose(image_of(opened, 3), (expected * white).round() / white, atol=1e-6)
