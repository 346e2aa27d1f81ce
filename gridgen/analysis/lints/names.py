"""The lints by name. Add one as a function and a line here."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from gridgen.analysis.lints.case import PAPER_BATCH, Case, Finding
from gridgen.analysis.lints.connections import cut_signal, dead_ends, lost_stream
from gridgen.analysis.lints.image import cropping, padding, small_field
from gridgen.analysis.lints.layers import checkerboard, few_values
from gridgen.analysis.sizes import SizeLike, as_size
from gridgen.arguments import checked
from gridgen.grid import GridLike, as_grid

Lint = Callable[[Case], Iterable[Finding]]

LINTS: dict[str, Lint] = {
    "checkerboard": checkerboard,
    "few-values": few_values,
    "small-field": small_field,
    "dead-ends": dead_ends,
    "lost-stream": lost_stream,
    "cut-signal": cut_signal,
    "padding": padding,
    "cropping": cropping,
}


@checked
def lint(
    grid: GridLike, size: SizeLike | None = None, batch: int = PAPER_BATCH
) -> tuple[Finding, ...]:
    """What all lints find in a network that is trained on such batches of images.

    `size` is theirs (height, width), by default the one that `count` counts for. What is the same
    in several places is one finding that names them all. Errors: `SizeError` for a size that the
    network cannot take; `UsageError` for a batch below 1.

    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=3, columns="1+1", base_channels=8, classes=2)
    >>> [finding] = lint(spec, size=(64, 64))
    >>> finding.lint, finding.places, finding.fix.settings
    ('checkerboard', ('up_1_1', 'up_0_1'), {'units.upsampling': 'bilinear'})
    """
    return lint_case(Case(as_grid(grid), as_size(size), batch))


def lint_case(case: Case) -> tuple[Finding, ...]:
    """What `lint` finds in a case."""
    merged: dict[tuple[object, ...], Finding] = {}
    for find in LINTS.values():
        for found in find(case):
            key = found.lint, found.fact, found.fix.words, found.fix.flags
            # The same fact in forty connections is worth one line, with all their names.
            before = merged.get(key)
            places = (*before.places, *found.places) if before else found.places
            merged[key] = replace(found, places=tuple(dict.fromkeys(places)))
    return tuple(merged.values())
