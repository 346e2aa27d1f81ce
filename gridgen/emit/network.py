"""A grid becomes a torch module. The network *has* a Grid; the Grid knows nothing of it."""

import os

import torch
from torch import Tensor, nn
from torch.nn import functional

from gridgen.analysis import legal_size
from gridgen.emit.lower import lower
from gridgen.emit.schedule import Step, schedule
from gridgen.errors import SizeError, TooLargeError
from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.layers import Conv, Deconv


class GridNetwork(nn.Module):
    """The network of a grid: stem, units, fusions, head.

    (N, in_channels, H, W) with values in [0, 1] -> logits (N, classes, H, W). Height and width
    are multiples of 2^(streams - 1); others are refused (`SizeError`) or, with `size: pad`, the
    image is extended by its border values on all sides and the logits are cropped back.

    Names in `state_dict` come from coordinates: `units.sub_2_1.2.weight` is the third layer of
    the subsampling unit into X(2, 1); `shortcuts` hold projections of identities, `fusions` what
    follows a concatenation.

    Weights and maps are laid out channels-last, which is the faster of both (`benchmarks/`);
    `network.to(memory_format=torch.contiguous_format)` changes that.

    `fixed_graph` makes total dropout multiply by a mask instead of leaving the unit out, which
    DistributedDataParallel needs; under `torch.compile` this is done by itself. With a mask, a
    dropped unit's BN statistics move in that step; otherwise they do not.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec.of(streams=2, columns="1+1", base_channels=4, classes=3, size="pad")
    >>> GridNetwork(build_grid(spec))(torch.rand(2, 3, 33, 65)).shape
    torch.Size([2, 3, 33, 65])
    """

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        require_memory(grid)
        self.grid = grid
        self.fixed_graph = False
        self.steps = schedule(grid)
        self.fresh = frozenset(c.name for c in grid if _ends_in_convolution(c))
        self.stem = lower(grid.stem)
        self.units = nn.ModuleDict({c.name: lower(c.unit) for c in grid})
        self.shortcuts = nn.ModuleDict({c.name: lower(c.shortcut) for c in grid if c.shortcut})
        after = {target.name: grid.fusion_layers(target) for target in grid.maps}
        self.fusions = nn.ModuleDict(
            {name: lower(layers) for name, layers in after.items() if layers}
        )
        self.head = lower(grid.head)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Logits for a batch of images."""
        if images.shape[1] != self.grid.spec.in_channels:
            raise SizeError(
                f"Images have {images.shape[1]} channels; the spec's in_channels is "
                f"{self.grid.spec.in_channels}. Change one of them."
            )
        height, width = images.shape[-2:]
        padded, top, left = self._pad(images)
        logits: Tensor = self.head(self._grid(self.stem(padded)))
        return logits[..., top : top + height, left : left + width]

    def _grid(self, stem: Tensor) -> Tensor:
        """From X(0, 0) to the output map, each map freed after its last use."""
        maps = {self.grid.input: stem}
        del stem
        for step in self.steps:
            maps[step.target] = self._fuse(step, maps)
            for done in step.last_uses:
                del maps[done]
        return maps[self.grid.output]

    def _fuse(self, step: Step, maps: dict[FeatureMap, Tensor]) -> Tensor:
        if step.join == "concat":
            arrivals = [self._arrive(c, maps[c.source]) for c in step.arrivals]
            fused = torch.cat(arrivals, dim=1)
        else:
            fused = self._sum(step, maps)
        after = step.target.name
        return self.fusions[after](fused) if after in self.fusions else fused

    def _sum(self, step: Step, maps: dict[FeatureMap, Tensor]) -> Tensor:
        first, *others = step.arrivals
        fused = self._arrive(first, maps[first.source])
        for connection in others:
            arrival = self._arrive(connection, maps[connection.source])
            # What may be a dropped unit's bare identity is a map that others read.
            alone = connection.name in self.fresh and not connection.dropout
            fused = arrival.add_(fused) if alone else fused + arrival
        return fused

    def _arrive(self, connection: Connection, x: Tensor) -> Tensor:
        """What `connection` brings to its target: the unit's output and the identity."""
        branch = self._branch(connection, x)
        if connection.shortcut is None:
            return torch.zeros_like(x) if branch is None else branch
        identity = self.shortcuts[connection.name](x) if connection.shortcut else x
        if branch is None:
            return identity
        return branch.add_(identity) if connection.name in self.fresh else identity + branch

    def _branch(self, connection: Connection, x: Tensor) -> Tensor | None:
        """The unit's output, or None where total dropout drops it (section 3.1).

        One draw per unit and forward pass for the whole batch; never rescaled; off in evaluation.
        """
        unit = self.units[connection.name]
        if not (self.training and connection.dropout):
            return unit(x)  # type: ignore[no-any-return]
        if self.fixed_graph or torch.compiler.is_compiling():
            kept = torch.rand((), device=x.device) >= connection.dropout
            return unit(x) * kept  # type: ignore[no-any-return]
        if torch.rand(()).item() < connection.dropout:
            return None
        return unit(x)  # type: ignore[no-any-return]

    def _pad(self, images: Tensor) -> tuple[Tensor, int, int]:
        """The image at a legal size, and where in it the given one begins."""
        height, width = images.shape[-2:]
        legal = legal_size(self.grid.spec, (height, width))
        if legal == (height, width):
            return images, 0, 0
        more, wider = legal[0] - height, legal[1] - width
        top, left = more // 2, wider // 2
        sides = (left, wider - left, top, more - top)
        return functional.pad(images, sides, mode="replicate"), top, left


def _ends_in_convolution(connection: Connection) -> bool:
    """Whether the unit's output can be added to in place: nobody reads it, not even backward."""
    return bool(connection.unit) and isinstance(connection.unit[-1], Conv | Deconv)


def require_memory(grid: Grid) -> None:
    """Refuse a network larger than the machine, which would take it down when it is made.

    Errors: `TooLargeError`.
    """
    layers = [*grid.stem, *grid.head]
    values = sum(layer.parameters for layer in layers) + sum(c.parameters for c in grid)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if 4 * values > memory:
        raise TooLargeError(
            f"The network has {values:,} parameters, {4 * values / 2**30:,.1f} GiB in fp32; this "
            f"machine has {memory / 2**30:,.1f} GiB. Use fewer streams or base_channels."
        )
