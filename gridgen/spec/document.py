"""What every YAML file of ours shares: a frozen model, checked strictly, with located errors."""

import json
import os
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import ErrorDetails

from gridgen.arguments import PathLike, checked
from gridgen.errors import SpecError
from gridgen.spec.facts import details, fact
from gridgen.spec.kinds import other_kind
from gridgen.spec.source import Field, Source

MAX_SHOWN = 5
SHORT = 64
"""Values of a list that may come from numpy."""


def _located(value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    try:
        return read(value)
    except SpecError as error:
        raise type(error)(str(error), (str(info.field_name), *error.field)) from error


Located = WrapValidator(_located)
"""Annotates a field that is a document of its own: pydantic lets its errors pass as they are,
and they get the field's name.
"""


class Document(BaseModel):
    """A model that a YAML file fills: no unknown fields, no silent conversions, never changed."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )
    kind: ClassVar[str] = "document"
    _source: Source | None = PrivateAttr(default=None)
    _changed: frozenset[str] = PrivateAttr(default=frozenset())

    def __init__(self, *values: Any, **fields: Any) -> None:
        """From Python values, with the errors of a file that says the same: `SpecError`."""
        if values:
            name, first = type(self).__name__, next(iter(type(self).model_fields), "field")
            raise SpecError(f"{name}: give each value its field's name: {name}({first}=...)")
        fields = {name: _own_value(value) for name, value in fields.items()}
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise self._refusal(error, fields) from error
        except SpecError as error:
            raise named(error) from error

    # What pydantic itself makes, from files and in fields, it makes without this constructor.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in type(self).model_fields:
            fact = f"{type(self).__name__}: {name} cannot be changed"
            raise SpecError(f"{fact}; make a copy that differs: .but({name}=...)", (name,))
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        """The fields that were set, as the constructor takes them."""
        told = ", ".join(f"{name}={value!r}" for name, value in self.plain().items())
        return f"{type(self).__name__}({told})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Whether all fields are equal, wherever they come from."""
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    @classmethod
    @checked
    def load(cls, path: PathLike) -> Self:
        """Read the YAML file at `path`. Errors: `SpecError` that shows file, line and field."""
        return cls.from_source(Source.read(path))

    @classmethod
    @checked
    def parse(cls, text: str, name: str = "<text>") -> Self:
        """Read YAML from a string; `name` is what errors call it."""
        return cls.from_source(Source.parse(text, name))

    @classmethod
    def from_source(cls, source: Source) -> Self:
        """Validate the data of `source`, which the model keeps to locate later errors."""
        try:
            document = cls.model_validate(source.data)
        except ValidationError as error:
            other = other_kind(cls.kind, source.data)
            said = f"{source.name}: {other}" if other else cls._explain(error, source)
            raise SpecError(said) from error
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
                # Editors show descriptions: the examples after the first paragraph are for Python.
                part["description"] = part["description"].split("\n\n")[0]
        return schema

    def but(self, **changes: Any) -> Self:
        """A copy with fields replaced, validated again; no file is blamed for what they say."""
        document = type(self)(**(self.plain() | changes))
        document._source = self._source
        # A line of the file must not be blamed for a value that replaced it.
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
    def _refusal(cls, error: ValidationError, fields: dict[str, Any]) -> SpecError:
        """What is wrong with Python values."""
        first = _present(fields, details(error)[0]["loc"])
        return SpecError(cls._explain(error, fields), first)

    @classmethod
    def _explain(cls, error: ValidationError, source: Source | dict[str, Any]) -> str:
        found = details(error)
        lines = [cls._explain_one(detail, source) for detail in found[:MAX_SHOWN]]
        if len(found) > MAX_SHOWN:
            lines.append(f"and {len(found) - MAX_SHOWN} more")
        return "\n".join(lines)

    @classmethod
    def _explain_one(cls, detail: ErrorDetails, source: Source | dict[str, Any]) -> str:
        field: Field = detail["loc"]
        said = fact(detail, cls)
        if detail["type"] == "missing" and isinstance(field[-1], str):
            said = f"{field[-1]}: {said}"
        if isinstance(source, Source):
            return source.at(field, said, key=detail["type"] == "extra_forbidden")
        name = ".".join(str(part) for part in _present(source, field))
        return f"{name or cls.kind}: {said}"


def dump(document: Document) -> str:
    """A document as the YAML file that loads to it."""
    return yaml_text(document.complete())


def yaml_text(fields: Mapping[str, Any]) -> str:
    """Fields as YAML, a line each."""
    return "".join(f"{field}: {_inline(value)}\n" for field, value in fields.items())


def _inline(value: Any) -> str:
    """A value on one line."""
    # PyYAML breaks lines unless they may be very wide, and ends a plain value by a line of dots.
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1_000_000)
    return text.removesuffix("\n").removesuffix("\n...")


def plain_value(value: Any) -> Any:
    """`value` as JSON types: numbers and arrays of numpy and documents in it are made such.

    Errors: `SpecError` for what is none of these.
    """
    return json.loads(json.dumps(value, default=_as_json))


def _as_json(value: Any) -> Any:
    own = value.plain() if isinstance(value, Document) else _own_value(value)
    if own is value:
        raise SpecError(f"{value!r} is no value of a field; give numbers, words or lists")
    return own


def _own_value(value: Any) -> Any:
    """Numbers and arrays of numpy, ranges and paths as YAML has them, since pydantic takes no
    others.
    """
    if isinstance(value, dict):
        return {name: _own_value(each) for name, each in value.items()}
    if isinstance(value, list | tuple) and len(value) <= SHORT:
        return type(value)(map(_own_value, value))
    if isinstance(value, range):
        return list(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.tolist() if hasattr(value, "tolist") else value


def named(error: SpecError) -> SpecError:
    """`error` with its field's name before it, for documents that no file holds."""
    shown = ".".join(str(part) for part in error.field)
    return type(error)(f"{shown}: {error}" if shown else str(error), error.field)


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
