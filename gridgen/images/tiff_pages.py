"""The samples of one page of a TIFF file: whole, or in a part whose strips or tiles are decoded."""

from typing import TYPE_CHECKING

import numpy as np

from gridgen.images.header import Samples, Window

if TYPE_CHECKING:
    from tifffile import TiffPage


def samples_of_page(page: "TiffPage", window: Window | None) -> Samples:
    """(rows, columns, samples) of a page, or of a window of its stored rows and columns."""
    if window is None:
        return _whole(page)
    return _mapped(page, window) if _is_plain(page) else _part(page, window)


def rows_together(page: "TiffPage") -> int:
    """Rows that only together can be decoded: of a strip, of a row of tiles, or a single one."""
    if _is_plain(page):
        return 1
    return int(page.tilelength if page.is_tiled else min(page.rowsperstrip, page.imagelength))


def _is_plain(page: "TiffPage") -> bool:
    """Whether all samples lie one behind the other in the file, as they are."""
    return page.is_final and sum(page.databytecounts) == page.nbytes


def _mapped(page: "TiffPage", window: Window) -> Samples:
    """The window of a page that is plain, of which nothing else is read."""
    kind = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
    file, start = page.parent.filehandle.path, page.dataoffsets[0]
    # (planes, 1, rows, columns, samples)
    stored = np.memmap(file, kind, "r", start, page.shaped)
    part = stored[:, 0, window.rows, window.columns].astype(page.dtype)
    return part[0] if len(part) == 1 else np.moveaxis(part[..., 0], 0, 2)


def _whole(page: "TiffPage") -> Samples:
    """(rows, columns, samples) of one page, for either order in which its samples are stored."""
    values: Samples = page.asarray()
    if values.ndim == 2:
        return _unsigned(values[..., None])
    return _unsigned(np.moveaxis(values, 0, 2) if page.axes.startswith("S") else values)


def _part(page: "TiffPage", window: Window) -> Samples:
    """The window of one page, of which only the strips or tiles that it touches are decoded."""
    high, wide = min(page.rowsperstrip, page.imagelength), page.imagewidth
    if page.is_tiled:
        high, wide = page.tilelength, page.tilewidth
    across = -(-page.imagewidth // wide)
    each = across * -(-page.imagelength // high)
    planes = len(page.dataoffsets) // each
    rows = range(window.top // high, -(-window.rows.stop // high))
    columns = range(window.left // wide, -(-window.columns.stop // wide))
    touched = [
        plane * each + row * across + column
        for plane in range(planes)
        for row in rows
        for column in columns
    ]
    if not touched or touched[-1] >= len(page.dataoffsets):
        return _whole(page)[window.rows, window.columns]
    samples = int(page.samplesperpixel)
    # A part that the file leaves out holds the number of pixels without a value, or zeros.
    whole = np.full((len(rows) * high, len(columns) * wide, samples), page.nodata, page.dtype)
    offsets, counts = ([x[i] for i in touched] for x in (page.dataoffsets, page.databytecounts))
    file = page.parent.filehandle
    for segment in file.read_segments(offsets, counts, indices=touched):
        decoded, position, shape = page.decode(*segment, jpegtables=page.jpegtables)
        if decoded is None:
            continue
        plane, _, top, left, _ = position
        down, right = top - rows.start * high, left - columns.start * wide
        _, height, width, kept = shape
        planar = slice(plane, plane + 1) if planes > 1 else slice(0, kept)
        whole[down : down + height, right : right + width, planar] = decoded[0, :height, :width]
    top, left = window.top - rows.start * high, window.left - columns.start * wide
    bottom = min(window.rows.stop, page.imagelength) - rows.start * high
    end = min(window.columns.stop, page.imagewidth) - columns.start * wide
    return _unsigned(whole[top:bottom, left:end])


def _unsigned(values: Samples) -> Samples:
    """Single bits as numbers."""
    return values.astype(np.uint8) if values.dtype == np.bool_ else values
