"""The commands `gridgen list` and `gridgen schema`: names and fields that files may use."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import typer

from gridgen.cli.terminal import print_rows
from gridgen.errors import GridgenError, unknown

Listing = list[tuple[str, str]]


def list_names(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="topologies, units, datasets ...")],
) -> None:
    """List what has a name: topologies, units, fusions, stems, heads, architectures, lints,
    datasets, recipes, inferences, samplers, pruners.
    """
    if what not in LISTS:
        raise GridgenError(unknown("list", what, LISTS))
    print_rows(LISTS[what]())


def _first_lines(table: Mapping[str, Callable[..., Any]]) -> Listing:
    """Names, each with the first line of its function's docstring."""
    return [(name, (entry.__doc__ or "").split("\n")[0]) for name, entry in table.items()]


def _topologies() -> Listing:
    from gridgen.grid import TOPOLOGIES
    from gridgen.grid.topologies import NOTES

    rows: Listing = []
    for name, line in _first_lines(TOPOLOGIES):
        rows += [(name, line), *([("", NOTES[name])] if name in NOTES else [])]
    return rows


def _units() -> Listing:
    from gridgen.grid import UNITS

    rows: Listing = []
    for kind, units in UNITS.items():
        rows += [(f"{kind}: {name}", line) for name, line in _first_lines(units)]
    return rows


def _fusions() -> Listing:
    from gridgen.grid import FUSIONS

    return [(name, fusion.description) for name, fusion in FUSIONS.items()]


def _stems() -> Listing:
    from gridgen.grid.ends import STEMS

    return _first_lines(STEMS)


def _heads() -> Listing:
    from gridgen.grid.ends import HEADS

    return _first_lines(HEADS)


def _architectures() -> Listing:
    from gridgen.architectures.names import ARCHITECTURES

    rows: Listing = []
    for name, line in _first_lines(ARCHITECTURES):
        settings = ARCHITECTURES[name].settings().items()
        rows += [(name, line), ("", " ".join(f"{field}={value}" for field, value in settings))]
    return rows


def _lints() -> Listing:
    from gridgen.analysis.lints import LINTS

    return _first_lines(LINTS)


def _datasets() -> Listing:
    from gridgen.data import DATASETS

    return [(name, entry.description) for name, entry in DATASETS.items()]


def _recipes() -> Listing:
    from gridgen.training import RECIPES

    return list(RECIPES.items())


def _inferences() -> Listing:
    from gridgen.training.inference import INFERENCES

    return [(name, inference.described()) for name, inference in INFERENCES.items()]


def _samplers() -> Listing:
    from gridgen.study import SAMPLERS

    return _described(SAMPLERS.items())


def _pruners() -> Listing:
    from gridgen.study import PRUNERS

    return _described(PRUNERS.items())


def _described(entries: Iterable[tuple[str, Any]]) -> Listing:
    return [(name, entry.description) for name, entry in entries]


LISTS: dict[str, Callable[[], Listing]] = {
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


def schema(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="spec, study, recipe or inference.")
    ] = "spec",
) -> None:
    """Print the JSON Schema of a YAML file of ours, for completion and checks in an editor."""
    if what not in SCHEMAS:
        raise GridgenError(unknown("schema", what, SCHEMAS))
    print(json.dumps(SCHEMAS[what](), indent=2))


def _spec() -> dict[str, Any]:
    from gridgen.architectures.names import spec_schema

    return spec_schema()


def _study() -> dict[str, Any]:
    from gridgen.study import Study

    return Study.json_schema()


def _recipe() -> dict[str, Any]:
    from gridgen.training import Recipe

    return Recipe.json_schema()


def _inference() -> dict[str, Any]:
    from gridgen.training.inference import Inference

    return Inference.json_schema()


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "spec": _spec,
    "study": _study,
    "recipe": _recipe,
    "inference": _inference,
}
