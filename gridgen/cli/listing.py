"""The commands `gridgen list`, `schema` and `new`: names and fields to use in files, and files."""

import shlex
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from gridgen import registries
from gridgen.cli.terminal import print_json, print_rows, print_wrapped_rows
from gridgen.project import README, new_project


def list_names(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="topologies, units, datasets ...")],
) -> None:
    """List what has a name: topologies, units, fusions, stems, heads, norms, activations,
    architectures, lints, datasets, recipes, tasks, losses, optimizers, schedules, augmentations,
    inferences, layouts, exporters, samplers, pruners, baselines.
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


def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or empty one.")],
) -> None:
    """Copy the specs, studies, recipes, images and weights that come with gridgen into a folder."""
    names = [path.relative_to(folder) for path in new_project(folder)]
    rows = [
        (kind, ", ".join(str(name.relative_to(kind)) for name in members))
        for kind, members in groupby(names, lambda name: name.parts[0])
        if kind != README
    ]
    rows += [("next", f"cd {shlex.quote(str(folder))}, and try the commands in {README}")]
    print_wrapped_rows([*rows, ("wrote", str(folder / README))])
