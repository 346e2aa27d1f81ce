"""One rule for each property of a file: the table of docs/data.md, row by row."""

import os
import struct
import warnings

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from gridgen.errors import DataError, SpecError, UsageError
from gridgen.images import Window, read_header, read_image, read_label
from gridgen.images.files import LIMIT, read_ids, read_pixels
from gridgen.images.scale import PixelScale

RNG = np.random.default_rng(0)
DEEP = RNG.integers(100, 4000, (12, 9)).astype(np.uint16)
FLOATS = RNG.normal(10, 3, (12, 9)).astype(np.float32)
COLOURS = RNG.integers(0, 256, (12, 9, 3), np.uint8)
GREY = {"photometric": "minisblack", "metadata": None}


def write(tmp_path, pixels, **options):
    tifffile.imwrite(tmp_path / "a.tif", pixels, **{**GREY, **options})
    return tmp_path / "a.tif"


def nodata(value):
    return {"extratags": [(42113, 2, 0, value, True)]}


def failure(read, *arguments, **options):
    with pytest.raises(DataError) as error:
        read(*arguments, **options)
    return str(error.value)


# Pixels without a value


@pytest.mark.parametrize("mark", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_have_no_part_in_the_stretch(tmp_path, mark):
    holed = FLOATS.copy()
    holed[:2] = mark
    found = read_pixels(write(tmp_path, holed))
    low, high = np.percentile(FLOATS[2:], [1, 99.8])
    expected = ((FLOATS[2:] - low) / (high - low)).clip(0, 1)
    assert np.allclose(found.levels[0, 2:], expected, atol=1e-6)
    assert not found.levels[0, :2].any()
    assert found.valid.sum(dim=1).tolist() == [0, 0] + [9] * 10


@pytest.mark.parametrize(
    ("dtype", "value", "text"),
    [
        (np.float32, -9999, "-9999"),
        (np.float32, np.finfo(np.float32).min, "-3.40282346638529e+38"),
        (np.int16, -32768, "-32768"),
        (np.uint16, 0, "0"),
        (np.float64, -1e30, "-1e30\0"),
    ],
)
def test_what_gdal_marks_has_no_part_in_the_stretch(tmp_path, dtype, value, text):
    holed = DEEP.astype(dtype)
    holed[:, :3] = value
    found = read_pixels(write(tmp_path, holed, **nodata(text)))
    low, high = np.percentile(DEEP[:, 3:], [1, 99.8])
    expected = ((DEEP[:, 3:] - low) / (high - low)).clip(0, 1)
    assert np.allclose(found.levels[0, :, 3:], expected, atol=1e-6)
    assert found.valid[0].tolist() == [False] * 3 + [True] * 6


def test_zeros_are_no_values_where_that_is_declared(tmp_path):
    holed = DEEP.copy()
    holed[0] = 0
    path = write(tmp_path, holed)
    assert read_pixels(path).valid is None
    found = read_pixels(path, scale=PixelScale(nodata=0))
    assert not found.valid[0].any()
    assert found.valid[1:].all()
    assert found.levels[0, 1:].std() > 1.02 * read_image(path)[0, 1:].std()
    assert torch.equal(found.levels, read_image(path, nodata=0))


def test_a_pixel_is_without_value_where_no_channel_has_one(tmp_path):
    bands = np.stack([FLOATS, FLOATS + 1], axis=2)
    bands[0, 0] = np.nan
    bands[1, 1, 0] = np.nan
    found = read_pixels(write(tmp_path, bands, planarconfig="contig"))
    assert np.argwhere(~found.valid.numpy()).tolist() == [[0, 0]]
    assert found.levels[0, 1, 1] == 0
    assert found.levels[1, 1, 1] > 0


def test_a_mark_that_no_pixel_has_and_one_that_is_no_number_change_nothing(tmp_path):
    plain = read_image(write(tmp_path, DEEP))
    for text in ("-9999", "none", "nan"):
        found = read_pixels(write(tmp_path, DEEP, **nodata(text)))
        assert found.valid is None
        assert torch.equal(found.levels, plain)


@pytest.mark.parametrize("interpretation", ["separated", "palette"])
def test_inks_and_palettes_without_a_value_are_0_and_none(tmp_path, interpretation):
    numbers = RNG.integers(1, 256, (4, 5, 4), np.uint8)
    numbers[0] = 0
    options = {"photometric": interpretation, **nodata("0")}
    if interpretation == "palette":
        numbers, options["colormap"] = numbers[..., 0], np.full((3, 256), 65535, np.uint16)
    else:
        options["planarconfig"] = "contig"
    found = read_pixels(write(tmp_path, numbers, **options))
    assert not found.levels[:, 0].any()
    assert found.levels[:, 1:].any()
    assert found.valid.sum(dim=1).tolist() == [0, 5, 5, 5]


@pytest.mark.parametrize(("dtype", "text"), [(np.float32, "-1.7976931348623157e+308"),
                                             (np.float16, "-3.4e38")])  # fmt: skip
def test_a_mark_beyond_the_range_of_a_type_is_its_last_number(tmp_path, dtype, text):
    holed = DEEP.astype(dtype)
    holed[0] = np.finfo(dtype).min
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_pixels(write(tmp_path, holed, **nodata(text)))
    assert not found.valid[0].any()
    assert found.valid[1:].all()


@pytest.mark.parametrize("mark", [5, None])
def test_tiles_that_a_file_leaves_out_hold_no_values_in_windows_too(tmp_path, mark):
    ids = np.ones((32, 48), np.uint8)
    options = {} if mark is None else nodata(str(mark))
    path = write(tmp_path, ids, tile=(16, 16), **options)
    raw = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        for name in ("TileOffsets", "TileByteCounts"):
            tag = file.pages[0].tags[name]
            size = tag.valuebytecount // tag.count
            raw[tag.valueoffset : tag.valueoffset + size] = bytes(size)
    path.write_bytes(raw)
    whole = read_label(path)
    assert whole[:16, :16].unique().tolist() == [mark or 0]
    part = read_ids(path, Window.square(4, 4, 20))
    assert np.array_equal(part, whole[4:24, 4:24])


# Photometric interpretation


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_white_at_0_is_inverted_in_images_and_not_in_labels(tmp_path, dtype, white):
    numbers = RNG.integers(0, white + 1, (5, 6)).astype(dtype)
    path = write(tmp_path, numbers, photometric="miniswhite")
    expected = (1 - numbers / white).astype(np.float32)
    assert np.allclose(read_image(path, white=white)[0], expected, atol=1e-6)
    assert np.array_equal(read_label(path), numbers)


def test_a_deep_negative_is_stretched_as_its_positive_would_be(tmp_path):
    negative = read_image(write(tmp_path, 65535 - DEEP, photometric="miniswhite"))
    assert torch.allclose(negative, read_image(write(tmp_path, DEEP)), atol=1e-6)


def test_inks_become_colours_as_pillow_has_it(tmp_path):
    inks = RNG.integers(0, 256, (5, 6, 4), np.uint8)
    path = write(tmp_path, inks, photometric="separated", planarconfig="contig")
    expected = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB")) / 255
    assert np.allclose(read_image(path).permute(1, 2, 0), expected, atol=1 / 255)
    assert read_header(path).channels == 3


def test_a_palette_of_8_bit_entries_in_16_is_read_as_such(tmp_path):
    colours = RNG.integers(0, 256, (3, 256)).astype(np.uint16)
    indices = RNG.integers(0, 256, (5, 6), np.uint8)
    path = write(tmp_path, indices, photometric="palette", colormap=colours)
    assert np.allclose(read_image(path), colours[:, indices] / 255, atol=1e-6)
    assert np.array_equal(read_label(path), indices)


@pytest.mark.parametrize(("mode", "stored"), [("RGB", "RGB"), ("YCbCr", "YCBCR")])
def test_jpeg_inside_a_tiff_is_red_green_and_blue(tmp_path, mode, stored):
    smooth = np.full((32, 32, 3), (200, 60, 20), np.uint8)
    Image.fromarray(smooth).convert(mode).save(tmp_path / "a.tif", compression="jpeg")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].photometric.name == stored
    assert np.allclose(read_image(tmp_path / "a.tif")[:, 16, 16] * 255, (200, 60, 20), atol=4)


