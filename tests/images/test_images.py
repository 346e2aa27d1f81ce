import numpy as np
import pytest
import torch
from PIL import Image

from gridgen.errors import DataError
from gridgen.images import Window, read_image
from gridgen.images.files import inspect_image, read_pixels
from gridgen.images.scale import PixelScale

RAMP = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
LUMA = np.array([0.299, 0.587, 0.114])


def colourful():
    return np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_8_bit_grey_is_divided_by_255_and_repeated_for_3_channels(tmp_path, suffix, channels):
    Image.fromarray(RAMP).save(tmp_path / f"grey.{suffix}")
    image = read_image(tmp_path / f"grey.{suffix}", channels)
    expected = torch.from_numpy(RAMP.astype(np.float32) / 255).expand(channels, -1, -1)
    assert torch.equal(image, expected)
    assert image.is_contiguous()


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_rgb_keeps_its_channels(tmp_path, suffix):
    pixels = colourful()
    Image.fromarray(pixels).save(tmp_path / f"rgb.{suffix}", lossless=True)
    image = read_image(tmp_path / f"rgb.{suffix}", 3)
    assert torch.equal(image, torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1))


def test_rgb_becomes_luma_for_1_channel(tmp_path):
    pixels = colourful()
    Image.fromarray(pixels).save(tmp_path / "rgb.png")
    image = read_image(tmp_path / "rgb.png", 1)
    assert image.shape == (1, 4, 6)
    assert np.allclose(image[0].numpy() * 255, pixels @ LUMA, atol=1)


def test_a_jpeg_is_read(tmp_path):
    Image.fromarray(np.full((4, 6, 3), 200, np.uint8)).save(tmp_path / "photo.jpg")
    assert torch.allclose(read_image(tmp_path / "photo.jpg", 3), torch.tensor(200 / 255), atol=0.01)


def test_alpha_is_dropped(tmp_path):
    pixels = colourful()
    alpha = np.zeros((4, 6, 1), np.uint8)
    Image.fromarray(np.concatenate([pixels, alpha], 2)).save(tmp_path / "rgba.png")
    Image.fromarray(pixels).save(tmp_path / "rgb.png")
    for channels in (1, 3):
        with_alpha = read_image(tmp_path / "rgba.png", channels)
        assert torch.equal(with_alpha, read_image(tmp_path / "rgb.png", channels))


@pytest.mark.parametrize("transparency", [None, b"\x00\x80"])
def test_a_palette_is_looked_up(tmp_path, transparency):
    image = Image.fromarray(np.array([[0, 1]], np.uint8))
    image.putpalette([255, 0, 0, 0, 0, 255])
    options = {"transparency": transparency} if transparency else {}
    image.save(tmp_path / "palette.png", **options)
    expected = torch.tensor([[[1.0, 0.0]], [[0.0, 0.0]], [[0.0, 1.0]]])
    assert torch.equal(read_image(tmp_path / "palette.png", 3), expected)
    # Pillow verifies only files of which it has decoded nothing.
    assert inspect_image(tmp_path / "palette.png").channels == 3


def test_1_bit_grey_is_black_and_white(tmp_path):
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "bits.png")
    assert read_image(tmp_path / "bits.png", 1).tolist() == [[[1.0, 0.0]]]


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_grey_is_stretched_between_its_percentiles(tmp_path, suffix, channels):
    pixels = np.random.default_rng(0).integers(300, 5000, (40, 50)).astype(np.uint16)
    Image.fromarray(pixels).save(tmp_path / f"deep.{suffix}")
    image = read_image(tmp_path / f"deep.{suffix}", channels)
    low, high = np.percentile(pixels, [1, 99.8])
    expected = np.clip((pixels - low) / (high - low), 0, 1).astype(np.float32)
    assert image.shape == (channels, 40, 50)
    assert all(torch.equal(channel, torch.from_numpy(expected)) for channel in image)


def test_the_stretch_does_not_depend_on_exposure(tmp_path):
    pixels = np.random.default_rng(0).random((20, 20)).astype(np.float32)
    Image.fromarray(pixels).save(tmp_path / "dark.tif")
    Image.fromarray(1000 * pixels + 30).save(tmp_path / "bright.tif")
    dark, bright = (read_image(tmp_path / name, 1) for name in ("dark.tif", "bright.tif"))
    assert torch.allclose(dark, bright, atol=1e-4)


@pytest.mark.parametrize("value", [0, 7, np.nan])
def test_a_deep_image_of_one_value_is_black(tmp_path, value):
    Image.fromarray(np.full((3, 3), value, np.float32)).save(tmp_path / "flat.tif")
    assert read_image(tmp_path / "flat.tif", 1).tolist() == [[[0.0] * 3] * 3]


def test_the_orientation_tag_of_a_jpeg_is_obeyed(tmp_path):
    tag = Image.Exif()
    tag[0x0112] = 6
    Image.fromarray(RAMP).save(tmp_path / "turned.jpg", exif=tag, quality=100)
    image = read_image(tmp_path / "turned.jpg", 1)
    upright = torch.from_numpy(np.rot90(RAMP, -1).astype(np.float32) / 255)
    assert torch.allclose(image[0], upright, atol=0.02)


def failure(path, channels=3):
    with pytest.raises(DataError) as error:
        read_image(path, channels)
    return str(error.value)


def test_a_missing_file_is_named(tmp_path):
    assert failure(tmp_path / "none.png") == f"{tmp_path}/none.png: No such file or directory"
    assert failure(tmp_path) == f"{tmp_path}: Is a directory"


def test_an_empty_file_is_named(tmp_path):
    path = tmp_path / "a.png"
    path.touch()
    assert failure(path) == f"{path}: the file is empty"


def test_a_file_that_is_no_image_is_named(tmp_path):
    path = tmp_path / "a.png"
    path.write_text("hello", encoding="utf-8")
    assert failure(path) == f"{path}: not a PNG, JPEG, WebP, BMP or TIFF image"


def test_a_format_that_is_not_listed_is_refused(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "a.gif")
    wanted = "not a PNG, JPEG, WebP, BMP or TIFF image"
    assert failure(tmp_path / "a.gif") == f"{tmp_path}/a.gif: {wanted}"


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp"])
def test_a_file_that_was_cut_off_is_named(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    path = tmp_path / f"noise.{suffix}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
    assert failure(path).startswith(f"{path}: damaged, or no image: ")


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_an_animation_is_refused(tmp_path, suffix):
    page, other = Image.fromarray(RAMP), Image.fromarray(RAMP.T.reshape(4, 6).copy())
    path = tmp_path / f"moving.{suffix}"
    page.save(path, save_all=True, append_images=[other, page])
    assert failure(path) == f"{path}: 3 pages; save each as a file of its own"


def test_channels_that_cannot_become_the_wanted_ones_are_refused(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(colourful()).save(path)
    assert failure(path, channels=4) == f"{path}: 3 channels, but 4 are wanted"


WINDOW = Window.square(top=2, left=3, side=4)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("white", [None, 4095.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_window_is_cut_from_the_whole(tmp_path, dtype, white, channels):
    """Also where values are stretched by all that the file holds."""
    values = np.random.default_rng(0).integers(0, 250, (9, 8)).astype(dtype)
    Image.fromarray(values).save(tmp_path / "a.png")
    whole = read_image(tmp_path / "a.png", channels, white=white)
    part = read_pixels(tmp_path / "a.png", channels, PixelScale(white), WINDOW).levels
    assert torch.equal(part, whole[:, 2:6, 3:7])
