"""Image files of every kind, made from arrays that are known: what a reader must give back.

`made(number, folder)` draws a kind of file by its number, writes it, and tells the array that it
was made from: rows, columns and samples as a viewer would show them upright.
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

PNG_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
TILE = (16, 32)
DTYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]


@dataclass(frozen=True)
class Made:
    """A file, and what it was made from."""

    path: Path
    upright: np.ndarray
    """(H, W, samples), alpha left out."""
    bits: int
    meaning: str
    """black, white (at 0), rgb or palette."""
    said: str
    """How it was made, for messages."""
    palette: np.ndarray | None = None
    nodata: float | None = None
    """The number of samples without a value, as they are stored."""


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The rows and columns that a file with this orientation holds: Exif 2.3, 4.6.4, by where the
    0th row and column lie.
    """
    row_at, column_at = {
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    pixels = upright
    if "bottom" in (row_at, column_at):
        pixels = np.flip(pixels, 0)
    if "right" in (row_at, column_at):
        pixels = np.flip(pixels, 1)
    return pixels if row_at in ("top", "bottom") else np.swapaxes(pixels, 0, 1)


def made(number: int, folder: Path) -> Made:
    """The file of that number."""
    rng = np.random.default_rng(number)
    kind = rng.choice(["png", "tiff", "tiff", "tiff", "webp", "bmp"])
    make = {"png": png, "tiff": tiff, "webp": webp, "bmp": bmp}[str(kind)]
    return make(rng, folder / f"{number}")


def values(rng: np.random.Generator, dtype: str, bits: int, samples: int) -> np.ndarray:
    """Random numbers over the whole range of a type, of odd sides."""
    shape = (int(rng.integers(3, 40)), int(rng.integers(3, 40)), samples)
    if dtype[0] == "f":
        return rng.normal(50, 20, shape).astype(dtype)
    if dtype[0] == "i":
        return rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shape, dtype)
    return rng.integers(0, 2**bits, shape, dtype)


def png(rng: np.random.Generator, place: Path) -> Made:
    palette = None
    bits, samples = int(rng.choice([1, 2, 4, 8, 16])), int(rng.choice([1, 1, 2, 3, 4]))
    if bits < 8:
        samples = 1
    indexed = samples == 1 and bits <= 8 and rng.random() < 0.4
    upright = values(rng, "u2" if bits == 16 else "u1", bits, samples)
    orientation, behind = int(rng.integers(1, 9)), bool(rng.random() < 0.5)
    pixels = stored(upright, orientation)
    height, width = pixels.shape[:2]
    if bits < 8:
        planes = np.unpackbits(pixels[..., 0].astype(np.uint8)[..., None], axis=2)[..., -bits:]
        packed = np.packbits(planes.reshape(height, -1), axis=1)
    else:
        numbers = np.ascontiguousarray(pixels.astype(">u2" if bits == 16 else "u1"))
        packed = numbers.reshape(height, -1).view(np.uint8)
    colour_type = 3 if indexed else PNG_COLOUR_TYPES[samples]
    exif = chunk(b"eXIf", exif_of(orientation))
    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))]
    if indexed:
        palette = rng.integers(0, 256, (2**bits, 3), np.uint8)
        parts.append(chunk(b"PLTE", palette.tobytes()))
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    data = chunk(b"IDAT", zlib.compress(rows))
    parts += [data, exif] if behind else [exif, data]
    path = place.with_suffix(".png")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b""))
    kept = upright[..., : 1 if samples < 3 else 3]
    meaning = "palette" if indexed else ("rgb" if samples >= 3 else "black")
    said = f"PNG of {bits} bits, {samples} samples, {meaning}, orientation {orientation}, {behind=}"
    return Made(path, kept, bits, meaning, said, palette)


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def exif_of(orientation: int) -> bytes:
    """A TIFF header with one entry, as the chunk eXIf holds it."""
    return b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHHI", 0x0112, 3, 1, orientation, 0, 0)


