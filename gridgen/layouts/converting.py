"""Reads a weights file of others and makes a network of it: `gridgen convert`."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from gridgen.architectures import load_spec
from gridgen.arguments import PathLike, checked, checked_fields
from gridgen.emit import GridNetwork, Inheritance, inherit
from gridgen.emit.weights import SUFFIX, require_weights_file
from gridgen.errors import GridgenError, WeightsError
from gridgen.grid import FeatureMap, Grid, build_grid
from gridgen.grid.layers import RGB, channels_after
from gridgen.layouts.backbones import RESNET, VGG16
from gridgen.layouts.layout import LayerPair, TensorShapes, WeightsLayout, pairs
from gridgen.layouts.whole import FPN, HRNET, PSPNET
from gridgen.shown import Shown, ShownRows
from gridgen.spec import NetworkSpec
from gridgen.text import brief

LAYOUTS: dict[str, WeightsLayout] = {
    "resnet": RESNET,
    "vgg16": VGG16,
    "torchvision-fpn": FPN,
    "semseg-pspnet": PSPNET,
    "hrnet": HRNET,
}
"""Whole networks come after the backbones that they contain: the last that knows a file has it."""

WRAPPED = "state_dict", "model", "model_state"
PREFIXES = "module.", "model."
PICKLED = ".pth", ".pt", ".bin"
FREE = {"classes", "normalize"}
"""Fields that may differ from what a file decides."""
BLOCK = re.compile(r"(?<=\d)\.(conv\d|bn\d|downsample\.\d)$")
"""What follows the name of a residual block in that of its layers."""
COUNTER = "num_batches_tracked"
PARTS = "weight", "bias", "running_mean", "running_var", COUNTER
"""The tensors of a layer; those of a frozen BN lack the counter."""


@checked_fields
@dataclass(frozen=True, repr=False)
class Converted(Shown):
    """A network with the weights of a file of others, and what is from there."""

    network: GridNetwork
    layout: str
    inheritance: Inheritance
    unused: tuple[str, ...]
    """The tensors of the file that the network has no place for, by their names there."""

    def rows(self) -> ShownRows:
        """The layout, the parts that were filled, and what of the file was left."""
        rows = [("layout", self.layout), *self.inheritance.rows()]
        return rows + ([("not used", brief(self.unused))] if self.unused else [])


@checked
def convert(path: PathLike, name: str, **settings: Any) -> Converted:
    """The network of a published name, or of a spec file of one, with weights that others trained.

    What the file decides of the spec (depth, width, classes, ImageNet's mean and deviation before
    the stem) goes under what `settings` or the spec file say. `name` is that of an architecture;
    `gridgen list layouts` says which files each knows. Errors: `WeightsError` for a file that is
    missing, damaged, of another layout, or that does not fit; `SpecError`.
    """
    given = load_spec(name, **settings)
    tensors = _bare(_read(Path(path)))
    shapes = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    try:
        found, decided = _layout_of(shapes, given)
        layout, stated = LAYOUTS[found], _stated(name, given, settings)
        _require_agreement(given, decided, stated)
        spec = given.but(**{key: value for key, value in decided.items() if key not in stated})
        network = GridNetwork(build_grid(spec))
        layers = list(pairs(network.grid, layout.names(network.grid, shapes)))
        unused = _unused(shapes, layers, network.state_dict())
        filled = _filled(network, tensors, layout, layers)
        return Converted(network.eval(), found, inherit(network, filled), unused)
    except GridgenError as error:
        raise WeightsError(f"{path}: {error}") from error


def _stated(name: str, spec: NetworkSpec, settings: Mapping[str, Any]) -> frozenset[str]:
    """The fields that somebody chose: in the file of a spec, or as settings."""
    in_file = spec.model_fields_set if Path(name).suffix else ()
    return frozenset(settings) | frozenset(in_file)


def _require_agreement(
    spec: NetworkSpec, decided: Mapping[str, Any], stated: frozenset[str]
) -> None:
    """What somebody chose is what the file has; classes are free. Errors: `WeightsError`."""
    for key in stated & decided.keys() - FREE:
        if (own := getattr(spec, key)) != decided[key]:
            fact = f"holds a network of {key} {decided[key]}, {key} is set to {own}"
            raise WeightsError(f"{fact}; leave it out")
    if (channels := getattr(spec, "in_channels", RGB)) != RGB:
        fact = f"holds a network of images of {RGB} colours, in_channels is {channels}"
        raise WeightsError(f"{fact}; leave it out")


def _layout_of(shapes: TensorShapes, spec: NetworkSpec) -> tuple[str, Mapping[str, Any]]:
    """The layout that knows the file, and what the file decides. Errors: `WeightsError`."""
    name = spec.title
    known = {key: each for key, each in LAYOUTS.items() if name in each.architectures}
    if not known:
        names = [each for layout in LAYOUTS.values() for each in layout.architectures]
        fact = f"no layout of others' weights is known for {name}"
        raise WeightsError(f"{fact}; there are some for {', '.join(dict.fromkeys(names))}")
    for key, layout in reversed(known.items()):
        if (decided := layout.settings(shapes, name)) is not None:
            return key, decided
    fact = f"has none of the layouts known for {name} ({', '.join(known)})"
    raise WeightsError(f"{fact}; its tensors are {brief(list(shapes))}")


def _unused(
    shapes: TensorShapes, layers: Sequence[LayerPair], own: Mapping[str, Tensor]
) -> tuple[str, ...]:
    """What of a file no layer takes. Errors: `WeightsError` where it belongs to a layer, or to a
    residual block, of which the rest is taken: then the file is of another network.
    """
    taken = {
        f"{layer.theirs}.{part}"
        for layer in layers
        for part in PARTS
        if f"{layer.ours}.{part}" in own
    }
    within = {layer.theirs for layer in layers}
    within |= {BLOCK.sub("", layer.theirs) for layer in layers if BLOCK.search(layer.theirs)}
    unused = tuple(name for name in shapes if name not in taken)
    for name in unused:
        if any(name.startswith(f"{each}.") for each in within):
            fact = f"{name} has no place in the network, which takes what stands beside it"
            raise WeightsError(f"{fact}; the file is of another network")
    return unused


def _filled(
    network: GridNetwork,
    tensors: Mapping[str, Tensor],
    layout: WeightsLayout,
    layers: Sequence[LayerPair],
) -> dict[str, Tensor]:
    """The file's tensors by our names. Errors: `WeightsError`."""
    own = network.state_dict()
    # The numbers of a normalization of images are known, and nothing to be trained.
    filled = {key: own[key] for key in own if key.endswith((".mean", ".deviation"))}
    for layer in layers:
        for part in (each for each in PARTS if f"{layer.ours}.{each}" in own):
            theirs = f"{layer.theirs}.{part}"
            if theirs in tensors:
                given = _checked(theirs, tensors[theirs])
                order = (layout.blocks or {}).get(layer.ours) if part == "weight" else None
                given = _ordered(network.grid, layer.ours, given, order) if order else given
                _fill(filled, f"{layer.ours}.{part}", theirs, given, own)
            elif part != COUNTER:
                raise WeightsError(f"{theirs} is missing, of which {layer.ours}.{part} is made")
    return filled


