"""A grid becomes a torch module. The network *has* a Grid; the Grid knows nothing of it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Self, get_args

import torch
from torch import Tensor, nn

from gridgen.analysis.schedule import Step, by_column, ends_in_convolution, reads
from gridgen.emit.fit import fit, restore
from gridgen.emit.lower import lower
from gridgen.emit.recompute import recomputed
from gridgen.emit.sides import enter
from gridgen.errors import SizeError, UsageError, unknown
from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.memory.host import require_memory
from gridgen.memory.order import lean
from gridgen.memory.setting import Recompute

EPSILON = 1e-4
RECOMPUTE = get_args(get_args(Recompute)[0])

Maps = dict[FeatureMap, Tensor]


class GridNetwork(nn.Module):
    """The network of a grid: stem, units, fusions, head.

    (N, in_channels, H, W) with values in [0, 1] -> (N, classes, H, W), logits or restored images.
    For heights and widths that the grid cannot take, the spec's `size` says what is done
    (`fit.py`); with the policy `error` they are refused (`SizeError`).

    Names in `state_dict` come from coordinates: `units.sub_2_1.2.weight` is the third layer of
    the subsampling unit into X(2, 1); `shortcuts` hold projections of identities, `fusions` the
    layers of a map after what arrives is joined, `weights` those of a weighted fusion, `sides`
    the blocks of features that enter beside the image.

    Weights and maps are laid out channels-last, which is the faster of both (`benchmarks/`);
    `network.to(memory_format=torch.contiguous_format)` changes that.

    `fixed_graph` makes total dropout multiply by a mask instead of leaving the unit out, for
    whoever wraps the module in DistributedDataParallel as it is (`gridgen train` does it
    otherwise); under `torch.compile` this is done by itself. With a mask, a dropped unit's BN
    statistics move in that step; otherwise they do not. Where side features are not always given,
    DistributedDataParallel needs its `find_unused_parameters` too.

    In evaluation maps are computed in the order that needs least memory, in training column by
    column. `recompute` (unit, column) makes training keep less and compute more; `torch.compile`
    decides that by itself.

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
        self.recompute = "none"
        self.columns = by_column(grid)
        self.steps: tuple[Step, ...] = ()  # found when it is first evaluated
        self.fresh = frozenset(c.name for c in grid if ends_in_convolution(c))
        self.stem = lower(grid.stem)
        self.sides = nn.ModuleDict({side.target.name: lower(side.layers) for side in grid.sides})
        self.units = nn.ModuleDict({c.name: lower(c.unit) for c in grid})
        self.shortcuts = nn.ModuleDict({c.name: lower(c.shortcut) for c in grid if c.shortcut})
        after = {target.name: grid.fusion_layers(target) for target in grid.maps}
        self.fusions = nn.ModuleDict(
            {name: lower(layers) for name, layers in after.items() if layers}
        )
        self.weights = nn.ParameterDict(
            {
                step.target.name: torch.ones(len(step.arrivals))
                for steps in self.columns
                for step in steps
                if step.join == "weighted"
            }
        )
        self.head = lower(grid.head)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def recompute(self) -> Recompute:
        """What the backward pass computes again: none, unit or column. Errors: `UsageError`."""
        return self._recompute

    @recompute.setter
    def recompute(self, what: Recompute) -> None:
        if what not in RECOMPUTE:
            raise UsageError(unknown("recomputation", what, RECOMPUTE))
        self._recompute = what

    def train(self, mode: bool = True) -> Self:
        """As `nn.Module.train`; the order of evaluation is found before the first one."""
        if not mode and not self.steps:
            self.steps = lean(self.grid)
        return super().train(mode)

    def forward(self, images: Tensor, features: Sequence[Tensor | None] | None = None) -> Tensor:
        """Logits for a batch of images.

        `features`, where the spec has `side_channels`, hold for each stream i below stream 0
        (N, side_channels[i - 1], H / 2^i, W / 2^i) of the fitted image, or None.
        """
        if images.shape[1] != self.grid.spec.in_channels:
            raise SizeError(
                f"Images have {images.shape[1]} channels; the spec's in_channels is "
                f"{self.grid.spec.in_channels}. Change one of them."
            )
        spec, (height, width) = self.grid.spec, images.shape[-2:]
        fitted = fit(images, spec)
        entering = enter(self.grid, fitted, features)
        logits: Tensor = self.head(self._grid(self.stem(fitted), entering))
        return restore(logits, spec, (height, width))

    def _grid(self, stem: Tensor, entering: Maps) -> Tensor:
        """From the input map to the output map, each map freed after its last use."""
        maps = {self.grid.input: self._after(self.grid.input, stem)}
        del stem
        if not self.training and self.steps:
            self._run(self.steps, maps, entering)
        else:
            for steps in self.columns:
                self._column(steps, maps, entering)
        return maps[self.grid.output]

    def _column(self, steps: tuple[Step, ...], maps: Maps, entering: Maps) -> None:
        """The maps of one column, in place of those that nothing reads any more."""
        if not self._again("column"):
            self._run(steps, maps, entering)
            return
        read = {feature_map for step in steps for c in step.arrivals for feature_map in reads(c)}
        given = tuple(feature_map for feature_map in maps if feature_map in read)

        def column(*tensors: Tensor) -> Maps:
            inside = dict(zip(given, tensors, strict=True))
            self._run(steps, inside, entering)
            return {target: x for target, x in inside.items() if target not in given}

        tensors = tuple(maps[feature_map] for feature_map in given)
        made = recomputed(column, tensors, self._parts(steps))
        for done in (done for step in steps for each in step.done for done in each):
            maps.pop(done, None)
        maps.update(made)

    def _parts(self, steps: tuple[Step, ...]) -> Iterator[nn.Module]:
        """The modules that compute the maps of `steps`."""
        for step in steps:
            for parts in (self.units, self.shortcuts):
                yield from (parts[c.name] for c in step.arrivals if c.name in parts)
            name = step.target.name
            yield from (parts[name] for parts in (self.fusions, self.sides) if name in parts)

    def _again(self, what: Recompute) -> bool:
        """Whether that is what the backward pass computes again."""
        asked = self.recompute == what and self.training and torch.is_grad_enabled()
        return asked and not torch.compiler.is_compiling()

    def _run(self, steps: Iterable[Step], maps: Maps, entering: Maps) -> None:
        for step in steps:
            maps[step.target] = self._after(step.target, self._fuse(step, maps))
            if step.target in entering:
                side = self.sides[step.target.name](entering[step.target])
                maps[step.target] = maps[step.target] + side

    def _fuse(self, step: Step, maps: Maps) -> Tensor:
        match step.join:
            case "concat":
                return torch.cat(self._arrivals(step, maps), dim=1)
            case "weighted":
                return self._average(step, maps)
            case "sum":
                return self._sum(step, maps)

    def _after(self, target: FeatureMap, fused: Tensor) -> Tensor:
        """The map's own layers."""
        name = target.name
        return self.fusions[name](fused) if name in self.fusions else fused

    def _arrivals(self, step: Step, maps: Maps) -> list[Tensor]:
        """All that arrives, one after the other."""
        return [self._arrive(step, index, maps) for index in range(len(step.arrivals))]

    def _average(self, step: Step, maps: Maps) -> Tensor:
        """Fast normalized fusion (Tan et al. 2020, section 3.3): sum of w x / (eps + sum of w)."""
        weights = self.weights[step.target.name].relu()
        shares = weights / (weights.sum() + EPSILON)
        arrivals = self._arrivals(step, maps)
        return torch.stack([share * x for share, x in zip(shares, arrivals, strict=True)]).sum(0)

    def _sum(self, step: Step, maps: Maps) -> Tensor:
        fused = self._arrive(step, 0, maps)
        for index, connection in enumerate(step.arrivals[1:], 1):
            arrival = self._arrive(step, index, maps)
            # What may be a dropped unit's bare identity is a map that others read.
            dropped = self.training and connection.dropout
            alone = connection.name in self.fresh and not dropped
            fused = arrival.add_(fused) if alone else fused + arrival
        return fused

    def _arrive(self, step: Step, index: int, maps: Maps) -> Tensor:
        """What one connection brings; maps that nothing reads any more are freed."""
        arrival = self._brought(step.arrivals[index], maps)
        for done in step.done[index]:
            del maps[done]
        return arrival

    def _brought(self, connection: Connection, maps: Maps) -> Tensor:
        """The unit's output and the identity."""
        x = maps[connection.source]
        seen = () if connection.auxiliary is None else (maps[connection.auxiliary],)
        branch = self._branch(connection, x, *seen)
        if connection.shortcut is None:
            return torch.zeros_like(x) if branch is None else branch
        identity = self.shortcuts[connection.name](x) if connection.shortcut else x
        if branch is None:
            return identity
        return branch.add_(identity) if connection.name in self.fresh else identity + branch

    def _branch(self, connection: Connection, x: Tensor, *seen: Tensor) -> Tensor | None:
        """The unit's output, or None where total dropout drops it (section 3.1).

        One draw per unit and forward pass for the whole batch; never rescaled; off in evaluation.
        """
        if not (self.training and connection.dropout):
            return self._unit(connection, x, *seen)
        if self.fixed_graph or torch.compiler.is_compiling():
            kept = torch.rand((), device=x.device) >= connection.dropout
            return self._unit(connection, x, *seen) * kept
        if torch.rand(()).item() < connection.dropout:
            return None
        return self._unit(connection, x, *seen)

    def _unit(self, connection: Connection, x: Tensor, *seen: Tensor) -> Tensor:
        unit = self.units[connection.name]
        if connection.unit and self._again("unit"):
            return recomputed(unit, (x, *seen), (unit,))  # type: ignore[no-any-return]
        return unit(x, *seen)  # type: ignore[no-any-return]
