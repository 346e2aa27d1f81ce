"""Sub-networks of a network: fewer connections, fewer channels, and no weights of their own.

Names of tensors come from coordinates, so a tensor of a sub-network is a part of the one of the
same name: its first channels (Yu et al., "Slimmable neural networks", ICLR 2019), and of what a
fusion joins the entries of the connections that are there.
"""

from collections.abc import Iterable, Mapping
from itertools import chain, islice
from operator import gt

import torch
from torch import Tensor, nn

from gridgen.emit.network import GridNetwork
from gridgen.emit.recompute import BATCH_NORMS
from gridgen.errors import SpecError, UsageError
from gridgen.grid import FeatureMap, Grid, GridSpec
from gridgen.grid.layers import Conv, Layers, buffers_of, flat, tensors_of
from gridgen.spec import NetworkSpec
from gridgen.spec.facts import shown_value

FREE = ("topology", "size", "total_dropout")
"""Fields in which a sub-network may differ: no weight depends on them."""
LESS = ("streams", "base_channels", "channels")
"""Fields of which it may have less."""
Entries = tuple[slice | list[int], ...]
"""The entries that are taken of a tensor, for each of its first dimensions."""


def require_subnetwork(grid: Grid, whole: Grid) -> None:
    """`grid` has connections of `whole`, and as many streams and channels at most; in all else
    their specs are equal, and `whole` has all of its weights. Errors: `SpecError`.
    """
    _of_joins(grid, whole)


def _require_fewer(grid: Grid, whole: Grid) -> None:
    """The same, but for what layers of fusions have. Errors: `SpecError`."""
    one, other = (_grid_spec(each.spec) for each in (grid, whole))
    mine, known = one.complete(), other.complete()
    for field in [field for field in GridSpec.model_fields if field not in FREE + LESS]:
        given, wanted = mine.get(field), known.get(field)
        if given != wanted:
            fact = f"{field} is {shown_value(given)}, but {shown_value(wanted)} in the whole"
            raise SpecError(f"{fact} network; only connections and widths may differ", (field,))
    _require_less("streams", one.streams, other.streams)
    if one.base_channels and other.base_channels:
        _require_less("base_channels", one.base_channels, other.base_channels)
    for stream, channels in enumerate(one.stream_channels):
        _require_less("channels", channels, other.stream_channels[stream], f" of stream {stream}")
    there = {connection.name for connection in whole}
    if missing := [connection.name for connection in grid if connection.name not in there]:
        fact = f"the whole network has no {missing[0]}"
        raise SpecError(f"{fact}; keep some of its {len(there)} connections", ("topology",))


def _require_less(field: str, given: int, wanted: int, where: str = "") -> None:
    if given > wanted:
        fact = f"{field}{where} is {given}, but the whole network has {wanted}"
        raise SpecError(f"{fact}; give {wanted} at most", (field,))


def _grid_spec(spec: NetworkSpec) -> GridSpec:
    if isinstance(spec, GridSpec):
        return spec.by_base_channels()
    fact = f"{spec.title} is a network of its own"
    raise SpecError(f"{fact}; sub-networks are those of a grid with streams and columns")


def _of_joins(grid: Grid, whole: Grid) -> dict[str, Entries]:
    """The entries of the tensors by which fusions join several connections, by name.

    Errors: `SpecError` where `grid` is none of the sub-networks of `whole`.
    """
    _require_fewer(grid, whole)
    found: dict[str, Entries] = {}
    for target in grid.maps:
        join, wide = whole.fusion_of(target).join, whole.channels_of(target)
        if join == "sum" or target == grid.input:
            continue
        places = [connection.name for connection in whole.into(target)]
        kept = [places.index(connection.name) for connection in grid.into(target)]
        if join == "weighted":
            found[f"weights.{target.name}"] = (kept,)
        else:
            first = range(grid.channels_of(target))
            joined = [place * wide + channel for place in kept for channel in first]
            found |= _of_layers(grid, whole, target, joined)
    return found


def _of_layers(
    grid: Grid, whole: Grid, target: FeatureMap, joined: list[int]
) -> dict[str, Entries]:
    """The entries of the tensors after a concatenation, of whose channels those `joined` are kept.

    Errors: `SpecError`.
    """
    layers, prefix = whole.fusion_layers(target), f"fusions.{target.name}."
    shapes = dict((*tensors_of(layers, prefix), *buffers_of(layers, prefix)))
    sizes, found = (whole.joined(target), len(joined)), dict[str, Entries]()
    layers = grid.fusion_layers(target)
    # In groups each channel reads some others alone, which would be other ones in a part.
    grouped = any(isinstance(each, Conv) and _has_groups(each) for each in flat(layers))
    for name, shape in (*tensors_of(layers, prefix), *buffers_of(layers, prefix)):
        there = shapes.get(name, ())
        if grouped or len(there) != len(shape) or any(map(gt, shape, there)):
            fact = f"{name} has no part that a sub-network could take"
            raise SpecError(f"{fact}; set fusion to sum, concat or weighted", ("fusion",))
        # A dimension is one of joined channels where both networks have so many there.
        pairs = zip(there, shape, strict=True)
        found[name] = tuple(joined if pair == sizes else slice(pair[1]) for pair in pairs)
    return found


def _has_groups(conv: Conv) -> bool:
    """True for a convolution in groups of several channels, or of several results of each."""
    return conv.groups > 1 and {conv.channels_in, conv.channels_out} != {conv.groups}


