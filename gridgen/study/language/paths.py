"""Paths in a study's file go out from the file's folder, wherever the search is begun."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from gridgen.data.datasets import DATASETS
from gridgen.files import is_file
from gridgen.spec import Source
from gridgen.spec.source import YAML_SUFFIXES
from gridgen.training.recipe.extending import RECIPES, extended


def beside(source: Source) -> Source:
    """`source` with the paths of data, recipe and specs as seen from here, its recipe extended.

    What is not of the right type is left to the checks of fields. Errors: `SpecError`.
    """
    folder = Path(source.name).parent if is_file(source.name) else Path()
    paths = {"data": _data, "recipe": _recipe, "specs": _specs, "supernet": _run}
    paths["latency"] = _latency
    found = {name: paths[name](source.data[name], folder) for name in paths & source.data.keys()}
    return extended(replace(source, data={**source.data, **found}), "recipe")


def _data(name: Any, folder: Path) -> Any:
    """A folder, or `NAME:PATH`; names of datasets are left alone."""
    if not isinstance(name, str) or name in DATASETS:
        return name
    known, colon, path = name.partition(":")
    if colon and known in DATASETS:
        return f"{known}:{folder / path}"
    return str(folder / name)


def _recipe(name: Any, folder: Path) -> Any:
    """A file; what is neither one nor a name is left as it was written."""
    if not isinstance(name, str) or name in RECIPES:
        return name
    path = folder / name
    return str(path) if path.exists() or path.suffix in YAML_SUFFIXES else name


def _run(name: Any, folder: Path) -> Any:
    return str(folder / name) if isinstance(name, str) else name


def _latency(section: Any, folder: Path) -> Any:
    if not isinstance(section, dict) or not isinstance(section.get("table"), str):
        return section
    return {**section, "table": str(folder / section["table"])}


def _specs(names: Any, folder: Path) -> Any:
    """YAML files; names of architectures are left alone."""
    if not isinstance(names, list):
        return names
    return [_spec(name, folder) for name in names]


def _spec(name: Any, folder: Path) -> Any:
    is_path = isinstance(name, str) and Path(name).suffix in YAML_SUFFIXES
    return str(folder / name) if is_path else name
