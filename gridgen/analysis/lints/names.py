"""The lints by name. Add one as a function and a line here."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from gridgen.analysis.lints.case import Case, Finding
from gridgen.analysis.lints.connections import cut_signal, dead_ends, lost_stream
from gridgen.analysis.lints.image import cropping, padding, small_field
from gridgen.analysis.lints.layers import checkerboard, few_values

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


def lint(case: Case) -> tuple[Finding, ...]:
    """What all lints find; what is the same in several places is one finding that names them all.

    Errors: `SizeError` for a size that the network cannot take.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec(streams=3, columns="1+1", base_channels=8, classes=2))
    >>> [finding] = lint(Case(grid, size=(64, 64)))
    >>> finding.lint, finding.places, finding.fix.settings
    ('checkerboard', ('up_1_1', 'up_0_1'), {'units.upsampling': 'bilinear'})
    """
    merged: dict[tuple[object, ...], Finding] = {}
    for find in LINTS.values():
        for found in find(case):
            key = found.lint, found.fact, found.fix.words, found.fix.flags
            # The same fact in forty connections is worth one line, with all their names.
            before = merged.get(key)
            places = (*before.places, *found.places) if before else found.places
            merged[key] = replace(found, places=tuple(dict.fromkeys(places)))
    return tuple(merged.values())
