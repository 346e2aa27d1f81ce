"""The commands `gridgen list` and `gridgen schema`: names and fields that files may use."""

from typing import Annotated

import typer

from gridgen import registries
from gridgen.cli.terminal import print_json, print_rows


def list_names(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="topologies, units, datasets ...")],
) -> None:
    """List what has a name: topologies, units, fusions, stems, heads, norms, activations,
    architectures, lints, datasets, recipes, inferences, samplers, pruners.
    """
    rows = []
    for name, description in registries.list_names(what).items():
        first, *others = description.split("\n")
        rows += [(name, first), *(("", line) for line in others)]
    print_rows(rows)


def schema(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="spec, study, recipe or inference.")
    ] = "spec",
) -> None:
    """Print the JSON Schema of a YAML file of ours, for completion and checks in an editor."""
    print_json(registries.schema(what))
