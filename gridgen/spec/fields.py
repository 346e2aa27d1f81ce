"""Fields of a document changed by dotted names."""

import json
from collections.abc import Mapping
from typing import Any

from gridgen.errors import SpecError


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
