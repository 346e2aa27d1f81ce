"""What a study asks a supernet to be: its largest network, and the choice of sub-networks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridgen.arguments import PathLike, checked
from gridgen.emit.sharing import LESS
from gridgen.errors import SpecError, UsageError
from gridgen.grid import GridLike, GridSpec, as_grid, build_grid
from gridgen.grid.subtopologies import Subtopology
from gridgen.space.choices import Params
from gridgen.study import Study
from gridgen.study.language.dimensions import Dimension, combinations
from gridgen.training import Recipe, Run, load_recipe, train
from gridgen.training.loop.watch import Watch
from gridgen.training.recipe.supernet import EVERY, Supernet
from gridgen.training.tasks.fitting import RecipeLike

VARIED = ("topology", *LESS)
"""Fields of a spec of which a sub-network may have less."""


@dataclass(frozen=True)
class SupernetPlan:
    """The training that makes a supernet: the whole network, and a recipe with its sub-networks."""

    spec: GridSpec
    recipe: Recipe


@checked
def supernet_of(study: Study) -> SupernetPlan:
    """The supernet whose sub-networks are the networks of a study's space.

    Errors: `SpecError` at the study's field where these are not sub-networks of one grid: another
    field than topology, base_channels and streams varies, or one of the recipe.

    >>> study = Study.parse('''
    ... data: shapes
    ... spec: {classes: 3, streams: 3, columns: 2+2}
    ... space: {topology: [unet, conv-deconv], base_channels: [4, 8]}
    ... recipe: demo
    ... ''')
    >>> supernet_of(study).spec.base_channels
    8
    """
    require_one_grid(study)
    for each in study.dimensions:
        if each.name == "channels":
            fact = "widths of a supernet are those of base_channels"
            raise study.blame(SpecError(f"{fact}; list them there", ("space", each.name)))
        if each.when:
            fact = "a supernet trains every topology in every width"
            raise study.blame(SpecError(f"{fact}; leave out when", ("space", each.name, "when")))
    named, own = study.dimensions.named, study.training.supernet
    widths = _values(named.get("base_channels"))
    base = {"base_channels": max(widths)} if widths else {}
    choices: dict[str, Any] = {"base_channels": [*widths]} if widths else {}
    if study.space.get("topology") == EVERY:
        spec = GridSpec(**study.common | base)
        choices["topologies"] = EVERY
    else:
        spec, kept = _largest(study, base)
        varied = {"topology", "streams"} & named.keys()
        # Where the space says nothing of topologies, a recipe may.
        if varied or own is None or "topologies" not in own.model_fields_set:
            choices["topologies"] = [each.topology.plain() for each in kept]
    supernet = (own or Supernet()).but(**choices)
    return SupernetPlan(supernet.networks(spec).whole, study.training.but(supernet=supernet))


@checked
def train_supernet(
    network: Study | GridLike,
    data: PathLike | None = None,
    recipe: RecipeLike | None = None,
    *,
    folder: PathLike | None = None,
    holdout: str | None = None,
    fold: str | None = None,
    group: str | None = None,
    seed: int = 0,
    init: PathLike | None = None,
    device: str = "auto",
    resume_if_begun: bool = False,
    watch: Watch | None = None,
) -> Run:
    """Train a network whose sub-networks share its weights; a run like that of `train`.

    Of a `Study`, which says how by itself, they are the networks of its space; of a spec all
    sub-topologies, unless the `supernet` of the recipe says otherwise. Errors: as `train` and
    `supernet_of`; `UsageError` where data or recipe are given beside a study, or no data without.
    """
    if isinstance(network, Study):
        given = {"data": data, "recipe": recipe, "holdout": holdout, "fold": fold, "group": group}
        if beside := [name for name, value in given.items() if value is not None]:
            raise UsageError(f"--{beside[0]}: the study says it; leave the option out")
        plan, data = supernet_of(network), network.data
        grid, recipe = build_grid(plan.spec), plan.recipe
        holdout, fold, group = network.holdout, network.fold, network.group
    else:
        if data is None:
            raise UsageError("give --data (gridgen list datasets), or a study")
        grid, recipe = as_grid(network), _with_supernet(recipe)
    return train(
        grid,
        data,
        recipe,
        folder=folder,
        holdout=holdout,
        fold=fold,
        group=group,
        seed=seed,
        init=init,
        device=device,
        resume_if_begun=resume_if_begun,
        watch=watch,
    )


def _with_supernet(recipe: RecipeLike | None) -> RecipeLike:
    """The recipe with its own supernet, or one of all sub-topologies."""
    if recipe is None or isinstance(recipe, Mapping):
        named = recipe or {}
        return {**named, "supernet": named.get("supernet") or {}}
    loaded = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    return loaded if loaded.supernet else loaded.but(supernet={})


def _largest(study: Study, base: dict[str, Any]) -> tuple[GridSpec, list[Subtopology]]:
    """The full grid of most streams, and all topologies, those of fewer streams among them."""
    named = study.dimensions.named
    varied = [named[name] for name in ("streams", "topology") if name in named]
    specs = [_spec(study, params | base) for params in combinations(varied)]
    largest = max(specs, key=lambda each: each.streams).but(topology=None)
    return largest, list(dict.fromkeys(map(Subtopology.of, specs)))


def _spec(study: Study, params: Params) -> GridSpec:
    spec = study.network(study.dimensions.first(**params) | params)
    assert isinstance(spec, GridSpec)
    return spec


def require_one_grid(study: Study) -> None:
    """Refuse a study whose networks are no sub-networks of one grid. Errors: `SpecError`."""
    if study.specs is not None:
        fact = "these are networks of several families, which share no weights"
        raise study.blame(SpecError(f"{fact}; give one grid under spec", ("specs",)))
    if study.match is not None:
        fact = "it gives each network a width of its own, and all are one supernet's"
        raise study.blame(SpecError(f"{fact}; list widths under space.base_channels", ("match",)))
    for each in study.dimensions:
        if each.name not in VARIED:
            fact = f"{each.name} varies, but a supernet's networks differ in {', '.join(VARIED)}"
            raise study.blame(SpecError(f"{fact} alone; fix it", ("space", each.name)))


def _values(dimension: Dimension | None) -> tuple[int, ...]:
    if dimension is None:
        return ()
    return tuple(int(dimension.value(label)) for label in dimension.labels())
