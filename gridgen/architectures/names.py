"""The architectures by name, and the JSON Schema of all network specs in one.

Add an architecture as a file and a line in the table.
"""

from typing import Any

from gridgen.architectures.bifpn import Bifpn
from gridgen.architectures.deconvnet import DeconvNet
from gridgen.architectures.deeplab_trellis import DeeplabTrellis
from gridgen.architectures.dilated import Dilated
from gridgen.architectures.fcn_8s import Fcn8s
from gridgen.architectures.fcrn import Fcrn
from gridgen.architectures.fpn import Fpn
from gridgen.architectures.frrn import Frrn
from gridgen.architectures.hourglass import StackedHourglass
from gridgen.architectures.hrnet import Hrnet
from gridgen.architectures.neural_fabric import NeuralFabric
from gridgen.architectures.panet import Panet
from gridgen.architectures.preact_resnet import PreactResNet
from gridgen.architectures.pspnet import Pspnet
from gridgen.architectures.refinenet import RefineNet
from gridgen.architectures.unet_2015 import Unet2015
from gridgen.architectures.unet_plus_plus import UnetPlusPlus
from gridgen.grid import Architecture
from gridgen.grid.building import grid_schema
from gridgen.spec import GridSpec

ARCHITECTURES: dict[str, type[Architecture]] = {
    "fcn-8s": Fcn8s,
    "deconvnet": DeconvNet,
    "unet-2015": Unet2015,
    "refinenet": RefineNet,
    "stacked-hourglass": StackedHourglass,
    "frrn-a": Frrn,
    "frrn-b": Frrn,
    "preact-resnet": PreactResNet,
    "neural-fabric": NeuralFabric,
    "dilated": Dilated,
    "fcrn": Fcrn,
    "pspnet": Pspnet,
    "unet++": UnetPlusPlus,
    "hrnet": Hrnet,
    "fpn": Fpn,
    "panet": Panet,
    "bifpn": Bifpn,
    "deeplab-trellis": DeeplabTrellis,
}


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
