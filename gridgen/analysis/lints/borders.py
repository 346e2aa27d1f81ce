"""What the size policy adds to an image, or leaves out of it."""

from collections.abc import Iterator

from gridgen.analysis.lints.case import Case
from gridgen.analysis.lints.finding import Finding, Fix
from gridgen.analysis.sizes import nearest_size
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size

TENTH = 0.1


def padding(case: Case) -> Iterator[Finding]:
    """More than a tenth of what the network works on is border that `size: pad` made up."""
    if case.size is None or case.grid.spec.size != "pad":
        return
    share = 1 - _area(case.size) / _area(case.image)
    if share > TENTH:
        fact = f"{_change(case.size, case.image)} by padding; {share:.0%} of that is made up"
        yield Finding("padding", ("size",), fact, _fix(case, case.size))


def cropping(case: Case) -> Iterator[Finding]:
    """More than a tenth of the image gets no prediction of its own, but that of `size: crop`."""
    if case.size is None or case.grid.spec.size != "crop":
        return
    share = 1 - _area(case.image) / _area(case.size)
    if share > TENTH:
        fact = f"{_change(case.size, case.image)} by cropping; {share:.0%} of the image is not seen"
        yield Finding("cropping", ("size",), fact, _fix(case, case.size))


def _change(size: Size, image: Size) -> str:
    return f"{shape_text(size)} becomes {shape_text(image)}"


def _fix(case: Case, size: Size) -> Fix:
    near = nearest_size(case.grid.spec, size)
    return Fix(f"use images of {shape_text(near)}, or fewer streams", size=near)


def _area(size: Size) -> int:
    return size[0] * size[1]
