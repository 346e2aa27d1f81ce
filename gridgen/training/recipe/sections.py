"""Sections of a recipe that are one of several kinds, told by their `name`."""

from typing import Any

from pydantic import BeforeValidator, Discriminator


def by_name(otherwise: str) -> Discriminator:
    """Which kind a section is; `otherwise` where it does not say."""

    def kind(value: Any) -> str:
        given = value.get("name") if isinstance(value, dict) else getattr(value, "name", None)
        return str(otherwise if given is None else given)

    return Discriminator(kind)


def _spelt_out(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


SHORT_FORM = BeforeValidator(_spelt_out)
"""A name alone stands for a section of that kind."""
