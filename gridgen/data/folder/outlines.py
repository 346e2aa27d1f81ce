"""Outlines of objects in COCO annotations as pixels: polygons, and run lengths with or without
compression. Polygons become pixels as the reference, pycocotools, has it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

ObjectMask = npt.NDArray[np.bool_]
Runs = npt.NDArray[np.int64]
MOST_SHIFT = 30
"""Bits before the last five of a length, which sums of lengths do not overflow."""


def outlined(segmentation: Any, height: int, width: int) -> ObjectMask:
    """(H, W): the pixels of an object, of its `segmentation`. Errors: `ValueError`."""
    if not segmentation:
        raise ValueError("no polygon and no mask; export outlines, not boxes alone")
    if isinstance(segmentation, dict):
        return _of_runs(segmentation, height, width)
    if not isinstance(segmentation, list):
        raise ValueError("its segmentation is neither polygons nor run lengths")
    from pycocotools import mask as reference

    polygons = [_polygon(points, height, width) for points in segmentation]
    # Its own decoder warns with NumPy 2.
    drawn = reference.merge(reference.frPyObjects(polygons, height, width))
    return _filled(_lengths(drawn["counts"].decode()), height, width)


def _polygon(points: Any, height: int, width: int) -> npt.NDArray[np.float64]:
    """x, y, x, y ... Errors: `ValueError` for what the reference takes for something else."""
    try:
        numbers = np.array(points, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("a polygon is a list of numbers: x, y, x, y ...") from error
    if numbers.ndim != 1 or len(numbers) < 6 or len(numbers) % 2:
        raise ValueError(f"a polygon of shape {numbers.shape}; it has x and y of 3 points or more")
    sides = np.tile([width, height], len(numbers) // 2)
    # The memory that the reference takes grows with what lies outside.
    if not ((numbers >= -sides) & (numbers <= 2 * sides)).all():
        raise ValueError(f"a polygon far outside of the {height}x{width} pixels")
    return numbers


def _of_runs(code: dict[str, Any], height: int, width: int) -> ObjectMask:
    """(H, W) of run lengths {size, counts}. Errors: `ValueError`."""
    counts, size = code.get("counts"), code.get("size")
    if size != [height, width]:
        raise ValueError(f"run lengths of size {size}, but the image has {[height, width]}")
    if isinstance(counts, str):
        return _filled(_lengths(counts), height, width)
    most = height * width
    if not isinstance(counts, list) or not all(type(n) is int and abs(n) <= most for n in counts):
        raise ValueError("run lengths are neither a code of COCO nor a list of numbers of pixels")
    return _filled(np.array(counts, np.int64), height, width)


def _filled(runs: Runs, height: int, width: int) -> ObjectMask:
    """(H, W) of run lengths, down the columns and outside first. Errors: `ValueError`."""
    pixels = height * width
    # The reference leaves pixels that no run covers as the memory happens to be.
    if ((runs < 0) | (runs > pixels)).any():
        raise ValueError(f"a run length is negative or more than the image's {pixels:,} pixels")
    if (covered := int(runs.sum())) != pixels:
        raise ValueError(f"run lengths of {covered:,} pixels, but the image has {pixels:,}")
    inside: ObjectMask = np.arange(len(runs)) % 2 == 1
    return inside.repeat(runs).reshape(width, height).T


def _lengths(code: str) -> Runs:
    """The run lengths in a compressed code, 5 bits a character; from the fourth on, a length is
    the difference to the one before the last.

    Source: rleFrString of the COCO API (maskApi.c). Errors: `ValueError`.
    """
    bits = np.frombuffer(code.encode(errors="surrogatepass"), np.uint8).astype(np.int64) - 48
    last = (bits & 32) == 0
    if not code or not last[-1] or not ((bits >= 0) & (bits < 64)).all():
        raise ValueError("run lengths are no code of COCO, or are cut off")
    begins = np.flatnonzero(np.r_[True, last[:-1]])
    shift = 5 * (np.arange(len(bits)) - begins.repeat(np.diff(np.r_[begins, len(bits)])))
    if shift.max() > MOST_SHIFT:
        raise ValueError("run lengths are longer than any image")
    runs: Runs = np.add.reduceat((bits & 31) << shift, begins)
    runs -= np.where(bits[last] & 16, 32 << shift[last], 0)
    runs[1::2] = runs[1::2].cumsum()
    runs[2::2] = runs[2::2].cumsum()
    return runs
