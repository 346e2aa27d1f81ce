"""The commands `gridgen list` and `gridgen schema`: names and fields that files may use."""

from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Annotated, Any

import typer

from gridgen.cli.terminal import print_json, print_rows
from gridgen.errors import GridgenError, unknown

Listing = list[tuple[str, str]]


def list_names(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="topologies, units, datasets ...")],
) -> None:
    """List what has a name: topologies, units, fusions, stems, heads, norms, activations,
    architectures, lints, datasets, recipes, inferences, samplers, pruners.
    """
    if what not in LISTS:
        raise GridgenError(unknown("list", what, LISTS))
    made = LISTS[what]
    print_rows(_described(resolve_name(made)) if isinstance(made, str) else made())


def _topologies() -> Listing:
    from gridgen.grid.topologies import NOTES, TOPOLOGIES

    rows: Listing = []
    for name, line in _described(TOPOLOGIES):
        rows += [(name, line), *([("", NOTES[name])] if name in NOTES else [])]
    return rows


def _units() -> Listing:
    from gridgen.grid import UNITS

    return [row for kind, units in UNITS.items() for row in _described(units, f"{kind}: ")]


def _architectures() -> Listing:
    from gridgen.architectures.names import ARCHITECTURES

    rows: Listing = []
    for name, line in _described(ARCHITECTURES):
        settings = ARCHITECTURES[name].settings().items()
        rows += [(name, line), ("", " ".join(f"{field}={value}" for field, value in settings))]
    return rows


def _inferences() -> Listing:
    from gridgen.training.inference import INFERENCES

    return [(name, inference.described()) for name, inference in INFERENCES.items()]


def _described(table: Mapping[str, Any], before: str = "") -> Listing:
    """Names, each with what its entry says of itself."""
    return [(f"{before}{name}", _description(entry)) for name, entry in table.items()]


def _description(entry: Any) -> str:
    """The entry itself, its description, or the first line of its docstring."""
    if isinstance(entry, str):
        return entry
    return getattr(entry, "description", None) or (entry.__doc__ or "").split("\n")[0]


LISTS: dict[str, str | Callable[[], Listing]] = {
    "topologies": _topologies,
    "units": _units,
    "fusions": "gridgen.grid:FUSIONS",
    "stems": "gridgen.grid.ends:STEMS",
    "heads": "gridgen.grid.ends:HEADS",
    "norms": "gridgen.grid.styles:NORMS",
    "activations": "gridgen.grid.styles:ACTIVATIONS",
    "architectures": _architectures,
    "lints": "gridgen.analysis.lints:LINTS",
    "datasets": "gridgen.data:DATASETS",
    "recipes": "gridgen.training:RECIPES",
    "inferences": _inferences,
    "samplers": "gridgen.study:SAMPLERS",
    "pruners": "gridgen.study:PRUNERS",
}
"""What makes each list, or where its table is, which is imported only when it is asked for."""


def schema(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="spec, study, recipe or inference.")
    ] = "spec",
) -> None:
    """Print the JSON Schema of a YAML file of ours, for completion and checks in an editor."""
    if what not in SCHEMAS:
        raise GridgenError(unknown("schema", what, SCHEMAS))
    print_json(resolve_name(SCHEMAS[what])())


SCHEMAS = {
    "spec": "gridgen.architectures.names:spec_schema",
    "study": "gridgen.study:Study.json_schema",
    "recipe": "gridgen.training:Recipe.json_schema",
    "inference": "gridgen.training.inference:Inference.json_schema",
}
"""Where the function is that makes each schema."""
