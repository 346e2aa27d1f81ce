"""Layer records to torch modules: what `program/modules.py` says of each is made here."""

from typing import Any

from torch import nn

from gridgen.emit import pieces
from gridgen.emit.flipped import FLIPPED
from gridgen.grid.layers import Layer, Layers
from gridgen.program.modules import (
    Argument,
    ChannelCount,
    ModuleCall,
    Modules,
    module_of,
    modules_of,
)

READS_AUXILIARY = ("Unpool", "ResizeLike")
"""The modules that have an auxiliary input beside their own."""


def lower(layers: Layers) -> nn.Sequential:
    """The module of a layer sequence."""
    return _sequence(modules_of(layers))


def lower_layer(layer: Layer, fresh: bool) -> nn.Module:
    """The module of one layer; `fresh` says that nobody else reads its input."""
    return _made(module_of(layer, fresh))


def reads_auxiliary(modules: Modules) -> bool:
    """True if one of the modules has an auxiliary input beside its own."""
    return any(module.name in READS_AUXILIARY for module in modules)


def _sequence(modules: Modules) -> nn.Sequential:
    made = map(_made, modules)
    if reads_auxiliary(modules):
        return pieces.SequentialWithAuxiliary(*made)
    return nn.Sequential(*made)


def _made(module: ModuleCall) -> nn.Module:
    options = {name: _value(value) for name, value in module.options.items()}
    made: nn.Module = _class_of(module)(*map(_value, module.arguments), **options)
    return made


def _class_of(module: ModuleCall) -> type[nn.Module]:
    """The class that computes a module; what differs is how, not what."""
    if "stride" not in module.options and module.name in FLIPPED:
        return FLIPPED[module.name]
    found: type[nn.Module] = getattr(nn, module.name, None) or getattr(pieces, module.name)
    return found


def _value(argument: Argument) -> Any:
    match argument:
        case ChannelCount(number):
            return number
        case tuple():
            return _sequence(argument)
    return argument
