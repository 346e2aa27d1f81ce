"""What every YAML file of ours shares: a frozen model, checked strictly, with located errors."""

from pathlib import Path
from typing import Any, ClassVar, Self

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
    def of(cls, **fields: Any) -> Self:
        """Build from Python values, with the errors of a file that says the same."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise SpecError(cls._explain(error, None)) from error
        except SpecError as error:
            raise named(error) from error

    def but(self, **changes: Any) -> Self:
        """A copy with fields replaced, validated again."""
        document = self.of(**(self.plain() | changes))
        document._source = self._source
        return document

    def plain(self) -> dict[str, Any]:
        """The fields that were set, as JSON types: what a YAML file of this document holds."""
        return self.model_dump(mode="json", exclude_unset=True)

    def blame(self, error: SpecError) -> SpecError:
        """`error`, with file and line where this document came from one."""
        return self._source.blame(error) if self._source is not None else named(error)

    @classmethod
    def _explain(cls, error: ValidationError, source: Source | None) -> str:
        details = error.errors(include_url=False)
        lines = [cls._explain_one(detail, source) for detail in details[:MAX_SHOWN]]
        if len(details) > MAX_SHOWN:
            lines.append(f"and {len(details) - MAX_SHOWN} more")
        return "\n".join(lines)

    @classmethod
    def _explain_one(cls, detail: ErrorDetails, source: Source | None) -> str:
        field: Field = detail["loc"]
        fact = _fact(detail, cls)
        missing = detail["type"] == "missing"
        if missing:
            fact = f"{field[-1]}: {fact}"
        if source is None:
            name = ".".join(str(part) for part in (field[:-1] if missing else field))
            return f"{name}: {fact}" if name else f"{cls.kind}: {fact}"
        return source.at(field, fact, key=detail["type"] == "extra_forbidden")


def named(error: SpecError) -> SpecError:
    """`error` with its field's name before it, for documents that no file holds."""
    shown = ".".join(str(part) for part in error.field)
    return type(error)(f"{shown}: {error}" if shown else str(error), error.field)


def _fact(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong, in the words of someone who writes YAML."""
    value, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return unknown("field", str(detail["loc"][-1]), _fields(model, detail["loc"][:-1]))
        case "missing":
            return "this field is missing; add it"
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
        case "value_error":
            return str(context["error"])
        case "too_short" | "too_long":
            least = detail["type"] == "too_short"
            bound = f"at least {context['min_length']}" if least else f"{context['max_length']} at most"
            return f"{context['actual_length']} values; {bound}"
        case "tuple_type" | "list_type":
            return f"{_show(value)} is not a list"
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{_show(value)} has no fields; write `field: value` lines"
    return f"{_show(value)}: {detail['msg']}"


def _fields(model: type[BaseModel], field: Field) -> list[str]:
    """The known fields of the (nested) model that `field` leads to."""
    for part in field:
        known = model.model_fields.get(str(part))
        if known is None:
            continue
        for candidate in (known.annotation, *getattr(known.annotation, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return list(model.model_fields)


def _show(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    if isinstance(value, bool) or value is None:
        text = {True: "true", False: "false", None: "null"}[value]
    return text if len(text) <= 60 else text[:57] + "..."
