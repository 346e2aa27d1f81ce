"""Budgets on the command line: `--budget LIMIT=AMOUNT`, over a study's or on its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.cli.terminal import errors_beginning
from gridgen.errors import SpecError
from gridgen.grid.layers import shape_text
from gridgen.spec import Source

if TYPE_CHECKING:
    from gridgen.space import Budget
    from gridgen.study import Study

Limits = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        metavar="LIMIT=AMOUNT",
        help="A limit, in place of a study's: parameters=10M, training_memory=8GB ...",
    ),
]


def budgeted(path: Path, limits: list[str] | None) -> "Study":
    """The study of a file, its budget's fields replaced by those of `--budget`."""
    from gridgen.study import Study

    study = Study.load(path)
    if not limits:
        return study
    with errors_beginning("--budget: "):
        changed = study.budget.but(**_fields(limits))
    return study.but(budget=changed.plain())


def budget_of(
    limits: list[str] | None, options: Mapping[str, Any], option: str = "--budget"
) -> "Budget | None":
    """The limits of an option, to be counted under what `options` say; None where none are asked.

    A term that the budget says too is the same one. Errors: `SpecError` that begins with the
    option.
    """
    if not limits:
        return None
    from gridgen.space import Budget

    with errors_beginning(f"{option}: "):
        said = Budget(**_fields(limits))
        _require_agreement(said, options)
    return Budget(**{**said.plain(), **options})


def _require_agreement(said: "Budget", options: Mapping[str, Any]) -> None:
    """There is a limit, and what it is counted under is what the options say."""
    if not said.limits():
        raise SpecError("no limit is given; add one, such as parameters=10M")
    if said.crop is not None:
        raise SpecError("crop: a study's recipe has crops; give --size HxW")
    for name, value in options.items():
        told = getattr(said, name) if name in said.model_fields_set else None
        if told not in (None, value):
            fact = f"{name} is {_shown(told)} here and {_shown(value)} in --{name}"
            raise SpecError(f"{fact}; give one of the two")


def _shown(value: Any) -> str:
    return shape_text(value) if isinstance(value, tuple) else str(value)


def _fields(limits: list[str]) -> dict[str, Any]:
    """What each of `LIMIT=AMOUNT` says, every one once; an amount is YAML."""
    fields: dict[str, Any] = {}
    for text in limits:
        name, equals, value = text.partition("=")
        if not (equals and name.isidentifier() and value.strip()):
            raise SpecError(f"{text!r} is not a limit; write LIMIT=AMOUNT, such as parameters=10M")
        if name in fields:
            raise SpecError(f"{name} is given twice; give it once")
        fields[name] = Source.parse(f"value: {value}", text).data["value"]
    return fields