def _fill(
    filled: dict[str, Tensor], ours: str, theirs: str, given: Tensor, own: Mapping[str, Tensor]
) -> None:
    """Take a tensor over, unless it is of a head for other classes. Errors: `WeightsError`."""
    wanted = own[ours].shape
    # Matrices of classifiers become kernels: their columns are channels, rows, columns.
    matrix = given.dim() == 2 and given.numel() == own[ours].numel() and len(given) == wanted[0]
    if given.shape == wanted or matrix:
        filled[ours] = given.reshape(wanted).to(own[ours].dtype)
    elif not ours.startswith("head."):
        fact = f"{theirs} is {[*given.shape]}, {ours} {[*wanted]}"
        raise WeightsError(f"{fact}; choose the spec that the weights were trained for")


def _checked(name: str, tensor: Tensor) -> Tensor:
    """A tensor of finite numbers that lie in memory. Errors: `WeightsError`."""
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_quantized:
        raise WeightsError(f"{name} is no plain tensor of numbers; save it as one")
    if not name.endswith(COUNTER):
        if not tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise WeightsError(f"{name} is {kind}; weights are floating-point numbers")
        if not tensor.isfinite().all():
            raise WeightsError(f"{name} has values that are no finite numbers")
    return tensor


def _ordered(grid: Grid, layer: str, weight: Tensor, order: tuple[int, ...]) -> Tensor:
    """The weight with blocks of input channels in our order of the maps that are concatenated."""
    place = FeatureMap(*map(int, layer.split(".")[1].removeprefix("map_").split("_")))
    ours = [channels_after(each.unit, grid.channels_of(each.source)) for each in grid.into(place)]
    theirs = [size for _, size in sorted(zip(order, ours, strict=True))]
    ends = [0, *accumulate(theirs)]
    if weight.dim() < 2 or weight.shape[1] != ends[-1]:
        return weight  # of another shape, which is told where it is taken
    ranges = [slice(begin, end) for begin, end in pairwise(ends)]
    return torch.cat([weight[:, ranges[block]] for block in order], dim=1)


def _bare(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names without what wrappers such as DataParallel put before all of them."""
    for prefix in PREFIXES:
        if tensors and all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return dict(tensors)


def _read(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file or of a checkpoint of torch. Errors: `WeightsError`."""
    if path.suffix not in (SUFFIX, *PICKLED):
        ends = ", ".join((SUFFIX, *PICKLED))
        raise WeightsError(f"{path}: no weights file by its name, which ends in one of {ends}")
    require_weights_file(path)
    found = _loaded(path)
    for key in WRAPPED:
        found = found.get(key, found) if isinstance(found, dict) else found
    tensors = found.items() if isinstance(found, dict) else ()
    named = {str(name): each for name, each in tensors if isinstance(each, Tensor)}
    if not named:
        raise WeightsError(f"{path}: holds no tensors by name; save a state_dict")
    return named


def _loaded(path: Path) -> Any:
    """What is in a file. Errors: `WeightsError`."""
    if path.suffix == SUFFIX:
        try:
            return load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise WeightsError(f"{path}: not a safetensors file, or damaged: {error}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # torch builds tensors and containers alone, and runs nothing.
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # its reader raises whatever an odd byte leads to
        fact = f"{path}: no state_dict that torch reads without running code, or damaged"
        raise WeightsError(f"{fact}; save model.state_dict()") from error
