"""Legal image sizes of a network, and the policies for all other sizes."""

import re
from collections.abc import Sequence
from math import lcm
from typing import Annotated

from gridgen.errors import SizeError
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.spec import NetworkSpec

MAX_SIDE = 65536
PAPER_SIZE = (400, 400)
DEFAULT_SIZES: dict[int, Size] = {1: (4096,), 2: PAPER_SIZE, 3: (64, 64, 64)}
"""The size that is counted for where none is given, for each number of dimensions."""
SIDES = {1: "length", 2: "height, width", 3: "depth, height, width"}
EXAMPLES: dict[int, Size] = {1: (4096,), 2: (360, 480), 3: (64, 64, 32)}


SizeLike = Annotated[
    Sequence[int] | str, "a size such as (360, 480) or '360x480', as many sides as dimensions"
]


def as_size(size: SizeLike | None) -> Size | None:
    """The sides in a list or text; None stays None. Errors: `SizeError`.

    >>> as_size([360, 480]), as_size("360x480")
    ((360, 480), (360, 480))
    """
    if size is None or isinstance(size, str):
        return None if size is None else read_size(size)
    return tuple(map(int, size))


def read_size(text: str) -> Size:
    """The sides in a text such as `360x480`. Errors: `SizeError`.

    >>> read_size("360x480"), read_size("64x64x32")
    ((360, 480), (64, 64, 32))
    """
    if not re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9}){0,2}", text):
        fact = f"{text[:60]!r} is not a size"
        raise SizeError(f"{fact}; write HEIGHTxWIDTH, such as 360x480 (volumes: 64x64x32)")
    return tuple(map(int, text.split("x")))


def default_size(spec: NetworkSpec) -> Size:
    """The smallest legal size that holds 400 x 400 (signals: 4096; volumes: 64 x 64 x 64)."""
    return larger_size(spec, DEFAULT_SIZES[spec.dimensions])


def counted_size(spec: NetworkSpec, size: Size | None) -> Size:
    """The size that `count` counts for: `size` where legal, else the default."""
    return legal_size(spec, size or default_size(spec))


def legal_size(spec: NetworkSpec, size: Size) -> Size:
    """The legal size to which the spec's policy brings an image of `size` (height, width).

    Errors: `SizeError`, with the nearest legal sizes, where the policy is `error`, or where an
    image is too small to be cropped.
    """
    sides = spec.dimensions
    if not isinstance(size, tuple) or len(size) != sides:
        given = shape_text(size) if isinstance(size, tuple) else repr(size)
        said = f"give {SIDES[sides]}: {shape_text(EXAMPLES[sides])}"
        raise SizeError(f"{given} is no size for {sides} dimension{'s' * (sides > 1)}; {said}.")
    if not all(0 < side <= MAX_SIDE for side in size):
        raise SizeError(f"Image is {shape_text(size)}; each side must be from 1 to {MAX_SIDE}.")
    larger, smaller = larger_size(spec, size), smaller_size(spec, size)
    match spec.size:
        # A legal size stays as it is under every policy.
        case _ if larger == size:
            return size
        case "pad":
            return larger
        case "crop" if smaller is not None:
            return smaller
        case "resize":
            return nearest_size(spec, size)
    fix = f"Pad to {shape_text(larger)}"
    if smaller is not None and spec.size == "error":
        fix += f", crop to {shape_text(smaller)}"
    raise SizeError(f"Image is {shape_text(size)}; {spec.needs}. {fix}, or set size: pad.")


def larger_size(spec: NetworkSpec, size: Size) -> Size:
    """The smallest legal size that holds `size`."""
    return tuple(max(_up(side, spec.multiple), spec.least) for side in size)


def smaller_size(spec: NetworkSpec, size: Size) -> Size | None:
    """The largest legal size within `size`, if there is one."""
    within = tuple(side - side % spec.multiple for side in size)
    return within if min(within) >= spec.least else None


def nearest_size(spec: NetworkSpec, size: Size) -> Size:
    """The nearest legal size, side by side; the larger where two are equally near."""
    step = spec.multiple
    return tuple(max((side + step // 2) // step * step, spec.least) for side in size)


def common_size(one: NetworkSpec, other: NetworkSpec) -> Size:
    """The smallest size that two networks can take and that holds the default of their dimensions.

    Errors: `SizeError` for networks of different dimensions.
    """
    if one.dimensions != other.dimensions:
        fact = f"a network of {one.dimensions} dimensions takes no input of {other.dimensions}"
        raise SizeError(f"{fact}; compare networks of the same dimensions.")
    step = lcm(one.multiple, other.multiple)
    given = DEFAULT_SIZES[one.dimensions]
    return tuple(_up(max(side, one.least, other.least), step) for side in given)


def _up(side: int, multiple: int) -> int:
    # Not -(-side // multiple): exported to ONNX, a division truncates where Python floors.
    return (side + multiple - 1) // multiple * multiple
