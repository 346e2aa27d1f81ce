"""Fields of a document changed by dotted names."""

import json
from collections.abc import Mapping
from typing import Any

from gridgen.errors import SpecError
from gridgen.spec.network import NetworkSpec


def changed(spec: NetworkSpec, settings: Mapping[str, Any]) -> NetworkSpec:
    """`spec` with fields replaced; `units.lateral` reaches into `units`. Errors: `SpecError`."""
    if not settings:
        return spec
    fields = merged(spec.plain(), settings)
    return spec.but(**{name: fields[name] for name in map(root, settings)})


def root(name: str) -> str:
    """The field of the document itself that a dotted name reaches into.

    >>> root("units.lateral")
    'units'
    """
    return name.split(".")[0]


def merged(spec: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a spec with `values` over them; `units.lateral` reaches into `units`.

    Errors: `SpecError` where a name reaches into a value that has no fields.
    """
    fields = json.loads(json.dumps(spec))
    for name, value in values.items():
        holder = fields
        *path, last = name.split(".")
        for part in path:
            holder = holder.setdefault(part, {})
            if not isinstance(holder, dict):
                raise SpecError(f"{part} is {json.dumps(holder)}, which has no fields", (part,))
        holder[last] = value
    return fields  # type: ignore[no-any-return]
