"""The nearest network, of those that a spec can describe, that sees more of the image."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from gridgen.analysis.lints.case import Case
from gridgen.analysis.lints.columns import as_written
from gridgen.analysis.lints.finding import Fix
from gridgen.analysis.sizes import larger_size
from gridgen.errors import SpecError
from gridgen.grid import Architecture
from gridgen.grid.tracing import Size
from gridgen.spec import GridSpec, NetworkSpec
from gridgen.spec.gridspec import MAX_STREAMS, Column

Change = Mapping[str, Any]
MORE_COLUMNS = 2
MORE = 32
"""How far the whole numbers of a published network are raised."""


def deeper(case: Case, enough: Callable[[Case], bool]) -> Fix | None:
    """The first change after which `enough` holds; None where none does."""
    for change in _changes(case.grid.spec):
        fix = _fitted(case, change)
        if fix is not None and enough(case.mended(fix)):
            return fix
    return None


def _fitted(case: Case, change: Change) -> Fix | None:
    """The change, with a size that the network then takes; None where it makes no network."""
    try:
        spec = case.mended(Fix("", change)).grid.spec
    except SpecError:
        return None
    return Fix(f"go deeper: {spec.title}, {spec.shape}", change, size=_legal(spec, case.size))


def _legal(spec: NetworkSpec, size: Size | None) -> Size | None:
    """A size that has to take the place of `size`; None where that can stay."""
    if size is None or spec.size in ("pad", "resize"):
        return None
    larger = larger_size(spec, size)
    return None if larger == size else larger


def _changes(spec: NetworkSpec) -> Iterator[Change]:
    """Changes of a spec that may let it see more, the smallest first."""
    if isinstance(spec, GridSpec):
        yield from _grid_changes(spec)
    if isinstance(spec, Architecture):
        numbers = [name for name, default in spec.settings().items() if type(default) is int]
        for name in numbers:
            if name not in ("in_channels", "classes"):
                yield from ({name: getattr(spec, name) + more} for more in range(1, MORE + 1))


def _grid_changes(spec: GridSpec) -> Iterator[Change]:
    """Step by step: a stream more, a column more at each end, all connections."""
    whole: list[Change] = [{}]
    if spec.topology not in (None, "gridnet"):
        whole.append({"topology": "gridnet"})
    for steps in range(1, MAX_STREAMS + MORE_COLUMNS):
        for all_kept, columns in product(whole, range(MORE_COLUMNS + 1)):
            streams = steps - columns - len(all_kept)
            if streams >= 0:
                yield {**_more_streams(spec, streams), **_more_columns(spec, columns), **all_kept}


def _more_streams(spec: GridSpec, more: int) -> Change:
    if not more:
        return {}
    change: dict[str, Any] = {"streams": spec.streams + more}
    for name in ("channels", "side_channels"):
        given = getattr(spec, name)
        if given is not None:
            last = (given or spec.stream_channels)[-1]
            change[name] = [*given, *(last << i for i in range(1, more + 1))]
    return change


def _more_columns(spec: GridSpec, more: int) -> Change:
    if not more:
        return {}
    sub: Column = "sub"
    up: Column = "up"
    return {"columns": as_written((sub,) * more + spec.columns + (up,) * more)}
