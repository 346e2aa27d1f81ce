"""Batch normalizations that estimate from next to nothing."""

from collections.abc import Iterator
from math import sqrt

from gridgen.analysis.lints.case import Case
from gridgen.analysis.lints.finding import Finding, Fix
from gridgen.analysis.lints.places import placed_layers
from gridgen.grid.layers import BatchNorm, shape_text
from gridgen.grid.tracing import Size
from gridgen.spec import GridSpec

FEWEST = 16
"""Values per channel below which a lint speaks. The variance of n independent values of a normal
distribution errs by sqrt(2 / n) of itself, 35 % at 16; values of a map that are neighbours tell
less. It is also the batch with which networks that normalize one value an image were trained
(PSPNet's bin of 1).
"""


def few_values(case: Case) -> Iterator[Finding]:
    """A BN that sees fewer than 16 values of each channel in a training step.

    What it scales by then jumps from step to step, and is not what evaluation uses; of a single
    value torch refuses to take a variance.
    """
    smallest = _smallest(case)
    if not smallest:
        return
    batch = max(-(-FEWEST // _area(size)) for size in smallest.values())
    words = f"train in batches of {batch}"
    if isinstance(case.grid.spec, GridSpec):
        words += ", on larger images, or with fewer streams"
    for place, size in smallest.items():
        yield Finding("few-values", (place,), _fact(case.batch, size), Fix(words, batch=batch))


def _smallest(case: Case) -> dict[str, Size]:
    """Where a BN sees few values, and of what size the smallest map is that one sees there."""
    smallest: dict[str, Size] = {}
    for place, layer, (_, *size) in placed_layers(case.grid, case.image):
        height, width = size
        if isinstance(layer, BatchNorm) and case.batch * height * width < FEWEST:
            smallest[place] = min(smallest.get(place, (height, width)), (height, width), key=_area)
    return smallest


def _fact(batch: int, size: Size) -> str:
    values = batch * _area(size)
    where = f"at batch {batch} and {shape_text(size)}"
    if values == 1:
        return f"BN sees 1 value per channel in training {where}, which torch refuses"
    seen = f"BN sees {values} values per channel in training {where}"
    return f"{seen}; their variance errs by {sqrt(2 / values):.0%}"


def _area(size: Size) -> int:
    height, width = size
    return height * width
