"""What a study must hold beside the form of its fields: names that exist, choices that fit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gridgen.errors import SpecError, unknown
from gridgen.space.choices import FieldPath, Params
from gridgen.spec import GridSpec
from gridgen.study.language.dimensions import RECIPE, SPECS, Dimension, SearchSpace
from gridgen.study.language.objectives import further_scores
from gridgen.study.methods import BASELINES, PRUNERS, SAMPLERS
from gridgen.training import Recipe
from gridgen.training.recipe import changed_recipe
from gridgen.training.recipe.extending import EXTENDS
from gridgen.training.tasks import objectives

VARYING = tuple(name for name in Recipe.model_fields if name != EXTENDS)
"""Fields of a recipe that a space may name; what a recipe extends is read before it varies."""
MOST_CHECKED = 1_000
"""Values of a field that are each tried before a search; of more, the first and the last."""


def require_names(field: str, value: Any) -> None:
    """Check the names that a field of a study has. Errors: `SpecError`, `ValueError`."""
    if field == "objective":
        return _require_objective(value)
    if field == "baselines":
        for index, name in enumerate(value):
            if name not in BASELINES:
                raise SpecError(unknown("baseline", name, BASELINES), (field, index))
        return None
    known = {"sampler": (*SAMPLERS,), "pruner": (*PRUNERS,)}[field]
    if value not in known:
        raise ValueError(unknown(field, value, known))
    if field == "sampler" and SAMPLERS[value].missing:
        needed = SAMPLERS[value].needs
        raise ValueError(f"{value} needs {needed}; pip install 'gridgen[{value}]'")
    return None


def require_one_score(seeds: Sequence[int], pruner: str) -> None:
    """Check what a study with a supernet asks of it. Errors: `SpecError`."""
    if len(seeds) > 1:
        raise SpecError("a supernet gives one score; set seeds: 1", ("seeds",))
    if pruner != "none":
        raise SpecError("a supernet trains nothing to prune; set pruner: none", ("pruner",))


def require_prefilter(sampler: str, against: Iterable[str], timed: bool) -> None:
    """Check that candidates can be chosen by exact costs; `timed`: their latency is measured.
    Errors: `SpecError`.
    """
    fact = ""
    if SAMPLERS[sampler].make is None:
        fact = (
            f"sampler {sampler} trains every candidate; remove prefilter, or take another sampler"
        )
    elif scores := further_scores(against):
        fact = f"costs predict the objective alone; remove prefilter, or {scores[0]} from against"
    elif timed:
        fact = "latency would be measured of many candidates a trial; remove prefilter or latency"
    if fact:
        raise SpecError(fact, ("prefilter",))


def require_confirmed(recipe: Recipe, confirmed: Mapping[str, Any]) -> None:
    """Check that a recipe can be changed as confirmations ask for. Errors: `SpecError`."""
    try:
        changed_recipe(recipe, confirmed)
    except SpecError as error:
        raise SpecError(str(error), ("confirm", "recipe")) from error


def _require_objective(name: str) -> None:
    """Classes are known with the data alone."""
    if name.split(".")[0] not in objectives():
        raise ValueError(unknown("objective", name, objectives()))


def require_choices(
    dimensions: SearchSpace,
    network: Callable[[Params], Any],
    recipe: Callable[[Params], Any],
) -> None:
    """Check that every choice makes a valid network and recipe beside the first of all others.

    Errors: `SpecError` with the field of the choice at fault, or of what all candidates share.
    """
    _require_fields(dimensions)
    dimensions.require_order()
    for dimension in dimensions:
        beside = dimensions.where_active(dimension)
        for key, given in _tried(dimension):
            point = beside | {dimension.name: given}
            keys = {each.name: each.key_of(point[each.name]) for each in dimensions.among(point)}
            keys[dimension.name] = key
            try:
                network(point)
            except SpecError as error:
                raise relocated(error, dimensions, keys) from error
            try:
                recipe(point)
            except SpecError as error:
                raise relocated(error, dimensions, keys, RECIPE) from error


# The first and the last stand for a list of thousands, which only `every` makes.
def _tried(dimension: Dimension) -> list[tuple[str | int, Any]]:
    ends = dimension.ends()
    return ends if len(ends) <= MOST_CHECKED else [ends[0], ends[-1]]


def _require_fields(dimensions: SearchSpace) -> None:
    """Fields of specs or of the recipe vary, and none both as a whole and in part."""
    for each in dimensions:
        if each.name == SPECS and each.place != (SPECS,):
            raise SpecError("specs vary under specs, beside space; move them there", each.place)
        name = each.name.removeprefix(RECIPE)
        first, *path = name.split(".")
        whole = f"{RECIPE * each.of_recipe}{first}"
        if each.of_spec and SPECS not in dimensions.named and first not in GridSpec.model_fields:
            raise SpecError(unknown("spec field", name, GridSpec.model_fields), each.place)
        if each.of_recipe and first not in VARYING:
            raise SpecError(unknown("recipe field", name, VARYING), each.place)
        if path and whole in dimensions.named:
            raise SpecError(f"{whole} varies as a whole already; remove one", each.place)


def relocated(
    error: SpecError, dimensions: SearchSpace, keys: dict[str, str | int], prefix: str = ""
) -> SpecError:
    """An error in the spec or recipe of a point, placed at the field of the study that caused it.

    `keys` say where the value of each dimension stands among its choices.
    """
    named = ".".join(str(part) for part in error.field)
    fact = str(error).splitlines()[0].removeprefix(f"{named}: ").removeprefix(f"{GridSpec.kind}: ")
    return SpecError(fact, _origin(error.field, dimensions, keys, prefix))


def _origin(
    field: FieldPath, dimensions: SearchSpace, keys: dict[str, str | int], prefix: str
) -> FieldPath:
    for name, key in keys.items():
        dimension = dimensions.named[name]
        if dimension.of_recipe != bool(prefix) or name == SPECS:
            continue
        path = tuple(name.removeprefix(prefix).split("."))
        if field[: len(path)] == path:
            return (*dimension.place, key, *field[len(path) :])
        if field and field == path[: len(field)]:
            return dimension.place
    if prefix:
        return ("recipe", *field)
    if SPECS in keys:
        return (SPECS, keys[SPECS])
    return ("spec", *field)
