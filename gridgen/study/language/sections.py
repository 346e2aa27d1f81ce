"""Fields and sections of a study: its recipe, seeds, when it stops, what is trained again."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from gridgen.spec import Document
from gridgen.spec.document import Located
from gridgen.training import Recipe
from gridgen.training.run.facts import MAX_SEED

MOST_SEEDS = 100
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]


def _numbered(value: Any) -> Any:
    """The seeds 0, 1, ... of their number."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and value < 1:
        raise ValueError(f"{value} seeds train nothing; give 1 at least, or a list of seeds")
    return tuple(range(min(value, MOST_SEEDS + 1))) if whole else value


Seeds = Annotated[
    Annotated[tuple[Seed, ...], Field(strict=False, min_length=1, max_length=MOST_SEEDS)],
    BeforeValidator(_numbered, json_schema_input_type=int | tuple[int, ...]),
]
RecipeField = Annotated[
    Annotated[str, Tag("name")] | Annotated[Recipe, Tag("inline")],
    Discriminator(lambda value: "name" if isinstance(value, str) else "inline"),
    Located,
]
Prefilter = Literal["costs"]


class Stop(Document):
    """What ends a search before `trials` candidates are trained, each if it is given.

    >>> Stop(begun=40, hours=2).begun
    40
    """

    kind: ClassVar[str] = "stop"

    begun: int | None = Field(
        default=None,
        ge=1,
        description="Candidates whose training is begun, those that are pruned or fail among them; "
        "three times `trials` where it is not given.",
    )
    hours: float | None = Field(
        default=None,
        gt=0,
        description="Hours of one start after which nothing more is begun, confirmations neither.",
    )
    no_progress: int | None = Field(
        default=None, ge=1, description="Candidates in a row that are no better than the best."
    )


class Confirm(Document):
    """How many of the best are trained again, with how many fresh seeds each.

    No choice has seen these seeds, so their scores say how good a candidate is, and the scores by
    which it was chosen do not. The baselines are confirmed with the same seeds.
    """

    kind: ClassVar[str] = "confirm"

    top: int = Field(default=3, ge=1, le=100, description="Candidates, from the best on.")
    seeds: int = Field(default=3, ge=1, le=MOST_SEEDS, description="Trainings of each.")
    init: Literal["supernet"] | None = Field(
        default=None,
        description="Weights that they begin with: supernet, those of the study's; else random.",
    )
    recipe: dict[str, Any] = Field(
        default={},
        description="Fields of the recipe that differ there: {epochs: 5, learning_rate: 1e-3}.",
    )
