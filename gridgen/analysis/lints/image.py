"""Lints on how a network fits its images: borders made up or cut off, a small receptive field."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

from gridgen.analysis.lints.case import Case, Finding, Fix
from gridgen.analysis.receptive import receptive_field
from gridgen.analysis.sizes import larger_size, nearest_size, smaller_size
from gridgen.errors import SpecError
from gridgen.grid import Architecture
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.spec import GridSpec, NetworkSpec
from gridgen.spec.columns import Column, as_written
from gridgen.spec.gridspec import MAX_STREAMS

TENTH = 0.1
TIMES = 10
"""The image is so many times what a prediction sees, where that is little. Good networks see less
than all of it: U-Net 13 % of the 572 x 572 that it was published with.
"""
SpecChange = Mapping[str, Any]
MORE_COLUMNS = 2
MORE = 32
"""The most by which an integer field of a published network is raised."""


def padding(case: Case) -> Iterator[Finding]:
    """More than a tenth of what the network works on is border that `size: pad` made up."""
    if case.size is None or case.grid.spec.size != "pad":
        return
    share = 1 - prod(case.size) / prod(case.image)
    if share > TENTH:
        fact = f"{_change(case.size, case.image)} by padding; {share:.0%} of that is made up"
        yield Finding("padding", ("size",), fact, _nearest(case, case.size))


def cropping(case: Case) -> Iterator[Finding]:
    """More than a tenth of the image gets no prediction of its own, but that of `size: crop`."""
    if case.size is None or case.grid.spec.size != "crop":
        return
    share = 1 - prod(case.image) / prod(case.size)
    if share > TENTH:
        fact = f"{_change(case.size, case.image)} by cropping; {share:.0%} of the image is not seen"
        yield Finding("cropping", ("size",), fact, _nearest(case, case.size))


def _change(size: Size, image: Size) -> str:
    return f"{shape_text(size)} becomes {shape_text(image)}"


def _nearest(case: Case, size: Size) -> Fix:
    near = nearest_size(case.grid.spec, size)
    return Fix(f"use images of {shape_text(near)}, or fewer streams", size=near)


def small_field(case: Case) -> Iterator[Finding]:
    """No prediction depends on as much as a tenth of the image, even in theory."""
    field = receptive_field(case.grid)
    if field is None or _sees_enough(case, field):
        return
    share = _seen(case, field) / prod(case.image)
    part = f"{share:.1%}" if share > 0.001 else "less than 0.1%"
    seen, image = shape_text((field,) * len(case.image)), shape_text(case.image)
    fact = f"a prediction depends on {seen} of {image} pixels, {part}"
    yield Finding("small-field", ("network",), fact, _see_more(case, field))


def _see_more(case: Case, field: int) -> Fix:
    found = deeper(case, lambda mended: _sees_enough(mended, receptive_field(mended.grid)))
    return found or _smaller(case, field)


def _smaller(case: Case, field: int) -> Fix:
    """The largest crops of equal sides of which the unchanged network sees a tenth."""
    dimensions = case.grid.spec.dimensions
    most = TIMES * field**dimensions
    side = round(most ** (1 / dimensions))
    size = smaller_size(case.grid.spec, (side - (side**dimensions > most),) * dimensions)
    if size is None:
        return Fix("no setting lets it see more, and no smaller image is possible")
    return Fix(f"train on crops of {shape_text(size)}", size=size)


def _sees_enough(case: Case, field: int | None) -> bool:
    if field is None:
        return True
    return TIMES * _seen(case, field) >= prod(case.image)


def _seen(case: Case, field: int) -> int:
    """Number of pixels of the image on which one prediction depends."""
    return prod(min(field, side) for side in case.image)


def deeper(case: Case, enough: Callable[[Case], bool]) -> Fix | None:
    """The first change of the spec after which `enough` holds; None if there is none."""
    for change in _changes(case.grid.spec):
        fix = _fitted(case, change)
        if fix is not None and enough(case.mended(fix)):
            return fix
    return None


def _fitted(case: Case, change: SpecChange) -> Fix | None:
    """A fix with the change, and with a size that is then legal; None if it makes no network."""
    try:
        spec = case.mended(Fix("", change)).grid.spec
    except SpecError:
        return None
    return Fix(f"go deeper: {spec.title}, {spec.shape}", change, size=_legal(spec, case.size))


def _legal(spec: NetworkSpec, size: Size | None) -> Size | None:
    """The size that has to replace `size`; None where `size` stays legal."""
    if size is None or spec.size in ("pad", "resize"):
        return None
    larger = larger_size(spec, size)
    return None if larger == size else larger


def _changes(spec: NetworkSpec) -> Iterator[SpecChange]:
    """Changes of a spec that may let it see more, the smallest first."""
    if isinstance(spec, GridSpec):
        yield from _grid_changes(spec)
    if isinstance(spec, Architecture):
        # Not isinstance: a bool is an int too.
        numbers = [name for name, default in spec.settings().items() if type(default) is int]
        for name in numbers:
            if name not in ("in_channels", "classes"):
                yield from ({name: getattr(spec, name) + more} for more in range(1, MORE + 1))


def _grid_changes(spec: GridSpec) -> Iterator[SpecChange]:
    """Ever more streams, columns at each end, and all connections kept."""
    whole: list[SpecChange] = [{}]
    if spec.topology not in (None, "gridnet"):
        whole.append({"topology": "gridnet"})
    for steps in range(1, MAX_STREAMS + MORE_COLUMNS):
        for all_kept, columns in product(whole, range(MORE_COLUMNS + 1)):
            streams = steps - columns - len(all_kept)
            if streams >= 0:
                yield {**_more_streams(spec, streams), **_more_columns(spec, columns), **all_kept}


def _more_streams(spec: GridSpec, more: int) -> SpecChange:
    if not more:
        return {}
    change: dict[str, Any] = {"streams": spec.streams + more}
    for name in ("channels", "side_channels"):
        given = getattr(spec, name)
        if given is not None:
            last = (given or spec.stream_channels)[-1]
            change[name] = [*given, *(last << i for i in range(1, more + 1))]
    return change


def _more_columns(spec: GridSpec, more: int) -> SpecChange:
    if not more:
        return {}
    sub: Column = "sub"
    up: Column = "up"
    return {"columns": as_written((sub,) * more + spec.columns + (up,) * more)}