def test_other_interpretations_are_refused_by_name(tmp_path):
    path = write(tmp_path, COLOURS, photometric="cielab", planarconfig="contig")
    cure = "save it as grey, palette, RGB or CMYK"
    assert failure(read_image, path) == f"{path}: page 1 is CIELAB; {cure}"


# Orientation


@pytest.mark.parametrize("suffix", ["png", "webp", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tag_turns_an_image_of_any_format(tmp_path, suffix, orientation):
    corner = np.zeros((32, 48, 3), np.uint8)
    corner[:16, :16] = 255
    tag = Image.Exif()
    tag[0x0112] = orientation
    Image.fromarray(corner).save(tmp_path / f"a.{suffix}", exif=tag)
    found = read_image(tmp_path / f"a.{suffix}")[0]
    shown = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "tl", 6: "tr", 7: "br", 8: "bl"}[orientation]
    assert found.shape == ((48, 32) if orientation > 4 else (32, 48))
    rows = slice(2, 14) if shown[0] == "t" else slice(-14, -2)
    columns = slice(2, 14) if shown[1] == "l" else slice(-14, -2)
    assert found[rows, columns].min() > 0.9
    assert found.mean() == pytest.approx(16 * 16 / (32 * 48), abs=0.02)


def test_an_orientation_that_is_none_is_named(tmp_path):
    path = write(tmp_path, DEEP, extratags=[(274, 3, 1, 9, True)])
    assert failure(read_image, path) == (
        f"{path}: orientation 9; the tag is a whole number from 1 to 8"
    )


# Wide numbers


@pytest.mark.parametrize("dtype", [np.uint32, np.int32, np.uint64, np.float64, np.float16])
@pytest.mark.parametrize("bands", [1, 2])
def test_wide_numbers_are_read_for_any_number_of_bands(tmp_path, dtype, bands):
    numbers = np.stack([DEEP.astype(dtype)] * bands, axis=2)
    if dtype in (np.uint32, np.uint64):
        numbers = numbers + dtype(2**31)
    pixels, options = (numbers[..., 0], {}) if bands == 1 else (numbers, {"planarconfig": "contig"})
    image = read_image(write(tmp_path, pixels, **options))
    low, high = np.percentile(numbers[..., 0].astype(np.float64), [1, 99.8])
    expected = ((numbers[..., 0].astype(np.float64) - low) / (high - low)).clip(0, 1)
    assert all(np.allclose(channel, expected, atol=1e-6) for channel in image)


@pytest.mark.parametrize("identity", [70000, 2**31 + 5, 2**40])
def test_wide_ids_are_kept(tmp_path, identity):
    ids = np.full((3, 4), identity, np.uint64 if identity > 2**32 else np.uint32)
    assert read_label(write(tmp_path, ids)).unique().tolist() == [identity]


def test_labels_of_floats_and_ids_beyond_64_bits_are_refused(tmp_path):
    path = write(tmp_path, FLOATS)
    cure = "save ids as a grey or palette PNG or TIFF of whole numbers"
    assert failure(read_label, path) == f"{path}: a label of 1 channel of float32; {cure}"
    path = write(tmp_path, np.full((2, 2), 2**63, np.uint64))
    assert "does not fit into 64 bits" in failure(read_label, path)


@pytest.mark.parametrize(("white", "expected"), [(0, [0, 0.5, 1]), (-500, [0, 1, 1])])
def test_white_may_be_0_or_below_where_black_is_lower(tmp_path, white, expected):
    path = write(tmp_path, np.array([[-1000, -500, 0]], np.int16))
    assert read_image(path, white=white, black=-1000).tolist() == [[expected]]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"black": 5}, "black needs a white beside it"),
        ({"white": -900.0, "black": 0.0}, "-900 is not more than black, which is 0"),
        ({"white": np.nan}, "nan is not a number"),
    ],
)
def test_a_scale_that_means_nothing_is_told_from_python_too(tmp_path, options, told):
    with pytest.raises(SpecError, match=told):
        read_image(write(tmp_path, DEEP), **options)


