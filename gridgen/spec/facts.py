"""What pydantic found wrong, in the words of someone who writes YAML."""

import re
from collections.abc import Iterator, Sized
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gridgen.errors import unknown
from gridgen.spec.source import Field

FEW = 4
"""Fields of a section that are named where there is none."""
LONGEST = 40
"""Characters of words that are repeated in a fix."""
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


def fact_of(error: ValidationError) -> str:
    """What is wrong with a single value, which may be a number that is written as text.

    >>> from pydantic import TypeAdapter
    >>> try:
    ...     TypeAdapter(int).validate_python("1.5")
    ... except ValidationError as error:
    ...     print(fact_of(error))
    1.5 is not a whole number
    """
    detail = error.errors(include_url=False)[0]
    if isinstance(detail["input"], str) and _NUMBER.fullmatch(detail["input"]):
        detail["input"] = float(detail["input"]) if "." in detail["input"] else int(detail["input"])
    return fact(detail, BaseModel)


def details(error: ValidationError) -> list[ErrorDetails]:
    """What is wrong, each fact once."""
    return [detail for detail in error.errors(include_url=False) if not _echoes(detail)]


def _echoes(detail: ErrorDetails) -> bool:
    """Whether pydantic says a second time what is wrong.

    Of a list it counts only the valid items, whose invalid ones it names too; what is neither a
    whole number nor any other, it says to be neither.
    """
    if detail["type"] == "int_type" and detail["loc"][-1] == "int":
        return True
    if detail["type"] != "too_short" or not isinstance(detail["input"], Sized):
        return False
    return bool(len(detail["input"]) >= detail["ctx"]["min_length"])


def fact(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong with a field of `model`."""
    value, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return unknown("field", str(detail["loc"][-1]), _fields(model, detail["loc"][:-1]))
        case "missing":
            last = detail["loc"][-1]
            what = "this field" if isinstance(last, str) else f"value {last + 1}"
            return f"{what} is missing; add it"
        case "greater_than_equal":
            return f"{shown_value(value)} is less than {context['ge']}"
        case "greater_than":
            return f"{shown_value(value)} is not more than {context['gt']}"
        case "less_than_equal":
            return f"{shown_value(value)} is more than {context['le']}"
        case "less_than":
            return f"{shown_value(value)} is not less than {context['lt']}"
        case "int_type" | "int_from_float" | "int_parsing":
            return f"{shown_value(value)} is not a whole number"
        case "float_type" | "finite_number" | "float_parsing":
            return f"{shown_value(value)} is not a number"
        case "bool_type":
            return f"{shown_value(value)} is neither true nor false"
        case "string_type":
            return f"{shown_value(value)} is not a word"
        case "string_unicode":
            return f"{shown_value(value)} is not UTF-8; rename it"
        case "literal_error":
            return f"{shown_value(value)} is not one of: {context['expected']}"
        case "union_tag_invalid":
            return f"{shown_value(context['tag'])} is not one of: {context['expected_tags']}"
        case "string_pattern_mismatch":
            return f"{shown_value(value)} does not match {context['pattern']}"
        case "value_error":
            return str(context["error"])
        case "too_short" | "too_long":
            least = detail["type"] == "too_short"
            bound = (
                f"at least {context['min_length']}" if least else f"{context['max_length']} at most"
            )
            return f"{context['actual_length']} values; {bound}"
        case "tuple_type" | "list_type":
            words = isinstance(value, str) and "," in value
            fix = f"; write [{value}]" if words and len(value) <= LONGEST else ""
            return f"{shown_value(value)} is not a list{fix}"
        case "dict_type":
            return f"{shown_value(value)} has no fields; write `field: value` lines"
        case "model_type" | "model_attributes_type":
            known = _fields(model, detail["loc"])
            # What has a name may be of several kinds, which have fields of their own.
            told = len(known) <= FEW and "name" not in known
            lines = f"lines of {', '.join(known)}" if told else "`field: value` lines"
            return f"{shown_value(value)} has no fields; write {lines}"
    return f"{shown_value(value)}: {detail['msg']}"


def _fields(model: type[BaseModel], field: Field) -> list[str]:
    """The known fields of the (nested) model that `field` leads to.

    Where a field may be one of several models, the part after it is the tag of one.
    """
    tagged: dict[str, type[BaseModel]] = {}
    for part in map(str, field):
        if part in model.model_fields:
            known = model.model_fields[part]
            models = [*_models(known.annotation)]
            model = models[0] if models else model
            tagged = {str(one.model_fields["name"].default): one for one in models if _named(one)}
        else:
            model = tagged.get(part, model)
    return list(model.model_fields)


def _named(model: type[BaseModel]) -> bool:
    return "name" in model.model_fields


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's annotation allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    # Losses are looked up in their table when they are read; only what annotates them knows them.
    yield from getattr(annotation, "members", tuple)()
    for argument in get_args(annotation):
        yield from _models(argument)


def shown_value(value: Any) -> str:
    """A value as YAML writes it, cut where it is long."""
    text = repr(value) if isinstance(value, str) else str(value)
    if isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    return text if len(text) <= 60 else text[:57] + "..."
