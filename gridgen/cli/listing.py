"""`gridgen list`: the names that specs, studies and flags accept."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import typer

from gridgen.cli.terminal import report
from gridgen.errors import GridgenError, unknown

Lines = list[tuple[str, str]]


def list_names(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="topologies, units, datasets ...")],
) -> None:
    """List what has a name: topologies, units, fusions, stems, heads, architectures, lints,
    datasets, recipes, inferences, samplers, pruners.
    """
    if what not in LISTS:
        raise GridgenError(unknown("list", what, LISTS))
    report(LISTS[what]())


def _first_lines(table: Mapping[str, Callable[..., Any]]) -> Lines:
    """Names, each with the first line of its function's docstring."""
    return [(name, (entry.__doc__ or "").split("\n")[0]) for name, entry in table.items()]


def _topologies() -> Lines:
    from gridgen.grid import TOPOLOGIES
    from gridgen.grid.topologies import NOTES

    rows: Lines = []
    for name, line in _first_lines(TOPOLOGIES):
        rows += [(name, line), *([("", NOTES[name])] if name in NOTES else [])]
    return rows


def _units() -> Lines:
    from gridgen.grid import UNITS

    rows: Lines = []
    for kind, units in UNITS.items():
        rows += [(f"{kind}: {name}", line) for name, line in _first_lines(units)]
    return rows


def _fusions() -> Lines:
    from gridgen.grid import FUSIONS

    return [(name, fusion.description) for name, fusion in FUSIONS.items()]


def _stems() -> Lines:
    from gridgen.grid.ends import STEMS

    return _first_lines(STEMS)


def _heads() -> Lines:
    from gridgen.grid.ends import HEADS

    return _first_lines(HEADS)


def _architectures() -> Lines:
    from gridgen.architectures.names import ARCHITECTURES

    rows: Lines = []
    for name, line in _first_lines(ARCHITECTURES):
        settings = ARCHITECTURES[name].settings().items()
        rows += [(name, line), ("", " ".join(f"{field}={value}" for field, value in settings))]
    return rows


def _lints() -> Lines:
    from gridgen.analysis.lints import LINTS

    return _first_lines(LINTS)


def _datasets() -> Lines:
    from gridgen.data import DATASETS

    return [(name, entry.description) for name, entry in DATASETS.items()]


def _recipes() -> Lines:
    from gridgen.training import RECIPES

    return list(RECIPES.items())


def _inferences() -> Lines:
    from gridgen.training.inference import INFERENCES

    return [(name, inference.described()) for name, inference in INFERENCES.items()]


def _samplers() -> Lines:
    from gridgen.study import SAMPLERS

    return _described(SAMPLERS.items())


def _pruners() -> Lines:
    from gridgen.study import PRUNERS

    return _described(PRUNERS.items())


def _described(entries: Iterable[tuple[str, Any]]) -> Lines:
    return [(name, entry.description) for name, entry in entries]


LISTS: dict[str, Callable[[], Lines]] = {
    "topologies": _topologies,
    "units": _units,
    "fusions": _fusions,
    "stems": _stems,
    "heads": _heads,
    "architectures": _architectures,
    "lints": _lints,
    "datasets": _datasets,
    "recipes": _recipes,
    "inferences": _inferences,
    "samplers": _samplers,
    "pruners": _pruners,
}
