"""Reads a weights file of others and makes a network of it: `gridgen convert`."""

import pickle
from collections.abc import Mapping
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
from gridgen.emit.weights import SUFFIX
from gridgen.errors import GridgenError, WeightsError, reason_of, unknown
from gridgen.files import require_file
from gridgen.grid import FeatureMap, Grid, build_grid
from gridgen.grid.layers import channels_after
from gridgen.layouts.backbones import RESNET, VGG16
from gridgen.layouts.layout import TensorShapes, WeightsLayout, pairs
from gridgen.layouts.whole import FPN, HRNET, PSPNET
from gridgen.memory.host import host_memory
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

    def rows(self) -> ShownRows:
        """The layout, and the parts that were filled."""
        return [("layout", self.layout), *self.inheritance.rows()]


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
        filled = _filled(network, tensors, layout, shapes)
        return Converted(network.eval(), found, inherit(network, filled))
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


def _filled(
    network: GridNetwork, tensors: Mapping[str, Tensor], layout: WeightsLayout, shapes: TensorShapes
) -> dict[str, Tensor]:
    """The file's tensors by our names. Errors: `WeightsError`."""
    grid, own, filled = network.grid, network.state_dict(), dict[str, Tensor]()
    # The numbers of a normalization of images are known, and nothing to be trained.
    filled |= {key: own[key] for key in ("stem.0.mean", "stem.0.deviation") if key in own}
    for taken in pairs(grid, layout.names(grid, shapes)):
        order = (layout.blocks or {}).get(taken.ours)
        for part in PARTS:
            ours, theirs = f"{taken.ours}.{part}", f"{taken.theirs}.{part}"
            if ours not in own or (part == COUNTER and theirs not in tensors):
                continue
            if theirs not in tensors:
                raise WeightsError(f"{theirs} is missing, of which {ours} is made")
            given = tensors[theirs]
            if part == "weight" and order:
                given = _ordered(grid, taken.ours, given, order)
            wanted = own[ours].shape
            if _is_of_classes(grid, taken.ours) and given.shape != wanted:
                continue  # for other classes than the file's
            if given.numel() != own[ours].numel() or given.shape[:1] != wanted[:1]:
                fact = f"{theirs} is {[*given.shape]}, {ours} {[*wanted]}"
                raise WeightsError(f"{fact}; choose the spec that the weights were trained for")
            filled[ours] = given.reshape(wanted).to(own[ours].dtype)
    return filled


def _is_of_classes(grid: Grid, layer: str) -> bool:
    """Whether a layer is in the head, whose channels depend on the classes."""
    return layer.startswith("head.")


def _ordered(grid: Grid, layer: str, weight: Tensor, order: tuple[int, ...]) -> Tensor:
    """The weight with blocks of input channels in our order of the maps that are concatenated."""
    place = FeatureMap(*map(int, layer.split(".")[1].removeprefix("map_").split("_")))
    ours = [channels_after(each.unit, grid.channels_of(each.source)) for each in grid.into(place)]
    theirs = [size for _, size in sorted(zip(order, ours, strict=True))]
    ends = [0, *accumulate(theirs)]
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
    if path.suffix not in (".safetensors", *PICKLED):
        raise WeightsError(
            unknown("ending of a weights file", path.name, [".safetensors", *PICKLED])
        )
    try:
        require_file(path, host_memory())
        if path.suffix == SUFFIX:
            return load_file(path)
        # Of pickled files torch builds tensors and containers alone, and runs nothing.
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: no such file") from error
    except (SafetensorError, pickle.UnpicklingError, OSError, ValueError, RuntimeError) as error:
        reason = str(reason_of(error) if isinstance(error, OSError) else error).splitlines()[0]
        raise WeightsError(f"{path}: not a weights file, or damaged: {reason}") from error
    for key in WRAPPED:
        found = found.get(key, found) if isinstance(found, dict) else found
    if not isinstance(found, dict):
        raise WeightsError(f"{path}: holds no tensors by name; save a state_dict")
    return {str(name): each for name, each in found.items() if isinstance(each, Tensor)}
