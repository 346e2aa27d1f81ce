"""What has a name: each registry by its own name, what its entries say, and schemas of files."""

from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Any

from gridgen.arguments import checked
from gridgen.errors import UsageError, unknown


@checked
def list_names(what: str) -> dict[str, str]:
    """The names of a registry such as `topologies`, each with a line or two on what it is.

    >>> list_names("fusions")["concat"]
    "concatenated, then a 1x1 convolution to the map's channels"

    Errors: `UsageError` for another registry, which names them all.
    """
    if what not in REGISTRIES:
        raise UsageError(unknown("list", what, REGISTRIES))
    found = REGISTRIES[what]
    return _described(resolve_name(found)) if isinstance(found, str) else found()


def _topologies() -> dict[str, str]:
    from gridgen.grid.topologies import NOTES, TOPOLOGIES

    described = _described(TOPOLOGIES)
    return {name: f"{line}\n{NOTES.get(name, '')}".rstrip() for name, line in described.items()}


def _units() -> dict[str, str]:
    from gridgen.grid import UNITS

    return {
        f"{kind}: {name}": line
        for kind, units in UNITS.items()
        for name, line in _described(units).items()
    }


def _architectures() -> dict[str, str]:
    from gridgen.architectures.names import ARCHITECTURES

    described = {}
    for name, line in _described(ARCHITECTURES).items():
        settings = (f"{field}={value}" for field, value in ARCHITECTURES[name].settings().items())
        described[name] = f"{line}\n{' '.join(settings)}"
    return described


def _datasets() -> dict[str, str]:
    from gridgen.data import DATASETS

    return {
        name: f"{entry.description}\nrecipe {entry.recipe}{', fitted to its images' * entry.fitted}"
        for name, entry in DATASETS.items()
    }


def _inferences() -> dict[str, str]:
    from gridgen.training.inference import INFERENCES

    return {name: inference.described() for name, inference in INFERENCES.items()}


def _described(table: Mapping[str, Any]) -> dict[str, str]:
    return {name: _description(entry) for name, entry in table.items()}


def _description(entry: Any) -> str:
    """The entry itself, its description, or the first line of its docstring."""
    if isinstance(entry, str):
        return entry
    return getattr(entry, "description", None) or (entry.__doc__ or "").split("\n")[0]


REGISTRIES: dict[str, str | Callable[[], dict[str, str]]] = {
    "topologies": _topologies,
    "units": _units,
    "fusions": "gridgen.grid:FUSIONS",
    "stems": "gridgen.grid.ends:STEMS",
    "heads": "gridgen.grid.ends:HEADS",
    "norms": "gridgen.grid.styles:NORMS",
    "activations": "gridgen.grid.styles:ACTIVATIONS",
    "architectures": _architectures,
    "lints": "gridgen.analysis.lints:LINTS",
    "datasets": _datasets,
    "recipes": "gridgen.training:RECIPES",
    "tasks": "gridgen.training.tasks:TASKS",
    "losses": "gridgen.training.recipe.losses:LOSSES",
    "optimizers": "gridgen.training.recipe.sections:OPTIMIZERS",
    "schedules": "gridgen.training.recipe.sections:SCHEDULES",
    "augmentations": "gridgen.training.recipe:Augmentation.model_fields",
    "inferences": _inferences,
    "layouts": "gridgen.layouts:LAYOUTS",
    "exporters": "gridgen.export:EXPORTERS",
    "samplers": "gridgen.study:SAMPLERS",
    "pruners": "gridgen.study:PRUNERS",
    "baselines": "gridgen.study:BASELINES",
}
"""What makes each list, or where its table is, which is imported only when it is asked for."""


@checked
def schema(what: str = "spec") -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a YAML file: spec, study, recipe or inference.

    Errors: `UsageError` for another kind of file.
    """
    if what not in SCHEMAS:
        raise UsageError(unknown("schema", what, SCHEMAS))
    found: dict[str, Any] = resolve_name(SCHEMAS[what])()
    return found


SCHEMAS = {
    "spec": "gridgen.architectures.names:spec_schema",
    "study": "gridgen.study:Study.json_schema",
    "recipe": "gridgen.training:Recipe.json_schema",
    "inference": "gridgen.training.inference:Inference.json_schema",
}
"""Where the function is that makes each schema."""
