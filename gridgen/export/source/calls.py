"""Calls of modules as text, with names in place of numbers of channels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import nn

from gridgen.emit.lowering import reads_auxiliary
from gridgen.export.source.text import Brackets, Code, call
from gridgen.program.modules import Argument, ChannelCount, ModuleCall, Modules


@dataclass(frozen=True, slots=True)
class NamedCount(ChannelCount):
    """A number of channels, and what is written for it: a parameter, or the number."""

    text: str


def counts_in(modules: Modules) -> Iterator[ChannelCount]:
    """All numbers of channels, in the order in which they are written."""
    for module in modules:
        for value in (*module.arguments, *module.options.values()):
            if isinstance(value, ChannelCount):
                yield value
            elif isinstance(value, tuple):
                yield from counts_in(value)


def named(modules: Modules, texts: Iterator[str]) -> Modules:
    """The modules with the next text for each number of channels."""

    def value_of(value: Argument) -> Argument:
        if isinstance(value, ChannelCount):
            return NamedCount(value.number, next(texts))
        return named(value, texts) if isinstance(value, tuple) else value

    return tuple(
        ModuleCall(
            module.name,
            tuple(value_of(value) for value in module.arguments),
            {name: value_of(value) for name, value in module.options.items()},
        )
        for module in modules
    )


def likeness(modules: Modules) -> str:
    """Equal for modules that differ in their numbers of channels alone."""

    def bare(value: Argument) -> object:
        if isinstance(value, ChannelCount):
            return "channels"
        return likeness(value) if isinstance(value, tuple) else value

    return repr(
        [
            (each.name, [*map(bare, each.arguments)], [*map(bare, each.options.values())])
            for each in modules
        ]
    )


OfBlock = Callable[[ModuleCall], Brackets | None]
"""The call of a class for a residual block that has one of its own."""


def written(module: ModuleCall, of_block: OfBlock) -> Brackets:
    """The call of a module."""
    if block := of_block(module):
        return block
    name = f"nn.{module.name}" if hasattr(nn, module.name) else module.name
    options = [f"{key}={_value(value, of_block)}" for key, value in module.options.items()]
    return call(name, *(_value(value, of_block) for value in module.arguments), *options)


def _value(value: Argument, of_block: OfBlock) -> Code:
    match value:
        case NamedCount(text=text):
            return text
        case tuple():
            base = "SequentialWithAuxiliary" if reads_auxiliary(value) else "nn.Sequential"
            return call(base, *(written(each, of_block) for each in value))
        case str():
            return f'"{value}"'
    return str(value)
