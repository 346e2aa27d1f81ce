"""What every YAML file of ours shares: a frozen model, checked strictly, with located errors."""

from collections.abc import Iterator, Sized
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError
from pydantic_core import ErrorDetails

from gridgen.errors import SpecError, unknown
from gridgen.spec.source import Field, Source

MAX_SHOWN = 5


class Document(BaseModel):
    """A model that a YAML file fills: no unknown fields, no silent conversions, never changed."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )
    kind: ClassVar[str] = "document"
    _source: Source | None = PrivateAttr(default=None)
    _changed: frozenset[str] = PrivateAttr(default=frozenset())

    def __eq__(self, other: object) -> bool:
        """Whether all fields are equal, wherever they come from."""
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the YAML file at `path`. Errors: `SpecError` that shows file, line and field."""
        return cls.from_source(Source.read(path))

    @classmethod
    def parse(cls, text: str, name: str = "<text>") -> Self:
        """Read YAML from a string; `name` is what errors call it."""
        return cls.from_source(Source.parse(text, name))

    @classmethod
    def from_source(cls, source: Source) -> Self:
        """Validate the data of `source`, which the model keeps to locate later errors."""
        try:
            document = cls.model_validate(source.data)
        except ValidationError as error:
            raise SpecError(cls._explain(error, source)) from error
        except SpecError as error:
            raise source.blame(error) from error
        document._source = source
        return document

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """JSON Schema (draft 2020-12) of such a file, its descriptions without Python examples."""
        schema = cls.model_json_schema()
        for part in (schema, *schema.get("$defs", {}).values()):
            if "description" in part:
                part["description"] = part["description"].split("\n\n")[0]
        return schema

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """Build from Python values, with the errors of a file that says the same."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = _present(fields, _details(error)[0]["loc"])
            raise SpecError(cls._explain(error, fields), first) from error
        except SpecError as error:
            raise named(error) from error

    def but(self, **changes: Any) -> Self:
        """A copy with fields replaced, validated again; no file is blamed for what they say."""
        document = self.of(**(self.plain() | changes))
        document._source = self._source
        document._changed = self._changed | changes.keys()
        return document

    def plain(self) -> dict[str, Any]:
        """The fields that were set, as JSON types: what a YAML file of this document holds."""
        return self.model_dump(mode="json", exclude_unset=True)

    def complete(self) -> dict[str, Any]:
        """All fields as JSON types: what an artifact stores, should a default change one day."""
        return self.model_dump(mode="json", exclude_none=True)

    def blame(self, error: SpecError) -> SpecError:
        """`error`, with file and line where the field at fault came from one."""
        if self._source is None or self._changed.intersection(error.field[:1]):
            return named(error)
        return self._source.blame(error)

    @classmethod
    def _explain(cls, error: ValidationError, source: Source | dict[str, Any]) -> str:
        details = _details(error)
        lines = [cls._explain_one(detail, source) for detail in details[:MAX_SHOWN]]
        if len(details) > MAX_SHOWN:
            lines.append(f"and {len(details) - MAX_SHOWN} more")
        return "\n".join(lines)

    @classmethod
    def _explain_one(cls, detail: ErrorDetails, source: Source | dict[str, Any]) -> str:
        field: Field = detail["loc"]
        fact = _fact(detail, cls)
        if detail["type"] == "missing" and isinstance(field[-1], str):
            fact = f"{field[-1]}: {fact}"
        if isinstance(source, Source):
            return source.at(field, fact, key=detail["type"] == "extra_forbidden")
        name = ".".join(str(part) for part in _present(source, field))
        return f"{name or cls.kind}: {fact}"


def named(error: SpecError) -> SpecError:
    """`error` with its field's name before it, for documents that no file holds."""
    shown = ".".join(str(part) for part in error.field)
    return type(error)(f"{shown}: {error}" if shown else str(error), error.field)


def _details(error: ValidationError) -> list[ErrorDetails]:
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


def _present(data: Any, field: Field) -> Field:
    """The parts of `field` that are in `data`; the others are pydantic's, or are missing."""
    parts = []
    for part in field:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            continue
        parts.append(part)
    return tuple(parts)


def _fact(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong, in the words of someone who writes YAML."""
    value, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return unknown("field", str(detail["loc"][-1]), _fields(model, detail["loc"][:-1]))
        case "missing":
            last = detail["loc"][-1]
            what = "this field" if isinstance(last, str) else f"value {last + 1}"
            return f"{what} is missing; add it"
        case "greater_than_equal":
            return f"{_show(value)} is less than {context['ge']}"
        case "greater_than":
            return f"{_show(value)} is not more than {context['gt']}"
        case "less_than_equal":
            return f"{_show(value)} is more than {context['le']}"
        case "less_than":
            return f"{_show(value)} is not less than {context['lt']}"
        case "int_type" | "int_from_float":
            return f"{_show(value)} is not a whole number"
        case "float_type" | "finite_number":
            return f"{_show(value)} is not a number"
        case "bool_type":
            return f"{_show(value)} is neither true nor false"
        case "string_type":
            return f"{_show(value)} is not a word"
        case "literal_error":
            return f"{_show(value)} is not one of: {context['expected']}"
        case "string_pattern_mismatch":
            return f"{_show(value)} does not match {context['pattern']}"
        case "value_error":
            return str(context["error"])
        case "too_short" | "too_long":
            least = detail["type"] == "too_short"
            bound = (
                f"at least {context['min_length']}" if least else f"{context['max_length']} at most"
            )
            return f"{context['actual_length']} values; {bound}"
        case "tuple_type" | "list_type":
            return f"{_show(value)} is not a list"
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{_show(value)} has no fields; write `field: value` lines"
    return f"{_show(value)}: {detail['msg']}"


def _fields(model: type[BaseModel], field: Field) -> list[str]:
    """The known fields of the (nested) model that `field` leads to."""
    for part in field:
        if str(part) in model.model_fields:
            model = next(_models(model.model_fields[str(part)].annotation), model)
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's annotation allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _show(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    if isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    return text if len(text) <= 60 else text[:57] + "..."
