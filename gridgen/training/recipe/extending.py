"""The recipes that come along, and what a recipe extends. Merges files; checks no fields."""

import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from gridgen.arguments import PathLike
from gridgen.errors import SpecError, unknown
from gridgen.files import is_file
from gridgen.spec import Source
from gridgen.spec.source import YAML_SUFFIXES
from gridgen.training.inference import INFERENCES
from gridgen.training.recipe.sections import spelt_out

RECIPES = {
    "paper": "section 4: Adam with Torch7's decay, crops of 400 to 1024 pixels, 1900 epochs",
    "modern": "AdamW, warm-up and cosine, smoothing, class weights, colour changes, EMA, bf16",
    "camvid-small": "modern, at half of CamVid's size, twenty minutes on a CPU",
    "demo": "small crops, Adam, half a minute to two on a CPU; for nuclei",
    "denoising": "crops that are never resized, a minute or two on a CPU; for denoising",
    "shapes": "whole pictures of 64x64, some minutes on a CPU; for shapes",
}
"""The recipes that come with gridgen, each a YAML file of its own, and a line on each."""

EXTENDS = "extends"
MOST_EXTENDED = 16
NAMED = ("optimizer", "schedule", "loss")
"""Fields whose sections are of several kinds, which have other fields."""


def source_of(name: PathLike) -> Source:
    """The text of the recipe called `name`, or of the YAML file at that path.

    Errors: `SpecError`.
    """
    _require_recipe(name)
    if str(name) not in RECIPES:
        return Source.read(name)
    shipped = files("gridgen.training").joinpath("recipes", f"{name}.yaml")
    return Source.parse(shipped.read_text("utf-8"), f"recipe {name}")


def _require_recipe(name: PathLike) -> None:
    # What is there and no file is told so where it is read.
    if str(name) in RECIPES or os.path.exists(name):
        return
    if Path(name).suffix in YAML_SUFFIXES:
        raise SpecError(f"{name}: no such file")
    raise SpecError(unknown("recipe or YAML file", str(name), RECIPES))


def extended(source: Source, section: str | None = None, below: tuple[str, ...] = ()) -> Source:
    """`source`, the fields of its recipe over those of what that extends, be it a file beside it.

    The recipe is in a `section` of the file, or the whole of it. Recipes `below` extend this one.
    Errors: `SpecError` at the line of `extends`.
    """
    extending = () if section is None else (section,)
    fields = source.data if section is None else source.data.get(section)
    folder = Path(source.name).parent if is_file(source.name) else Path()
    try:
        place = _extended_place(fields, folder, below)
    except SpecError as error:
        raise SpecError(source.at((*extending, EXTENDS), str(error))) from error
    if place is None:
        return source
    base = extended(source_of(place), below=(*below, place))
    try:
        whole = over(base.data, _without_extends(fields))
    except SpecError as error:
        raise SpecError(source.at((*extending, *error.field), str(error))) from error
    data = whole if section is None else {**source.data, section: whole}
    return replace(source, data=data, base=base, extending=extending)


def completed(fields: Any) -> Any:
    """`fields` from Python over those of what they extend. Errors: `SpecError`."""
    try:
        place = _extended_place(fields)
    except SpecError as error:
        raise SpecError(str(error), (EXTENDS,)) from error
    if place is None:
        return fields
    return over(extended(source_of(place), below=(place,)).data, _without_extends(fields))


def _extended_place(fields: Any, folder: Path = Path(), below: tuple[str, ...] = ()) -> str | None:
    """What `fields` extend: a recipe's name, or a path from `folder`. Errors: `SpecError`."""
    name = fields.get(EXTENDS) if isinstance(fields, Mapping) else None
    if name is None:
        return None
    if not isinstance(name, str):
        raise SpecError("name a recipe, or a YAML file")
    if len(below) >= MOST_EXTENDED:
        raise SpecError(f"over {MOST_EXTENDED} recipes extend each other; join some")
    name = name if name in RECIPES else str(folder / name)
    # A file is one file, however the path to it grew on the way around.
    places = [Path(each).resolve() for each in below]
    if (place := Path(name).resolve()) in places:
        circle = " extends ".join([*below[places.index(place) :], name])
        raise SpecError(f"{circle}: a circle; break it")
    _require_recipe(name)
    return name


def _without_extends(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != EXTENDS}


def over(above: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` fields over those `above`; a section is merged unless it is of another kind, be it
    its name alone, or a list of one.

    >>> above = {"batch": 4, "optimizer": {"name": "sgd", "momentum": 0.9}}
    >>> over(above, {"optimizer": {"momentum": 0.8}})
    {'batch': 4, 'optimizer': {'name': 'sgd', 'momentum': 0.8}}
    >>> over(above, {"optimizer": {"name": "adam"}})
    {'batch': 4, 'optimizer': {'name': 'adam'}}

    Errors: `SpecError` for a part of a section where there is a list of several.
    """
    merged = dict(above)
    for field, value in own.items():
        before = _section(field, above.get(field))
        section = spelt_out(value) if field in NAMED else value
        if isinstance(section, Mapping) and isinstance(before, Mapping):
            kind = before.get("name")
            value = over(before, section) if section.get("name", kind) == kind else dict(section)
        elif isinstance(section, Mapping) and _is_list(before) and "name" not in section:
            raise SpecError(f"there are {len(before)} above; write the whole list", (field,))
        merged[field] = value
    return merged


def _section(field: str, value: Any) -> Any:
    """The section that a field stands for: of a list of one, and of a name."""
    if field == "inference" and isinstance(value, str) and value in INFERENCES:
        return INFERENCES[value].plain()
    if field not in NAMED:
        return value
    return spelt_out(value[0] if _is_list(value) and len(value) == 1 else value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
