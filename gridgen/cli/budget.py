"""Budgets on the command line: `--budget LIMIT=AMOUNT`, and what a grid costs beside its limits."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.errors import SpecError
from gridgen.grid import Grid
from gridgen.spec import Source

if TYPE_CHECKING:
    from gridgen.space import Budget
    from gridgen.space.budget import Verdict
    from gridgen.study import Study

Limits = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        metavar="LIMIT=AMOUNT",
        help="A field of a budget, over what a study says: parameters=10M, training_memory=8GB ...",
    ),
]


def budgeted(path: Path, limits: list[str] | None) -> "Study":
    """The study of a file, its budget's fields replaced by those of `--budget`."""
    from gridgen.study import Study

    study = Study.load(path)
    if not limits:
        return study
    return study.but(budget=_changed(study.budget, limits).plain())


def verdicts_of(grid: Grid, limits: list[str] | None, **terms: Any) -> "list[Verdict]":
    """Cost and limit of each quantity that is limited, counted under `terms` of a budget.

    Errors: `SpecError` that begins with the option.
    """
    if not limits:
        return []
    from gridgen.space import Budget

    return _changed(Budget.of(**terms), limits).verdict(grid)


def _changed(budget: "Budget", limits: list[str]) -> "Budget":
    try:
        return budget.but(**dict(map(_limit, limits)))
    except SpecError as error:
        raise SpecError(f"--budget: {error}") from error


def _limit(text: str) -> tuple[str, Any]:
    """Field and value of `LIMIT=AMOUNT`; the value is YAML."""
    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier() and value.strip()):
        raise SpecError(f"{text!r} is no limit; write LIMIT=AMOUNT, such as parameters=10M")
    return name, Source.parse(f"value: {value}", text).data["value"]
