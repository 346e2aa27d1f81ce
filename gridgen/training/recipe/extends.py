"""`extends` in a recipe: the fields of another one, and over them those that a file gives."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from gridgen.errors import SpecError, unknown
from gridgen.spec import Source

RECIPES = {
    "paper": "section 4: Adam with Torch7's decay, crops of 400 to 1024 pixels, 1900 epochs",
    "modern": "AdamW, warm-up and cosine, smoothing, class weights, colour changes, EMA, bf16",
    "camvid-small": "modern, at half of CamVid's size, twenty minutes on a CPU",
    "demo": "small crops, Adam, a minute or two on a CPU; for nuclei",
    "denoising": "crops that are never resized, a minute or two on a CPU; for denoising",
    "shapes": "whole pictures of 64x64, some minutes on a CPU; for shapes",
}
"""Those that come with gridgen, each a YAML file of its own."""

SUFFIXES = (".yaml", ".yml")
EXTENDS = "extends"
# The field of a section that says which kind it is; another kind has other fields.
NAME = "name"


def source_of(name: str | Path) -> Source:
    """The text of the recipe called `name`, or of the YAML file at that path.

    Errors: `SpecError`.
    """
    if str(name) in RECIPES:
        shipped = files("gridgen.training").joinpath("recipes", f"{name}.yaml")
        return Source.parse(shipped.read_text("utf-8"), f"recipe {name}")
    if not Path(name).is_file():
        if Path(name).suffix in SUFFIXES:
            raise SpecError(f"{name}: no such file")
        raise SpecError(
            f"{unknown('recipe', str(name), RECIPES)}; the path of a YAML file works too"
        )
    return Source.read(name)


def located(source: Source) -> Source:
    """`source` with the path that it extends made to start from its own folder."""
    name = source.data.get(EXTENDS)
    beside = Path(source.name).parent / str(name)
    if not isinstance(name, str) or name in RECIPES or not Path(source.name).is_file():
        return source
    return replace(source, data={**source.data, EXTENDS: str(beside)})


def completed(fields: Any, below: tuple[str, ...] = ()) -> Any:
    """`fields` over those of what they extend; recipes `below` extend this one.

    Errors: `SpecError` at `extends`.
    """
    if not isinstance(fields, Mapping) or fields.get(EXTENDS) is None:
        return fields
    name, own = fields[EXTENDS], {k: v for k, v in fields.items() if k != EXTENDS}
    if not isinstance(name, str):
        raise SpecError("name a recipe, or a YAML file", (EXTENDS,))
    # A file is one file, however the path to it grew on the way around.
    places = [Path(each).resolve() for each in below]
    if (place := Path(name).resolve()) in places:
        circle = " extends ".join([*below[places.index(place) :], name])
        raise SpecError(f"{circle}: a circle; break it", (EXTENDS,))
    try:
        above = completed(located(source_of(name)).data, (*below, name))
    except SpecError as error:
        raise SpecError(str(error), (EXTENDS,)) from error
    return over(above, own)


def over(above: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` fields over those `above`; a section is merged unless it is of another kind.

    >>> above = {"batch": 4, "optimizer": {"name": "sgd", "momentum": 0.9}}
    >>> over(above, {"optimizer": {"momentum": 0.8}})
    {'batch': 4, 'optimizer': {'name': 'sgd', 'momentum': 0.8}}
    >>> over(above, {"optimizer": {"name": "adam"}})
    {'batch': 4, 'optimizer': {'name': 'adam'}}
    """
    merged = dict(above)
    for field, value in own.items():
        before = above.get(field)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            value = _section(before, value)
        merged[field] = value
    return merged


def _section(above: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    same_kind = own.get(NAME, above.get(NAME)) == above.get(NAME)
    return over(above, own) if same_kind else dict(own)
