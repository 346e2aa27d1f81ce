"""`gridgen schema`: JSON Schema for editors."""

import json
from typing import Annotated, Literal

import typer

from gridgen.grid.schema import spec_schema


def schema(
    what: Annotated[
        Literal["spec", "study", "recipe"], typer.Argument(help="spec, study or recipe.")
    ] = "spec",
) -> None:
    """Print the JSON Schema of a YAML file of ours, for completion and checks in an editor."""
    if what == "spec":
        print(json.dumps(spec_schema(), indent=2))
        return
    from gridgen.study import Study
    from gridgen.training import Recipe

    model = Study if what == "study" else Recipe
    print(json.dumps(model.model_json_schema(), indent=2))
