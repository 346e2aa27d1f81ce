"""The study: what a search varies, what a candidate may cost, how it is trained and scored."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from gridgen.architectures import load_spec
from gridgen.architectures.load import spec_of
from gridgen.arguments import PathLike, checked
from gridgen.data.subsets import FoldField
from gridgen.errors import SpecError
from gridgen.space import Budget, Match, matched
from gridgen.space.choices import ChoiceLabel, Params
from gridgen.spec import Document, GridSpec, NetworkSpec, Source
from gridgen.spec.network import merged
from gridgen.study.language import checking
from gridgen.study.language.dimensions import RECIPE, SPECS, SearchSpace, require_different
from gridgen.study.language.objectives import AgainstField, offer_objectives, require_against
from gridgen.study.language.paths import beside
from gridgen.study.language.sections import Confirm, Prefilter, RecipeField, Seed, Seeds, Stop
from gridgen.study.language.varied import VariedField, dimensions_of, named_specs
from gridgen.study.trials import Objectives, objectives_of
from gridgen.training import Recipe, load_recipe
from gridgen.training.loop.latency import LatencySetting
from gridgen.training.recipe import setting_of
from gridgen.training.recipe.recipe import changed_recipe
from gridgen.training.recipe.supernet import EVERY
from gridgen.training.tasks import objectives
from gridgen.training.tasks.fitting import RecipeLike


class Study(Document):
    """A search over networks and how they are trained.

    >>> study = Study.parse('''
    ... data: shapes
    ... spec: {classes: 3, columns: 2+2}
    ... space:
    ...   streams: [2, 3]
    ...   base_channels: {low: 4, high: 8, step: 4}
    ...   recipe.learning_rate: {low: 1e-3, high: 1e-2, log: true}
    ... budget: {parameters: 50000}
    ... recipe: demo
    ... ''')
    >>> study.network({"streams": 2, "base_channels": 8}).shape
    '2 streams, 2+2 columns, F0 = 8'
    >>> study.recipe_of({"recipe.learning_rate": 0.004}).learning_rate
    0.004
    """

    kind: ClassVar[str] = "study"

    if TYPE_CHECKING:  # what is accepted, of which the fields below hold one form

        def __init__(self, *, data: PathLike, recipe: RecipeLike, **fields: Any) -> None: ...

    data: str = Field(
        description="Dataset that candidates are trained and scored on; a path is one from here."
    )
    spec: dict[str, Any] = Field(default={}, description="Fields that all candidates share.")
    specs: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        strict=False,
        description="Networks among which to choose: YAML files and names of architectures, "
        "over whose fields come those of `spec` and of the space.",
    )
    space: dict[str, VariedField] = Field(
        default={},
        description="Fields that vary: a list of values, {low, high, step | log}, or "
        "{values, when}; of a spec (`units.lateral` reaches into `units`), or after `recipe.` of "
        "the recipe. `topology: every` stands for all sub-topologies of the grid.",
    )
    match: Match | None = Field(
        default=None,
        description="A cost that every candidate is to have; base_channels is chosen to meet it.",
    )
    budget: Budget = Field(default=Budget(), description="What a candidate may cost.")
    holdout: str | None = Field(
        default=None,
        min_length=1,
        description="Training images to score instead of training on, by name: 0006R0*.",
    )
    fold: FoldField | None = Field(
        default=None, description="Part of train that is val in every training, such as 2/5."
    )
    group: str | None = Field(
        default=None, description="Regular expression; names it groups are in one fold."
    )
    objective: str = Field(
        default=objectives()[0],
        description="Column of metrics.csv, in its last row, to maximize; `val_iou.car` is that "
        "of a class.",
        json_schema_extra=offer_objectives,
    )
    against: AgainstField = Field(
        default={},
        description="Costs and scores to hold the objective against, so that the answer is a front "
        "of candidates: [macs, training_memory], or {receptive_field: maximize}.",
    )
    latency: LatencySetting | None = Field(
        default=None,
        description="How candidates are timed, for `against: [latency]` or `at_most` here.",
    )
    recipe: RecipeField = Field(
        description="How a candidate is trained: a recipe, its name, or a YAML file from here."
    )
    seeds: Seeds = Field(
        default=(0,),
        description="Of the trainings of each candidate, whose mean is its score: 3 is [0, 1, 2].",
    )
    sampler: str = Field(default="tpe", description="`gridgen list samplers` names them.")
    pruner: str = Field(default="none", description="`gridgen list pruners` names them.")
    prefilter: Prefilter | None = Field(
        default=None,
        description="costs: of 64 candidates, train the one whose exact costs promise most.",
    )
    seed: Seed = Field(default=0, description="Of the sampler.")
    reproducible: bool = Field(
        default=False,
        description="Propose in waves: the same trials, however many are trained at once.",
    )
    trials: int = Field(default=20, ge=1, le=100_000, description="Candidates to train.")
    stop: Stop = Field(default=Stop(), description="What else ends the search.")
    trial_timeout: float | None = Field(
        default=None, gt=0, description="Minutes after which a training has failed."
    )
    baselines: tuple[str, ...] = Field(
        default=("unet",),
        strict=False,
        description="What the best is held against, trained with the same recipe and seeds; "
        "`gridgen list baselines` names them.",
    )
    supernet: str | None = Field(
        default=None,
        min_length=1,
        description="Run of gridgen supernet that scores candidates; those of confirm are trained.",
    )
    confirm: Confirm | None = Field(
        default=None, description="Train the best again with fresh seeds, to say how sure it is."
    )

    @field_validator("spec", "space", mode="before")
    @classmethod
    def _names_no_architecture(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, dict) and "architecture" in value:
            fact = "an architecture is a network, and no field of one; list it under specs"
            raise SpecError(fact, (str(info.field_name), "architecture"))
        return value.plain() if isinstance(value, GridSpec) else value

    @field_validator("sampler", "pruner", "objective", "baselines")
    @classmethod
    def _is_known(cls, value: Any, info: ValidationInfo) -> Any:
        checking.require_names(str(info.field_name), value)
        return value

    @field_validator("specs", "seeds", "baselines")
    @classmethod
    def _none_twice(cls, value: Any, info: ValidationInfo) -> Any:
        require_different((str(info.field_name),), value or ())
        return value

    @model_validator(mode="after")
    def _known_recipe(self) -> Self:
        try:
            self.training  # noqa: B018 - asked for its error
        except SpecError as error:
            raise SpecError(str(error), ("recipe",)) from error
        return self

    @model_validator(mode="after")
    def _space_fits(self) -> Self:
        if self.supernet is not None:
            checking.require_one_score(self.seeds, self.pruner)
        require_against(self.against, self.objective, timed=self.latency is not None)
        if self.prefilter is not None:
            checking.require_prefilter(self.sampler, self.against, self.latency is not None)
        if self.confirm is not None:
            checking.require_confirmed(self.training, self.confirm.recipe)
        if not (self.space or self.specs):
            raise SpecError("nothing varies; give fields here, or a list under specs", ("space",))
        if self.group is not None and self.fold is None:
            raise SpecError("names are grouped for folds; give fold, such as 1/5", ("group",))
        if self.specs is None and "spec" not in self.model_fields_set:
            raise SpecError("spec or specs is missing; add one of them")
        if self.match is not None and "base_channels" in self.space:
            fact = "varies here, but match chooses it; remove one of the two"
            raise SpecError(fact, ("space", "base_channels"))
        checking.require_choices(self.dimensions, self.unmatched, self.recipe_of)
        return self

    @classmethod
    @checked
    def from_source(cls, source: Source) -> Self:
        """Validate the data of `source`; the paths in it go out from the file's folder."""
        return super().from_source(beside(source))

    @cached_property
    def training(self) -> Recipe:
        """The recipe, before the space changes it; read once, whatever becomes of its file."""
        return self.recipe if isinstance(self.recipe, Recipe) else load_recipe(self.recipe)

    @property
    def objectives(self) -> Objectives:
        """The objective, which is maximized, and what it is held against, by name."""
        return objectives_of(self.objective, self.against)

    @cached_property
    def dimensions(self) -> SearchSpace:
        """All that varies, `specs` first."""
        names = {} if self.specs is None else self.spec_names
        return SearchSpace(tuple(dimensions_of(self.space, names, self._lattice)))

    @property
    def spec_names(self) -> dict[ChoiceLabel, str]:
        """The networks under `specs` by name."""
        return named_specs(self.specs or ())

    def _lattice(self, name: str) -> GridSpec:
        """The grid, in any width, of which all sub-topologies are asked. Errors: `SpecError`."""
        place = ("space", name)
        if name != "topology":
            raise SpecError(f"{EVERY} stands for topologies alone; list the values", place)
        if self.specs is not None or {"streams", "columns"} & self.space.keys():
            fact = f"{EVERY} is of one grid, but streams, columns or specs vary"
            raise SpecError(f"{fact}; fix them in spec", place)
        return GridSpec(**{"base_channels": None if "channels" in self.common else 1} | self.common)

    @checked
    def network(self, params: Params) -> NetworkSpec:
        """The network of a point. Errors: `SpecError` where its fields do not fit, or no width has
        the cost that is asked for.
        """
        spec = self.unmatched(params)
        return spec if self.match is None else self._matched(spec)

    @checked
    def unmatched(self, params: Params) -> NetworkSpec:
        """The network of a point before a match chooses its width. Errors: `SpecError`."""
        named = self.dimensions.named
        of_spec = {n: named[n].value(v) for n, v in params.items() if named[n].of_spec}
        return spec_of(merged(self.shared(params), of_spec))

    @property
    def common(self) -> dict[str, Any]:
        """The fields that all candidates share, under a match with a width until one is chosen."""
        width = {} if self.match is None or self.specs is not None else {"base_channels": 1}
        return width | self.spec

    @checked
    def shared(self, params: Params) -> dict[str, Any]:
        """The fields of a spec before those of the space come over them."""
        common = self.common
        return merged(self.base(params[SPECS]), common) if SPECS in params else common

    @checked
    def base(self, name: ChoiceLabel) -> dict[str, Any]:
        """The fields of one of `specs`, by its name. Errors: `SpecError`."""
        return load_spec(self.spec_names[name]).plain()

    def _matched(self, spec: NetworkSpec) -> NetworkSpec:
        assert self.match is not None
        if not isinstance(spec, GridSpec):
            fact = f"{spec.title} has no base_channels to choose; leave it out of specs"
            raise SpecError(fact, ("match",))
        return matched(spec, self.matching(self.match))

    @checked
    def matching(self, match: Match) -> Match:
        """A match, with the recipe's settings of a training step where it has none."""
        return match.but(**self._setting(match, self.training))

    @checked
    def recipe_of(self, params: Params) -> Recipe:
        """The recipe of a point. Errors: `SpecError` where its fields do not fit."""
        return changed_recipe(self.training, self.changes(params))

    @checked
    def changes(self, params: Params) -> dict[str, Any]:
        """The fields of the recipe that a point changes."""
        named = self.dimensions.named
        own = {n: named[n].value(v) for n, v in params.items() if named[n].of_recipe}
        return {name.removeprefix(RECIPE): value for name, value in own.items()}

    @property
    def limits(self) -> Budget:
        """The budget, with the recipe's settings of a training step where the budget has none."""
        return self.limits_of(self.training)

    @checked
    def limits_of(self, recipe: Recipe) -> Budget:
        """The same, of a recipe that the space has changed."""
        return self.budget.but(**self._setting(self.budget, recipe))

    def _setting(self, said: Budget | Match, recipe: Recipe) -> dict[str, Any]:
        own = setting_of(recipe).plain()
        if said.size is None:
            own["crop"] = recipe.crop.size
        return {name: value for name, value in own.items() if getattr(said, name) is None}
