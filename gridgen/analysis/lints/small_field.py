"""Networks that see next to nothing of the image."""

from collections.abc import Iterator
from math import isqrt

from gridgen.analysis.lints.case import Case
from gridgen.analysis.lints.deeper import deeper
from gridgen.analysis.lints.finding import Finding, Fix
from gridgen.analysis.receptive import receptive_field
from gridgen.analysis.sizes import smaller_size
from gridgen.grid.layers import shape_text

TENTH = 10
"""The image is so many times what a prediction sees, where that is little. Good networks see less
than all of it: U-Net 13 % of the 572 x 572 that it was published with.
"""


def small_field(case: Case) -> Iterator[Finding]:
    """No prediction depends on as much as a tenth of the image, even in theory."""
    field = receptive_field(case.grid)
    if field is None or _sees_enough(case, field):
        return
    share = _seen(case, field) / (case.image[0] * case.image[1])
    part = f"{share:.1%}" if share > 0.001 else "less than 0.1%"
    seen, image = shape_text((field, field)), shape_text(case.image)
    fact = f"a prediction depends on {seen} of {image} pixels, {part}"
    yield Finding("small-field", ("network",), fact, _fix(case, field))


def _fix(case: Case, field: int) -> Fix:
    found = deeper(case, lambda mended: _sees_enough(mended, receptive_field(mended.grid)))
    return found or _smaller(case, field)


def _smaller(case: Case, field: int) -> Fix:
    """Images, the largest squares, of which the network as it is sees a tenth."""
    side = isqrt(TENTH * field * field)
    size = smaller_size(case.grid.spec, (side, side))
    if size is None:
        return Fix("no setting lets it see more, and no smaller image is possible")
    return Fix(f"train on crops of {shape_text(size)}", size=size)


def _sees_enough(case: Case, field: int | None) -> bool:
    if field is None:
        return True
    height, width = case.image
    return TENTH * _seen(case, field) >= height * width


def _seen(case: Case, field: int) -> int:
    """Pixels of the image that one prediction depends on."""
    height, width = case.image
    return min(field, height) * min(field, width)
