"""Writes docs/fields.md: every field of a spec, recipe, inference and study, from the schemas.

Run it with `make schema`, or `python docs/fields.py`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gridgen import schema

PAGE = Path(__file__).parent / "fields.md"
HEAD = """\
# Fields

<!-- Written by `make schema`; do not edit by hand. -->

Every field of the YAML files, what it may be, and what it is where it is left out. A dot stands
for a section: `crop.size` is `crop: {size: ...}`, or a line `size:` below `crop:`. Commands that
take `--set FIELD=VALUE` write it so too, after `recipe.` for fields of a recipe. Published
networks have fields of their own, in [the gallery](gallery.md). `gridgen schema spec`, `recipe`,
`inference` and `study` print the same for editors.
"""
KINDS = {
    "A spec": ("spec", "GridSpec"),
    "A recipe": ("recipe", None),
    "An inference": ("inference", None),
    "A study": ("study", None),
}
COLUMNS = ("field", "value", "if left out", "what it says")
NUMBERS = {"integer": "whole number", "number": "number"}
BOUNDS = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "exclusiveMaximum": "below {}",
}
SHARED = {"Recipe": "a recipe", "Inference": "an inference"}
"""Sections with tables of their own."""
Schema = dict[str, Any]


class FieldRow(NamedTuple):
    """A line of a table; `value` is told in words."""

    name: str
    value: str
    default: str
    description: str


def page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD]
    for title, (kind, part) in KINDS.items():
        whole = schema(kind)
        defs = whole.get("$defs", {})
        parts.append(f"\n## {title}\n\n{_table(defs[part] if part else whole, defs)}\n")
    return "".join(parts)


def _table(section: Schema, defs: Schema) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *field_rows(section, defs)]
    return "\n".join(f"| {' | '.join(_cell(each) for each in row)} |" for row in rows)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def field_rows(section: Schema, defs: Schema, prefix: str = "") -> Iterator[FieldRow]:
    """The fields of a section and, below each, those of the sections that it may be."""
    for name, field in section.get("properties", {}).items():
        given = f"`{prefix}{name}`"
        yield FieldRow(given, value_of(field, defs), _default(field), field.get("description", ""))
        # A list may hold what stands alone too, such as losses.
        found: dict[str, FieldRow] = {}
        for inner in _sections(field, defs):
            kind = inner["properties"].get("name", {}).get("const", "")
            for row in field_rows(inner, defs, f"{prefix}{name}."):
                if not (kind and row.name.endswith(".name`")):
                    found[f"{row.name}{f' of {kind}' if kind else ''}"] = row
        yield from (row._replace(name=name) for name, row in found.items())


def _sections(field: Schema, defs: Schema) -> Iterator[Schema]:
    title = field.get("$ref", "").removeprefix("#/$defs/")
    if title and title not in SHARED and "properties" in defs[title]:
        yield defs[title]
    items = [field["items"]] if field.get("items") else []
    for each in (*field.get("anyOf", ()), *field.get("oneOf", ()), *items):
        yield from _sections(each, defs)


def value_of(field: Schema, defs: Schema) -> str:
    """What a field may be, in words."""
    kinds = field.get("anyOf") or field.get("oneOf")
    if kinds:
        return " or ".join(dict.fromkeys(value_of(each, defs) for each in kinds))
    if "enum" in field:
        return ", ".join(f"`{each}`" for each in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "$ref" in field:
        title = field["$ref"].removeprefix("#/$defs/")
        inner = defs[title]
        return SHARED.get(title, "a section") if "properties" in inner else value_of(inner, defs)
    return _plain(field, defs)


def _plain(field: Schema, defs: Schema) -> str:
    kind = field.get("type", "")
    if kind == "array":
        each = value_of(field["items"], defs) if field.get("items") else ""
        pair = " and ".join(value_of(part, defs) for part in field.get("prefixItems", ()))
        return f"a list: {each or pair}" if each or pair else "a list"
    if kind in NUMBERS:
        bounds = [text.format(field[name]) for name, text in BOUNDS.items() if name in field]
        return " ".join([NUMBERS[kind], *bounds])
    return {"string": "text", "boolean": "`true` or `false`", "null": "`null`"}.get(
        kind, "a section"
    )


def _default(field: Schema) -> str:
    if "default" not in field:
        return "required"
    value = field["default"]
    # Of a section, its own lines tell what it is.
    if isinstance(value, dict):
        return f"`{value['name']}`" if "name" in value else ""
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE}")