def test_white_and_black_bound_numbers_of_more_than_8_bits(tmp_path):
    hounsfield = np.array([[-2000, -1000], [0, 3000]], np.int16)
    found = read_image(write(tmp_path, hounsfield), white=1000, black=-1000)
    assert found.tolist() == [[[0, 0], [0.5, 1]]]


# Pages


def test_an_overview_is_no_page_of_a_label_either(tmp_path):
    ids = RNG.integers(0, 3, (8, 8), np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(ids, **GREY)
        file.write(ids[::2, ::2].copy(), subfiletype=1, **GREY)
    assert np.array_equal(read_label(tmp_path / "a.tif"), ids)


@pytest.mark.parametrize("pages", [1, 2])
def test_a_circle_of_pages_is_an_error(tmp_path, pages):
    path = write(tmp_path, np.zeros((pages, 4, 5), np.uint8))
    raw = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        last, first = file.pages[-1], file.pages[0].offset
        end = last.offset + 2 + 12 * len(last.tags)
    raw[end : end + 4] = struct.pack("<I", first)
    path.write_bytes(raw)
    assert failure(read_image, path) == (f"{path}: damaged, or no image: its pages form a circle")


@pytest.mark.parametrize("imagej", [True, False])
def test_a_stack_that_lists_its_first_page_alone_is_refused(tmp_path, imagej):
    path, stack = tmp_path / "a.tif", np.zeros((5, 4, 3), np.uint8)
    for truncate, told in ((False, None), (True, "a stack of 5 images, of which 1 are listed")):
        with tifffile.TiffWriter(path, imagej=imagej) as file:
            file.write(stack, photometric="minisblack", truncate=truncate)
        if told:
            assert told in failure(read_image, path)
        else:
            assert read_image(path).shape == (5, 4, 3)


def test_inks_of_a_jpeg_become_colours_as_pillow_has_it(tmp_path):
    inks = np.repeat(np.repeat(RNG.integers(0, 256, (4, 4, 4), np.uint8), 8, 0), 8, 1)
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.jpg", quality=100)
    with Image.open(tmp_path / "a.jpg") as opened:
        expected = np.asarray(opened.convert("RGB")) / 255
    assert np.allclose(read_image(tmp_path / "a.jpg").permute(1, 2, 0), expected, atol=1 / 255)


@pytest.mark.parametrize(
    ("compression", "options"),
    [
        ("jpeg2000", {"level": 0}),
        ("jpegxl", {}),
        ("webp", {"lossless": True}),
        ("lerc", {}),
        ("png", {}),
    ],
)
def test_rare_compressions_are_read_exactly(tmp_path, compression, options):
    path = write(
        tmp_path, COLOURS, photometric="rgb", compression=compression, compressionargs=options
    )
    assert np.array_equal((read_image(path).permute(1, 2, 0) * 255).round(), COLOURS)


def test_a_page_of_a_document_is_read_and_pages_of_palettes_are_refused(tmp_path):
    path = write(tmp_path, DEEP, subfiletype=2)
    assert read_image(path).shape == (1, 12, 9)
    palette = np.zeros((3, 256), np.uint16)
    with tifffile.TiffWriter(path) as file:
        for _ in range(2):
            file.write(COLOURS[..., 0].copy(), photometric="palette", colormap=palette)
    assert failure(read_image, path).startswith(f"{path}: 2 pages of palettes; pages are channels")


# Files that are none, and large ones


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    fact = "no file, but a device or a pipe"
    assert failure(read_image, tmp_path / "a.png") == f"{tmp_path}/a.png: {fact}"
    assert failure(read_label, tmp_path / "a.png") == f"{tmp_path}/a.png: {fact}"


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_how_large_an_image_may_be_is_named_and_can_be_set(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.zeros((1000, 500), np.uint8)).save(path)
    monkeypatch.setenv(LIMIT, "0.001")
    assert failure(read_image, path) == (
        f"{path}: 500x1000 pixels need 4.00 MB of memory, and 1.00 MB are allowed; set "
        f"{LIMIT} to more gigabytes"
    )
    monkeypatch.setenv(LIMIT, "0.01")
    assert read_image(path).shape == (1, 1000, 500)
    for given in ("much", "0", "-1", "inf"):
        monkeypatch.setenv(LIMIT, given)
        with pytest.raises(UsageError, match="is not a number of gigabytes, such as 8"):
            read_image(path)


def test_pillow_keeps_its_own_limit(tmp_path):
    before = Image.MAX_IMAGE_PIXELS
    Image.fromarray(COLOURS).save(tmp_path / "a.png")
    read_image(tmp_path / "a.png")
    assert before == Image.MAX_IMAGE_PIXELS
