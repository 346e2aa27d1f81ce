"""The JSON Schema of network specs, for editors: grids and published networks in one."""

from typing import Any

from gridgen.architectures.names import ARCHITECTURES
from gridgen.grid import Architecture
from gridgen.grid.building import grid_schema
from gridgen.spec import GridSpec

Schema = dict[str, Any]


def spec_schema() -> Schema:
    """JSON Schema (draft 2020-12) of a file that `load_spec` reads.

    With a field `architecture` that network's own schema holds, without one that of a grid; so an
    editor names the one field at fault, and no alternatives.

    >>> schema = spec_schema()
    >>> schema["else"]
    {'$ref': '#/$defs/GridSpec'}
    >>> schema["then"]["allOf"][2]["then"]
    {'$ref': '#/$defs/Unet2015'}
    """
    definitions: Schema = {}
    grid = _defined(GridSpec.__name__, grid_schema(), definitions)
    published = [
        {
            "if": {"properties": {"architecture": {"enum": names}}},
            "then": _defined(architecture.__name__, architecture.json_schema(), definitions),
        }
        for architecture, names in _names().items()
    ]
    return {
        "$defs": definitions,
        "title": "Spec",
        "description": "A network: a grid, or a published network by the name of its architecture.",
        "type": "object",
        "properties": {
            "architecture": {
                "description": "A published network; `gridgen list architectures` names them.",
                "enum": list(ARCHITECTURES),
            }
        },
        "if": {"required": ["architecture"]},
        "then": {"allOf": published},
        "else": grid,
    }


def _names() -> dict[type[Architecture], list[str]]:
    """What each architecture is called; some have several names."""
    names: dict[type[Architecture], list[str]] = {}
    for name, architecture in ARCHITECTURES.items():
        names.setdefault(architecture, []).append(name)
    return names


def _defined(name: str, schema: Schema, definitions: Schema) -> Schema:
    """A reference to `schema`, which goes to `definitions` together with its own."""
    for part, definition in (*schema.pop("$defs", {}).items(), (name, schema)):
        known = definitions.setdefault(part, definition)
        assert known == definition, f"two schemas are called {part}"
    return {"$ref": f"#/$defs/{name}"}
