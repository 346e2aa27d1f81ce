"""The study spec: the space and its budget, how a candidate is scored, what can be found at all."""

from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from gridgen.arguments import checked
from gridgen.data import Dataset
from gridgen.data.subsets import FoldField
from gridgen.errors import DataError, SpecError, unknown
from gridgen.progress import OnProgress, no_progress
from gridgen.space import Budget, Choices, Costs, Feasible, Range, costs_of, feasible
from gridgen.space.choices import Params, first_point, relocated, require_valid, size_of, values
from gridgen.spec import Document, GridSpec, Source
from gridgen.spec.network import merged
from gridgen.study.sampling import PRUNERS, SAMPLERS
from gridgen.training import Recipe, load_recipe
from gridgen.training.recipe import setting_of
from gridgen.training.recipe.extending import extended
from gridgen.training.run.facts import MAX_SEED
from gridgen.training.tasks import HOLDOUT, VAL, columns, objectives, task_of
from gridgen.training.tasks.requirements import load_splits, require_fit


def _kind(value: Any) -> str:
    return "range" if isinstance(value, dict | Range) else "list"


def _recipe_kind(value: Any) -> str:
    return "name" if isinstance(value, str) else "inline"


ChoicesField = Annotated[
    Annotated[Range, Tag("range")]
    | Annotated[tuple[Any, ...], Field(min_length=1, strict=False), Tag("list")],
    Discriminator(_kind),
]
RecipeField = Annotated[
    Annotated[str, Tag("name")] | Annotated[Recipe, Tag("inline")], Discriminator(_recipe_kind)
]


def _offered(schema: dict[str, Any]) -> None:
    """What an editor is to offer: the objectives of all tasks that there are by then."""
    schema["enum"] = list(objectives())


