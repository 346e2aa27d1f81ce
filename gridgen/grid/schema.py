"""The JSON Schema of a grid's spec: the model's own, with the names that exist filled in."""

from typing import Any

from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.fusions import FUSIONS
from gridgen.grid.topologies import TOPOLOGIES
from gridgen.grid.units import UNITS
from gridgen.spec import GridSpec


def grid_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the spec of a grid of the paper's family.

    >>> grid_schema()["properties"]["fusion"]["enum"]
    ['concat', 'sum', 'weighted']
    """
    schema = GridSpec.json_schema()
    fields = schema["properties"]
    for field, names in (("fusion", FUSIONS), ("stem", STEMS), ("head", HEADS)):
        fields[field]["enum"] = sorted(names)
    for kind, units in UNITS.items():
        schema["$defs"]["Units"]["properties"][kind]["enum"] = sorted(units)
    for choice in fields["topology"]["anyOf"]:
        if "oneOf" in choice or choice.get("type") == "string":
            _name_topologies(choice)
    return schema


def _name_topologies(choice: dict[str, Any]) -> None:
    for option in (choice, *choice.get("oneOf", ())):
        if option.get("type") == "string":
            option["enum"] = sorted(TOPOLOGIES)
