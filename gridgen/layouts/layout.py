"""A layout: the names in a weights file of others, and which layers of a grid they are. No torch.

A layout names, for each part of a network, the layers of the file in the order in which the part
has its own. Layers with weights are paired in that order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, zip_longest
from typing import Any

from gridgen.errors import WeightsError
from gridgen.grid import Grid
from gridgen.grid.layers import Layers, Residual, Shape

TensorShapes = Mapping[str, Shape]
"""The shape of every tensor of a file."""

PartNames = Mapping[str, Sequence[str]]
"""For parts of a grid such as `stem`, the names of the file's layers; "" for one that it lacks."""


@dataclass(frozen=True)
class WeightsLayout:
    """How one family of weights files names its layers.

    `settings` reads off the shapes what the file decides of a spec, or None where the file has
    another layout. `names` gives the file's layers for each part; layers after the last of a list
    stay fresh. `blocks` says, for a layer whose input channels stand in another order in the file,
    which of the file's blocks of channels comes first, second ...; a block is that of one of
    the maps that are concatenated.
    """

    description: str
    architectures: tuple[str, ...]
    settings: Callable[[TensorShapes, str], Mapping[str, Any] | None]
    names: Callable[[Grid, TensorShapes], PartNames]
    blocks: Mapping[str, tuple[int, ...]] | None = None


@dataclass(frozen=True)
class LayerPair:
    """A layer of a grid, and the layer of the file whose tensors it takes."""

    ours: str
    theirs: str


def pairs(grid: Grid, names: PartNames) -> Iterator[LayerPair]:
    """All layers of the grid that take something. Errors: `WeightsError` for too many names."""
    parts = dict(grid.parts())
    for part, theirs in names.items():
        if part not in parts:
            continue  # what a topology dropped
        ours = list(layer_names(parts[part], part))
        if len(theirs) > len(ours):
            fact = f"{part} has {len(ours)} layers with weights, the file {len(theirs)}"
            raise WeightsError(f"{fact}, the first of them {theirs[0]}; choose another depth")
        for own, other in zip_longest(ours, theirs, fillvalue=""):
            if other:
                yield LayerPair(own, other)


def layer_names(layers: Layers, prefix: str) -> Iterator[str]:
    """The names of all layers with weights, as in the `state_dict`, blocks from inside.

    >>> from gridgen.grid.layers import BatchNorm, Conv, ReLU
    >>> list(layer_names((Conv(3, 4), BatchNorm(4), ReLU(), Residual((Conv(4, 4),))), "stem"))
    ['stem.0', 'stem.1', 'stem.3.layers.0']
    """
    for place, layer in enumerate(layers):
        name = f"{prefix}.{place}"
        if isinstance(layer, Residual):
            yield from layer_names(layer.layers, f"{name}.layers")
            yield from layer_names(layer.shortcut, f"{name}.shortcut")
        elif layer.tensors:
            yield name


def numbered(shapes: TensorShapes, pattern: str) -> int:
    """How many tensors there are of a pattern such as `layer3.{}.conv1.weight`, from 0 on."""
    return next(number for number in count() if pattern.format(number) not in shapes)
