"""Files of every kind, each compared with the array that it was made from."""

from collections import Counter

import numpy as np
import pytest
import tifffile
from generated import leave_out, made, stored

from gridgen.errors import DataError
from gridgen.images import Window, header, read_image, read_label, tiff_pages
from gridgen.images.files import inspect_image, read_ids, read_pixels, read_samples
from gridgen.images.rules import UPRIGHT

NUMBER, LEAST = 300, 270


def expected(file):
    """Levels by the rules of docs/data.md, written a second time and plainly."""
    valid = np.ones(file.upright.shape, bool)
    if file.upright.dtype.kind == "f":
        valid &= np.isfinite(file.upright)
    if file.nodata is not None:
        valid &= file.upright != file.nodata
    return np.where(valid, levels_of(file, valid), 0)


def levels_of(file, valid):
    """Levels as if all samples had a value, stretched by those that are `valid` alone."""
    if file.meaning == "palette":
        return file.palette[file.upright[..., 0]] / 255
    numbers = file.upright.astype(np.float64)
    kind = file.upright.dtype.kind
    if kind == "u" and (file.bits < 16 or file.meaning == "rgb"):
        levels = numbers / (2**file.bits - 1)
        return 1 - levels if file.meaning == "white" else levels
    numbers = -numbers if file.meaning == "white" else numbers
    levels = np.zeros(numbers.shape)
    for channel in range(numbers.shape[2]):
        known = numbers[..., channel][valid[..., channel]]
        if len(known):
            low, high = np.percentile(known, [1, 99.8])
            width = max(high - low, np.finfo(np.float32).tiny)
            levels[..., channel] = np.clip((numbers[..., channel] - low) / width, 0, 1)
    return levels


def outcome(file):
    """`read`, `refused: REASON` or `wrong`, of image and label."""
    try:
        image = read_image(file.path).permute(1, 2, 0).numpy()
    except DataError as error:
        return f"refused: {str(error).removeprefix(str(file.path))}"
    right = np.allclose(image, expected(file), atol=2e-6)
    if file.upright.shape[2] == 1 and file.upright.dtype.kind != "f":
        ids = read_ids(file.path)
        right &= np.array_equal(ids, file.upright[..., 0])
        if ids.max() <= np.iinfo(np.int64).max:
            right &= np.array_equal(read_label(file.path).numpy(), ids)
    return "read" if right else "wrong"


def test_no_file_is_read_wrongly_and_most_are_read(tmp_path):
    outcomes, wrong = Counter(), []
    for number in range(NUMBER):
        file = made(number, tmp_path)
        found = outcome(file)
        outcomes[found] += 1
        wrong += [file.said] if found == "wrong" else []
    assert not wrong
    assert outcomes["read"] >= LEAST, outcomes


def test_windows_hold_what_the_whole_holds(tmp_path, monkeypatch):
    # What stretches an image is then gone through in bands too.
    monkeypatch.setattr(header, "PIXELS_AT_ONCE", 50)
    rng = np.random.default_rng(0)
    for number in range(NUMBER):
        file = made(number, tmp_path)
        (top, bottom), (left, right) = (
            np.sort(rng.choice(length + 1, 2, replace=False)).tolist()
            for length in file.upright.shape[:2]
        )
        window = Window(top, left, bottom - top, right - left)
        whole = read_image(file.path)[:, window.rows, window.columns]
        assert np.array_equal(read_pixels(file.path, window=window).levels, whole), file.said
        if file.upright.shape[2] == 1 and file.upright.dtype.kind != "f":
            part = file.upright[window.rows, window.columns, 0]
            assert np.array_equal(read_ids(file.path, window), part), file.said


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_stored_lying_is_read_upright(orientation):
    upright = np.arange(12).reshape(3, 4, 1)
    assert np.array_equal(UPRIGHT[orientation](stored(upright, orientation)), upright)


@pytest.mark.parametrize("text", ["97", "127", "97.0", "-1", "200", "nan", ""])
@pytest.mark.parametrize("dtype", ["i1", "i2", "i8", "u1", "f4"])
def test_a_tile_that_is_left_out_holds_the_number_without_a_value(tmp_path, dtype, text):
    path, tags = tmp_path / "a.tif", [(42113, 2, 0, text, False)]
    pixels = np.ones((32, 32), dtype)
    tifffile.imwrite(path, pixels, tile=(16, 32), metadata=None, extratags=tags)
    leave_out(path, [1])
    numbers = {"97": 97, "127": 127, "97.0": 97, "-1": -1, "200": 200, "nan": np.nan, "": 0}
    limits = np.finfo(dtype) if dtype == "f4" else np.iinfo(dtype)
    fits = limits.min <= numbers[text] <= limits.max or (dtype == "f4" and text == "nan")
    pixels[16:] = numbers[text] if fits else 0
    for window in (None, Window.square(0, 0, 32)):
        _, samples = read_samples(path, window)
        assert np.array_equal(samples[..., 0], pixels, equal_nan=dtype == "f4")


@pytest.mark.parametrize("at_once", [1, 50, 400])
def test_bands_hold_what_the_whole_holds(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(header, "PIXELS_AT_ONCE", at_once)
    several = 0
    for number in range(60):
        file = made(number, tmp_path)
        if file.path.suffix == ".tif":
            lay_upright(file.path)
        found = inspect_image(file.path, in_bands=True)
        bands = list(found.bands())
        assert [band.top for band in bands] == [*range(0, found.size[0], bands[0].height)]
        assert len(bands) == 1 or bands[0].height % found.rows_at_once == 0
        parts = [read_pixels(file.path, window=band).levels for band in bands]
        assert np.array_equal(np.concatenate(parts, axis=1), read_image(file.path)), file.said
        several += len(bands) > 1
    assert several > (15 if at_once == 1 else 3), several


def lay_upright(path):
    """Let a TIFF say that its rows and columns lie as they are stored."""
    with tifffile.TiffFile(path, mode="r+") as file:
        for page in file.pages:
            page.tags[274].overwrite(1)


def test_what_a_file_is_stretched_by_is_looked_for_once(tmp_path, monkeypatch):
    path, decoded = tmp_path / "a.tif", []
    numbers = np.random.default_rng(0).integers(0, 4000, (64, 64), np.uint16)
    tifffile.imwrite(path, numbers, tile=(16, 16), metadata=None)
    whole = read_image(path)
    whole_of = tiff_pages._whole
    monkeypatch.setattr(tiff_pages, "_whole", lambda page: decoded.append(page) or whole_of(page))
    for top in (0, 16, 40):
        part = read_pixels(path, window=Window.square(top, 8, 20)).levels
        assert np.array_equal(part, whole[:, top : top + 20, 8:28])
    assert len(decoded) == 1
    tifffile.imwrite(path, numbers // 2 + numbers % 7, tile=(16, 16), metadata=None)
    again = read_image(path)
    assert np.array_equal(read_pixels(path, window=Window.square(0, 0, 64)).levels, again)