def tiff(rng: np.random.Generator, place: Path) -> Made:
    path, palette = place.with_suffix(".tif"), None
    meaning = str(rng.choice(["black", "black", "white", "rgb", "palette"]))
    dtype = str(rng.choice(DTYPES))
    if meaning == "palette":
        dtype = str(rng.choice(["u1", "u2"]))
    bits = 8 * int(dtype[1])
    if dtype == "u1" and meaning != "palette" and rng.random() < 0.5:
        bits = int(rng.choice([1, 2, 4]))
    elif dtype == "u2" and meaning != "palette" and rng.random() < 0.3:
        bits = int(rng.choice([10, 12, 14]))
    samples = 1 if meaning in ("palette", "white") or bits % 8 else int(rng.choice([1, 2, 4, 12]))
    if meaning == "rgb":
        bits = 8 * int(dtype[1])
        samples = int(rng.choice([3, 4]))
    upright = values(rng, dtype, bits, samples)
    orientation = int(rng.integers(1, 9))
    options: dict[str, Any] = {"metadata": None, "byteorder": str(rng.choice(["<", ">"]))}
    options["extratags"] = [(274, 3, 1, orientation, False)]
    nodata = None
    if rng.random() < 0.25:
        nodata = without_values(rng, upright, bits)
        text = "-9999" if nodata < -9000 and dtype[0] == "f" else f"{nodata}"
        options["extratags"].append((42113, 2, 0, text, False))
    tiled = bool(rng.random() < 0.4 and not bits % 8)
    sparse = sparse_tiles(rng, upright, orientation, nodata) if tiled else []
    pixels = np.ascontiguousarray(stored(upright, orientation))
    options["photometric"] = {"black": "minisblack", "white": "miniswhite"}.get(meaning, meaning)
    if bits % 8:
        options["bitspersample"] = bits
        options["byteorder"] = "<"  # tifffile packs wrong bits into files of the other order
    else:
        options["compression"] = rng.choice([None, "zlib", "lzw", "zstd", "packbits", "lzma"])
        if options["compression"] in ("zlib", "lzw", "zstd") and dtype in ("u1", "u2", "i2"):
            options["predictor"] = bool(rng.random() < 0.5)
    if meaning == "palette":
        palette = rng.integers(0, 256, (2**bits, 3)).astype(np.uint16) * 257
        options["colormap"] = palette.T.copy()
    if samples == 4 and meaning == "rgb":
        options["extrasamples"] = ["unassalpha"]
    paged = samples > 1 and meaning == "black" and not sparse and bool(rng.random() < 0.3)
    if samples == 1:
        pixels = pixels[..., 0]
    elif paged:
        pixels = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    elif rng.random() < 0.5:
        options["planarconfig"] = "separate"
        pixels = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    else:
        options["planarconfig"] = "contig"
    if tiled:
        options["tile"] = TILE
    elif rng.random() < 0.5:
        options["rowsperstrip"] = int(rng.integers(1, 9))
    overview = not paged and bool(rng.random() < 0.2)
    order, big = options.pop("byteorder"), bool(rng.random() < 0.2)
    with tifffile.TiffWriter(path, bigtiff=big, byteorder=order) as file:
        for page in pixels if paged else [pixels]:
            file.write(page, **options)
        if overview:
            planar = options.get("planarconfig") == "separate"
            small = pixels[:, ::2, ::2] if planar else pixels[::2, ::2]
            file.write(np.ascontiguousarray(small), subfiletype=1, **options)
    if sparse:
        leave_out(path, sparse)
    kept = upright[..., :3] if samples == 4 and meaning == "rgb" else upright
    more = f"{overview=}, {sparse=}, {paged=}, {options}"
    said = f"TIFF of {dtype}, {bits} bits, {samples} samples, {more}"
    palette = None if palette is None else (palette // 257).astype(np.uint8)
    return Made(path, kept, bits, meaning, said, palette, nodata)


def without_values(rng: np.random.Generator, upright: np.ndarray, bits: int) -> Any:
    """Write a number into some pixels, or samples, that says that they have no value."""
    kind = upright.dtype.kind
    least = -(2 ** (bits - 1)) if kind == "i" else 0
    most = 2 ** (bits - (kind == "i")) - 1
    mark = [np.nan, -9999.0][int(rng.integers(2))]
    if kind != "f":
        mark = [least, most, int(rng.integers(min(most, 200) + 1))][int(rng.integers(3))]
    number = np.array([mark]).astype(upright.dtype)[0]
    shape = upright.shape if rng.random() < 0.5 else (*upright.shape[:2], 1)
    upright[np.broadcast_to(rng.random(shape) < 0.2, upright.shape)] = number
    return number


def sparse_tiles(
    rng: np.random.Generator, upright: np.ndarray, orientation: int, nodata: Any
) -> list[int]:
    """Some tiles that the file leaves out; their pixels get the number without a value, or 0."""
    height, width, samples = upright.shape
    places = stored(np.arange(height * width).reshape(height, width, 1), orientation)[..., 0]
    across = -(-places.shape[1] // TILE[1])
    tiles = range(across * -(-places.shape[0] // TILE[0]))
    left_out = [tile for tile in tiles if rng.random() < 0.2]
    for tile in left_out:
        top, left = TILE[0] * (tile // across), TILE[1] * (tile % across)
        inside = places[top : top + TILE[0], left : left + TILE[1]].ravel()
        upright.reshape(-1, samples)[inside] = 0 if nodata is None else nodata
    return left_out


def leave_out(path: Path, tiles: list[int]) -> None:
    """Let the file say of these tiles of its first page that they are nowhere, in every plane."""
    with tifffile.TiffFile(path, mode="r+") as file:
        page = file.pages[0]
        across, down = (-(-page.shaped[a] // TILE[b]) for a, b in ((3, 1), (2, 0)))
        for tag in (page.tags["TileOffsets"], page.tags["TileByteCounts"]):
            kept = list(tag.value)
            for place in range(len(kept)):
                kept[place] = 0 if place % (across * down) in tiles else kept[place]
            tag.overwrite(tuple(kept) if len(kept) > 1 else kept[0])


def webp(rng: np.random.Generator, place: Path) -> Made:
    upright = values(rng, "u1", 8, int(rng.choice([3, 4])))
    if upright.shape[2] == 4:
        upright[..., 3] = 255  # where nothing shows, WebP may change colours
    orientation, exif = int(rng.integers(1, 9)), Image.Exif()
    exif[0x0112] = orientation
    path = place.with_suffix(".webp")
    image = Image.fromarray(np.ascontiguousarray(stored(upright, orientation)))
    image.save(path, lossless=True, exact=True, exif=exif)
    said = f"WebP of {upright.shape[2]} samples, orientation {orientation}"
    return Made(path, upright[..., :3], 8, "rgb", said)


def bmp(rng: np.random.Generator, place: Path) -> Made:
    mode = str(rng.choice(["1", "L", "P", "RGB"]))
    path, palette = place.with_suffix(".bmp"), None
    upright = values(rng, "u1", 1 if mode == "1" else 8, 3 if mode == "RGB" else 1)
    pixels = upright if mode == "RGB" else upright[..., 0]
    image = Image.fromarray(pixels.astype(bool) if mode == "1" else pixels)
    if mode == "P":
        palette = rng.integers(0, 256, (256, 3), np.uint8)
        image.putpalette(palette.tobytes())
    image.save(path)
    meaning = {"P": "palette", "RGB": "rgb"}.get(mode, "black")
    bits = 1 if mode == "1" else 8
    return Made(path, upright, bits, meaning, f"BMP of mode {mode}", palette)
