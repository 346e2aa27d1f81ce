"""`gridgen schema`: JSON Schema for editors."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from gridgen.errors import GridgenError, unknown


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
    from gridgen.architectures.schema import spec_schema

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
