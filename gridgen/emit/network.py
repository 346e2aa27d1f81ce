"""A grid becomes a torch module: an interpreter of its program."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Self, assert_never, get_args

import torch
from torch import Tensor, nn

from gridgen.arguments import checked
from gridgen.emit.input_sizes import entering, fit, require_images, restore
from gridgen.emit.lowering import lower
from gridgen.emit.recompute import recomputed
from gridgen.errors import UsageError, unknown
from gridgen.grid import GridLike, as_grid
from gridgen.grid.layers import Layers
from gridgen.memory.host import require_memory
from gridgen.memory.min_memory_order import evaluation_program
from gridgen.program import Program, Recompute, compile_program, operations as ops
from gridgen.program.operations import Operation

EPSILON = 1e-4
# Signals have no such layout.
CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}
RECOMPUTE = get_args(Recompute)

NamedValues = dict[str, Tensor | None]
"""Named values of a program; None where a value is absent."""


class GridNetwork(nn.Module):
    """The network of a grid: stem, units, fusions, head.

    (N, in_channels, H, W) with values in [0, 1] -> (N, classes, H, W), logits or restored images;
    (N, in_channels, L) or (N, in_channels, D, H, W) where the spec's `dimensions` are 1 or 3.
    For sides that the grid cannot take, the spec's `size` says what is done
    (`emit/input_sizes.py`); with the policy `error` they are refused (`SizeError`).

    Names in `state_dict` come from coordinates: `units.sub_2_1.2.weight` is the third layer of
    the subsampling unit into X(2, 1); `shortcuts` hold projections of identities, `fusions` the
    layers of a map after what arrives is joined, `weights` those of a weighted fusion, `sides`
    the blocks of features that enter beside the image.

    Weights and maps of images and volumes are laid out channels-last, the faster of both for
    images (`benchmarks/`);
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
    >>> spec = GridSpec(streams=2, columns="1+1", base_channels=4, classes=3, size="pad")
    >>> GridNetwork(build_grid(spec))(torch.rand(2, 3, 33, 65)).shape
    torch.Size([2, 3, 33, 65])
    """

    @checked
    def __init__(self, grid: GridLike) -> None:
        super().__init__()
        grid = as_grid(grid)
        require_memory(grid)
        self.grid = grid
        self.fixed_graph = False
        self.recompute = "none"
        self.evaluation: Program | None = None  # compiled by the first `eval()`
        parts = {name: self._lowered(name, layers) for name, layers in grid.parts()}
        self.stem = parts.pop("stem")
        self.sides = _group(parts, "sides")
        self.units = _group(parts, "units")
        self.shortcuts = _group(parts, "shortcuts")
        self.fusions = _group(parts, "fusions")
        self.weights = nn.ParameterDict(
            {name: torch.ones(number) for name, number in grid.fusion_weights()}
        )
        self.head = parts.pop("head")

    def _lowered(self, name: str, layers: Layers) -> nn.Module:
        """The module of a part; a subclass may give one that it has already."""
        part = lower(layers)
        # On a CPU and on tensor cores convolutions are faster so; see benchmarks/README.md.
        if layout := CHANNELS_LAST.get(self.grid.spec.dimensions):
            part.to(memory_format=layout)  # type: ignore[call-overload]
        return part

    @property
    def recompute(self) -> Recompute:
        """The part that the backward pass computes again: none, unit or column.

        Errors: `UsageError`.
        """
        return self._recompute

    @recompute.setter
    def recompute(self, what: Recompute) -> None:
        if what not in RECOMPUTE:
            raise UsageError(unknown("recomputation", str(what), RECOMPUTE))
        self._recompute = what
        self.step = compile_program(self.grid, training=True, recompute=what)

    @checked
    def train(self, mode: bool = True) -> Self:
        """Set the mode; the program of evaluation is compiled before the first evaluation."""
        if not mode and self.evaluation is None:
            self.evaluation = evaluation_program(self.grid)
        return super().train(mode)

    def forward(self, images: Tensor, features: Sequence[Tensor | None] | None = None) -> Tensor:
        """Logits for a batch of images.

        `features`, where the spec has `side_channels`, hold for each stream i below stream 0
        (N, side_channels[i - 1], H / 2^i, W / 2^i) of the fitted image, or None; half of each side
        where the stem is strided.
        """
        program, values = self._begin(images, features)
        self._execute(program.operations, values)
        return _present(values[ops.PREDICTION])

    def _begin(
        self, images: Tensor, features: Sequence[Tensor | None] | None
    ) -> tuple[Program, NamedValues]:
        """The program of the mode, and the values that enter it."""
        weight = next(self.parameters(), None)
        require_images(images, self.grid.spec, weight)
        values: NamedValues = {ops.IMAGES: images}
        values |= entering(self.grid, images, features, weight)
        return self.evaluation if not self.training and self.evaluation else self.step, values

    @checked
    def feature_maps(self, images: Tensor, names: Sequence[str]) -> list[Tensor]:
        """The maps of these names (`map_0_2`), each (N, channels, h, w) of the fitted images.

        Nothing is computed after the last of them. Errors: `UsageError` for a name that no map
        has, and where whole columns are recomputed, which keeps no maps.
        """
        known = [each.name for each in self.grid.maps]
        for name in names:
            if name not in known:
                raise UsageError(unknown("map", name, known))
        if self.training and self.recompute == "column":
            raise UsageError("recompute: column keeps no feature maps; set it to unit or none")
        program, values = self._begin(images, None)
        for operation in program.operations:
            if all(name in values for name in names):
                break
            self._execute((operation,), values, frozenset(names))
        return [_present(values[name]) for name in names]

    def _execute(
        self,
        operations: Iterable[Operation],
        values: NamedValues,
        kept: frozenset[str] = frozenset(),
    ) -> None:
        """Run `operations` in turn, on values that are freed as soon as nothing reads them.

        Those in `kept` are not.
        """
        for operation in operations:
            match operation:
                case ops.RunLayers():
                    values[operation.output] = self._run(operation, values)
                case ops.Add():
                    values[operation.output] = _add(operation, values)
                case ops.Free(names):
                    for name in (each for each in names if each not in kept):
                        # A checkpoint that ran without recomputation has freed its inputs already.
                        values.pop(name, None)
                case ops.Concatenate(inputs, output):
                    values[output] = torch.cat([_present(values[name]) for name in inputs], dim=1)
                case ops.Weigh():
                    values[operation.output] = self._weigh(operation, values)
                case ops.Checkpoint():
                    self._checkpoint(operation, values)
                case ops.FitSize():
                    images = _present(values[operation.input])
                    values[operation.output] = fit(images, self.grid.spec)
                case ops.RestoreSize():
                    logits, like = (values[name] for name in (operation.input, operation.like))
                    size = tuple(_present(like).shape[2:])
                    restored = restore(_present(logits), self.grid.spec, size)
                    values[operation.output] = restored
                case _:
                    assert_never(operation)

    def _run(self, run: ops.RunLayers, values: NamedValues) -> Tensor | None:
        """The output of a part, or None where it is absent.

        Total dropout (section 3.1) draws once per unit and forward pass for the whole batch; it
        never rescales, and is off in evaluation.
        """
        x = values[run.input]
        if x is None or not run.layers:
            return x
        part = self._part(run.part)
        auxiliary = () if run.auxiliary is None else (values[run.auxiliary],)
        if not (self.training and run.dropout):
            return part(x, *auxiliary)  # type: ignore[no-any-return]
        if self.fixed_graph or torch.compiler.is_compiling():
            kept = torch.rand((), device=x.device) >= run.dropout
            # A branch on a drawn number would split the graph of torch.compile at every unit.
            return part(x, *auxiliary) * kept  # type: ignore[no-any-return]
        # Drawn on the CPU: a draw on the GPU would make every unit wait for it.
        if torch.rand(()).item() < run.dropout:
            return torch.zeros_like(x) if run.zeros_if_dropped else None
        return part(x, *auxiliary)  # type: ignore[no-any-return]

    def _weigh(self, weigh: ops.Weigh, values: NamedValues) -> Tensor:
        arrivals = [_present(values[name]) for name in weigh.inputs]
        weights = self.weights[weigh.part.removeprefix("weights.")].relu()
        shares = weights / (weights.sum() + EPSILON)
        return torch.stack([share * x for share, x in zip(shares, arrivals, strict=True)]).sum(0)

    def _checkpoint(self, checkpoint: ops.Checkpoint, values: NamedValues) -> None:
        """Run the operations inside, keeping only their inputs for the backward pass."""
        keeps_all = not (self.training and torch.is_grad_enabled())
        if keeps_all or torch.compiler.is_compiling():
            self._execute(checkpoint.operations, values)
            return

        def inside(*inputs: Tensor | None) -> tuple[Tensor | None, ...]:
            local = dict(zip(checkpoint.inputs, inputs, strict=True))
            self._execute(checkpoint.operations, local)
            return tuple(local[name] for name in checkpoint.outputs)

        inputs = tuple(values[name] for name in checkpoint.inputs)
        outputs = recomputed(inside, inputs, self._parts(checkpoint.operations))
        values.update(zip(checkpoint.outputs, outputs, strict=True))

    def _parts(self, operations: Iterable[Operation]) -> Iterator[nn.Module]:
        """The modules that `operations` run."""
        for operation in operations:
            if isinstance(operation, ops.RunLayers) and operation.layers:
                yield self._part(operation.part)

    def _part(self, name: str) -> nn.Module:
        """The module of a part such as `stem` or `units.sub_2_1`."""
        group, _, member = name.partition(".")
        module: nn.Module = getattr(self, group)
        return module[member] if member else module  # type: ignore[index]


def _group(parts: dict[str, nn.Module], group: str) -> nn.ModuleDict:
    """The modules of one group of parts, under the rest of their names."""
    members = (name.partition(".")[::2] for name in parts)
    return nn.ModuleDict({rest: parts[f"{group}.{rest}"] for own, rest in members if own == group})


def _add(add: ops.Add, values: NamedValues) -> Tensor | None:
    """The sum of both values, or the present one where the other is absent."""
    first, second = values[add.first], values[add.second]
    if first is None or second is None:
        return second if first is None else first
    # The program allows this only where nobody else reads `second`, backward passes included.
    return second.add_(first) if add.in_place else first + second


def _present(value: Tensor | None) -> Tensor:
    assert value is not None
    return value
