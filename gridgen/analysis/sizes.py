"""Legal image sizes of a network, and the policies for all other sizes."""

from math import lcm

from gridgen.errors import SizeError
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.spec import NetworkSpec

MAX_SIDE = 65536
PAPER_SIZE = (400, 400)


def counted_size(spec: NetworkSpec, size: Size | None) -> Size:
    """The size that `count` counts for: `size` where legal, else the default rounded up."""
    return legal_size(spec, size or larger_size(spec, PAPER_SIZE))


def legal_size(spec: NetworkSpec, size: Size) -> Size:
    """The legal size to which the spec's policy brings an image of `size` (height, width).

    Errors: `SizeError`, with the nearest legal sizes, where the policy is `error`, or where an
    image is too small to be cropped.
    """
    if not isinstance(size, tuple) or len(size) != 2:
        raise SizeError(f"{size!r} is not a size; give (height, width), such as (360, 480).")
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
    """The smallest legal (height, width) that holds `size`."""
    height, width = (max(_up(side, spec.multiple), spec.least) for side in size)
    return height, width


def smaller_size(spec: NetworkSpec, size: Size) -> Size | None:
    """The largest legal (height, width) within `size`, if there is one."""
    height, width = (side - side % spec.multiple for side in size)
    return (height, width) if min(height, width) >= spec.least else None


def nearest_size(spec: NetworkSpec, size: Size) -> Size:
    """The nearest legal size, side by side; the larger where two are equally near."""
    step = spec.multiple
    height, width = (max((side + step // 2) // step * step, spec.least) for side in size)
    return height, width


def common_size(one: NetworkSpec, other: NetworkSpec) -> Size:
    """The smallest size that two networks can take and that holds the paper's 400 x 400."""
    step = lcm(one.multiple, other.multiple)
    height, width = (_up(max(side, one.least, other.least), step) for side in PAPER_SIZE)
    return height, width


def _up(side: int, multiple: int) -> int:
    # Not -(-side // multiple): exported to ONNX, a division truncates where Python floors.
    return (side + multiple - 1) // multiple * multiple
