"""PNG files of 16 bits, whose lower bytes Pillow drops where there are several channels."""

import struct
import zlib

import numpy as np
import pytest
import torch

from gridgen.images.files import read_header, read_image, read_samples

COLOUR_TYPE = {2: 4, 3: 2, 4: 6}


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def subtracted(row: bytes, pixel: int) -> bytes:
    """PNG's filter 1: each byte less that of the pixel before it."""
    values = np.frombuffer(row, np.uint8)
    before = np.concatenate([np.zeros(pixel, np.uint8), values[:-pixel]])
    return b"\1" + (values - before).tobytes()


def write_png(path, pixels):
    """A PNG of 16 bits and 2, 3 or 4 channels, with one of its filters in use."""
    height, width, channels = pixels.shape
    rows = (subtracted(row.astype(">u2").tobytes(), 2 * channels) for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPE[channels], 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"".join(rows)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b""))
    return path


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 65536, (5, 7, 4)).astype(np.uint16)


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_keeps_all_16_bits_and_loses_its_alpha(tmp_path, pixels, channels):
    path = write_png(tmp_path / "deep.png", pixels[..., :channels])
    expected = torch.from_numpy((pixels[..., :3] / 65535).astype(np.float32)).permute(2, 0, 1)
    assert torch.equal(read_image(path, 3), expected)
    header = read_header(path)
    assert (header.size, header.channels, header.bits) == ((5, 7), 3, 16)


def test_colour_is_divided_by_the_white_that_is_given(tmp_path, pixels):
    path = write_png(tmp_path / "deep.png", pixels[..., :3] // 16)
    expected = ((pixels[..., :3] // 16) / 4095).astype(np.float32)
    assert torch.equal(read_image(path, 3, white=4095).permute(1, 2, 0), torch.tensor(expected))


def test_grey_with_alpha_is_grey_of_16_bits(tmp_path, pixels):
    path = write_png(tmp_path / "deep.png", pixels[..., :2])
    header = read_header(path)
    assert (header.size, header.channels, header.bits) == ((5, 7), 1, 16)
    expected = (pixels[..., 0] / 65535).astype(np.float32)
    assert torch.equal(read_image(path, 1, white=65535)[0], torch.tensor(expected))
    assert read_image(path, 1).max() == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_a_colour_of_16_bits_that_is_transparent_is_a_colour(tmp_path, channels):
    values = np.arange(6 * channels, dtype=np.uint16).reshape(2, 3, channels) * 5000
    header = struct.pack(">IIBBBBB", 3, 2, 16, {1: 0, 3: 2}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = chunk(b"IHDR", header), chunk(b"tRNS", struct.pack(f">{channels}H", *values[0, 1]))
    body = b"".join((*parts, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    assert np.array_equal(read_samples(tmp_path / "a.png")[1], values)