class Study(Document):
    """A search over grids.

    >>> study = Study.parse('''
    ... data: shapes
    ... spec: {classes: 3}
    ... space: {streams: [2, 3], columns: [1+1, 2+2], base_channels: {low: 4, high: 8, step: 4}}
    ... budget: {parameters: 50000}
    ... recipe: demo
    ... ''')
    >>> study.candidate({"streams": 2, "columns": "1+1", "base_channels": 8}).shape
    '2 streams, 1+1 columns, F0 = 8'
    """

    kind: ClassVar[str] = "study"

    data: str = Field(description="Dataset that candidates are trained and scored on.")
    spec: dict[str, Any] = Field(description="Fields that all candidates share.")
    space: dict[str, ChoicesField] = Field(
        min_length=1,
        description="Spec fields that vary: a list of values, or {low, high, step | log}. "
        "`units.lateral` reaches into `units`.",
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
    objective: str = Field(
        default=objectives()[0],
        description="Column of metrics.csv, in its last row, to maximize.",
        json_schema_extra=_offered,
    )
    recipe: RecipeField = Field(description="How a candidate is trained: a recipe, or its name.")
    sampler: str = Field(default="tpe", description="`gridgen list samplers` names them.")
    pruner: str = Field(default="none", description="none, median or halving.")
    seed: int = Field(
        default=0, ge=0, le=MAX_SEED, description="Of the sampler and of every training."
    )
    trials: int = Field(default=20, ge=1, le=100_000, description="Candidates to train.")

    @field_validator("spec", "space", mode="before")
    @classmethod
    def _is_of_grids(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, dict) and "architecture" in value:
            fact = "a study searches grids of the paper's family"
            fix = "published networks are trained with gridgen train NAME"
            raise SpecError(f"{fact}; {fix}", (str(info.field_name), "architecture"))
        return value

    @field_validator("sampler", "pruner", "objective")
    @classmethod
    def _is_known(cls, name: str, info: ValidationInfo) -> str:
        what = str(info.field_name)
        known = {"sampler": (*SAMPLERS,), "pruner": (*PRUNERS,), "objective": objectives()}[what]
        if name not in known:
            raise ValueError(unknown(what, name, known))
        return name

    @model_validator(mode="after")
    def _space_fits_specs(self) -> Self:
        require_valid(self.spec, self.space)
        return self

    @model_validator(mode="after")
    def _known_recipe(self) -> Self:
        try:
            self.training  # noqa: B018 - asked for its error
        except SpecError as error:
            raise SpecError(str(error), ("recipe",)) from error
        return self

    @classmethod
    @checked
    def from_source(cls, source: Source) -> Self:
        """Validate the data of `source`; its recipe may extend one beside the file."""
        return super().from_source(extended(source, "recipe"))

    @property
    def training(self) -> Recipe:
        """The training recipe."""
        return self.recipe if isinstance(self.recipe, Recipe) else load_recipe(self.recipe)

    @property
    def limits(self) -> Budget:
        """The budget, with the recipe's settings of a training step where the budget has none."""
        budget, recipe = self.budget, self.training
        said = setting_of(recipe).plain()
        if budget.size is None:
            said["crop"] = recipe.crop.size
        return budget.but(**{n: v for n, v in said.items() if getattr(budget, n) is None})

    def require_data(self) -> None:
        """Refuse data that is missing, does not fit the spec, or cannot be scored by the objective.

        Errors: `SpecError`.
        """
        point = first_point(self.space)
        try:
            splits = load_splits(self.data, self.holdout, self.fold)
            require_fit(self.candidate(values(point)), splits.train)
        except DataError as error:
            raise self.blame(SpecError(str(error), ("data",))) from error
        except SpecError as error:
            raise self.blame(relocated(error, point)) from error
        self._require_objective(splits.val)

    def _require_objective(self, dataset: Dataset) -> None:
        task = task_of(dataset)
        scored = columns(task, (VAL, HOLDOUT) if self.holdout else (VAL,))
        if self.objective.startswith("holdout") and not self.holdout:
            fact = f"{self.objective}: nothing is held out; set holdout to a pattern of names"
            raise self.blame(SpecError(fact, ("objective",)))
        if self.objective not in scored:
            fact = f"{self.objective} is not scored on {dataset.name}; set {task.metric.val}"
            raise self.blame(SpecError(fact, ("objective",)))

    @checked
    def candidate(self, params: Params) -> GridSpec:
        """The spec of a point of the space. Errors: `SpecError` where its fields do not fit."""
        return GridSpec(**merged(self.spec, params))

    @checked
    def costs(self, params: Params) -> Costs:
        """What a point of the space costs. Errors: `SpecError` where it makes no grid."""
        return costs_of(self.spec, params, self.limits)

    @checked
    def feasible(self, on_progress: OnProgress = no_progress) -> Feasible:
        """The points of the space that meet the budget. Errors: `SpecError`, as `feasible`."""
        try:
            return feasible(self.spec, self.space, self.limits, on_progress)
        except SpecError as error:
            raise self.blame(error) from error


MOST_POINTS = 2_000_000
"""Points up to which a space is counted before a search; that takes a second or two."""
MOST_GRIDS = 2_000
"""Points up to which their memory is computed too."""


class Reachable(NamedTuple):
    """Numbers of points of a space that meet the budget, of all, of networks of the former."""

    feasible: int
    points: int
    networks: int

    def few(self, wanted: int) -> bool:
        """True if fewer networks than wanted, or fewer points than one in twenty, meet it."""
        few = self.networks < wanted or self.feasible < self.points / 20
        return few and self.networks < self.points


def reachable(study: Study) -> Reachable | None:
    """Count the points of the study's space that meet its budget; None if the space is too large.

    A range without steps, which only `total_dropout` can have, counts as one point. Errors:
    `SpecError` if no point meets it, with the point that comes nearest.
    """
    space = {field: _countable(choices) for field, choices in study.space.items()}
    points = size_of(space)
    if points is None or points > MOST_POINTS:
        return None
    limits = study.limits
    budget = limits
    if points > MOST_GRIDS:
        budget = limits.but(training_memory=None, inference_memory=None)
    found = feasible(study.spec, space, budget)
    if found.feasible == 0:
        raise study.blame(_nothing(found))
    if budget != limits:
        return None
    return Reachable(found.feasible, found.points, found.networks)


def _nothing(found: Feasible) -> SpecError:
    nearest = found.nearest()
    if nearest is None:
        reason = next(iter(found.invalid()))
        return SpecError(f"none of {found.points:,} candidates makes a grid; {reason}", ("space",))
    fact = f"none of {found.points:,} candidates meets it; nearest is {nearest}"
    return SpecError(f"{fact}; loosen the limit, or widen space", ("budget",))


def _countable(choices: Choices) -> Choices:
    return (choices.low,) if isinstance(choices, Range) and choices.continuous else choices