class _Parts:
    """Which entries of the tensors of a whole network are those of a sub-network."""

    def __init__(
        self, network: GridNetwork, grid: Grid, shapes: Mapping[str, tuple[int, ...]]
    ) -> None:
        self.network, self.shapes = network, shapes
        self.joins = _of_joins(grid, network.grid)

    def now(self) -> dict[str, Tensor]:
        """The tensors of the sub-network, parts of what the network's are at the moment."""
        # Not `state_dict`, whose tensors are detached: gradients are to arrive.
        whole = dict(self.network.named_parameters()) | dict(self.network.named_buffers())
        return {name: self._part(name, whole[name], shape) for name, shape in self.shapes.items()}

    def _part(self, name: str, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        if name in self.joins:
            for dimension, entries in enumerate(self.joins[name]):
                rest = (slice(None),) * dimension
                tensor = tensor[(*rest, entries)]
            return tensor
        # Where these are all, the tensor itself: kernels are faster in the layout that it has.
        return tensor if tensor.shape == shape else tensor[tuple(slice(n) for n in shape)]


PartsMade = dict[tuple[str, Layers], nn.Module]
"""Modules without weights of their own, by the name of their part and its layers."""


class _Weightless(GridNetwork):
    """A network whose modules wait for weights, and may be those of other networks too: to make
    modules takes as long as to train a small network on a batch.
    """

    def __init__(self, grid: Grid, made: PartsMade) -> None:
        self._made = made
        # On the meta device no weights are drawn, and no memory is taken.
        with torch.device("meta"):
            super().__init__(grid)

    def _lowered(self, name: str, layers: Layers) -> nn.Module:
        if (name, layers) not in self._made:
            self._made[name, layers] = super()._lowered(name, layers)
        return self._made[name, layers]


class SharedSubnetwork:
    """A sub-network of `network`, in training mode, with the weights that this has at the moment.

    Called with images (N, in_channels, H, W) it gives logits (N, classes, H, W); gradients arrive
    in the weights of `network`. Batch normalizations count their batch and keep no statistics, so
    it is for training alone; `copied_subnetwork` gives one that evaluates. `made` are modules of
    others that are not called between a call of this one and its backward pass; new ones are added.
    Errors: `SpecError` where `grid` is none of the sub-networks.
    """

    def __init__(self, network: GridNetwork, grid: Grid, made: PartsMade | None = None) -> None:
        self.module = _Weightless(grid, {} if made is None else made)
        for norm in self.module.modules():
            if isinstance(norm, BATCH_NORMS):
                norm.track_running_stats = False
                norm.running_mean = norm.running_var = norm.num_batches_tracked = None
        self.module.recompute = network.recompute
        self.grid, self._parts = grid, _Parts(network, grid, dict(grid.tensors()))

    def __call__(self, images: Tensor) -> Tensor:
        """Logits for a batch of images."""
        # Not `functional_call`, which takes the weights away again after the forward pass: what
        # the backward pass computes again needs them.
        self._hold(self._parts.now())
        logits: Tensor = self.module(images)
        return logits

    def release(self) -> None:
        """Let go of the weights after the backward pass: of kernels that join maps they are copies,
        which would stay in memory until it is called again.
        """
        self._hold(dict.fromkeys(self._parts.shapes))

    def _hold(self, tensors: Mapping[str, Tensor | None]) -> None:
        for name, tensor in tensors.items():
            path, _, last = name.rpartition(".")
            module = self.module.get_submodule(path)
            held = module._parameters if last in module._parameters else module._buffers
            held[last] = tensor  # type: ignore[assignment]


def copied_subnetwork(network: GridNetwork, grid: Grid) -> GridNetwork:
    """A sub-network of `network` with a copy of its weights, on its device, in evaluation mode.

    Running statistics are those of the whole network, which do not suit, since less arrives at its
    maps: `recalibrate` has to follow. Errors: `SpecError` where `grid` is none of the sub-networks.

    >>> from gridgen.grid import build_grid
    >>> spec = GridSpec(streams=3, columns="1+1", base_channels=8, classes=4)
    >>> narrow = build_grid(spec.but(topology="unet", base_channels=4))
    >>> copied_subnetwork(GridNetwork(spec), narrow).grid.spec.shape
    '3 streams, 1+1 columns, F0 = 4'
    """
    like = next(network.parameters())
    taken = GridNetwork(grid).to(device=like.device, dtype=like.dtype)
    own = taken.state_dict()
    shapes = {name: each.shape for name, each in own.items()}
    with torch.no_grad():
        for name, part in _Parts(network, grid, shapes).now().items():
            own[name].copy_(part)
    taken.recompute = network.recompute
    return taken.eval()


@torch.no_grad()
def recalibrate(network: GridNetwork, batches: Iterable[Tensor]) -> None:
    """Replace running statistics by the means over batches of images, as they are in training.

    Total dropout drops nothing meanwhile; the network is in evaluation mode afterwards. Errors:
    `UsageError` where there are statistics, and no batch.
    """
    network.eval()
    norms = [each for each in network.modules() if isinstance(each, BATCH_NORMS)]
    if not norms:
        return
    batches = iter(batches)
    first = [*islice(batches, 1)]
    if not first:
        raise UsageError("recalibrate: batches is empty; give a batch of images at least")
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # means over all batches, each alike
        norm.train()
    for images in chain(first, batches):
        network(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
