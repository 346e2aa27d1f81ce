"""What torch itself says of a network, and a network in which connections bring nothing.

None of it knows how gridgen counts; the suites hold one against the other.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar
from weakref import ref

import networkx as nx
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from gridgen.emit import GridNetwork
from gridgen.grid import Connection, Grid

T = TypeVar("T")
HOLDERS = nn.ModuleDict | nn.ParameterDict | nn.Sequential
BATCH_NORMS = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d
CONVOLUTIONS = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
)


def network_on_meta(grid: Grid) -> GridNetwork:
    """The network without memory for its weights."""
    with torch.device("meta"):
        return GridNetwork(grid)


def measured(network: nn.Module, *inputs: Any) -> tuple[int, int]:
    """Values in the outputs of all leaf modules, as forward hooks see them, and MACs."""
    values = 0

    def add(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal values
        values += output.numel()

    hooks = [
        module.register_forward_hook(add)
        for module in network.modules()
        if not any(module.children()) and not isinstance(module, HOLDERS)
    ]
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), _without_batch_norms(network), counter:
        network(*inputs)
    for hook in hooks:
        hook.remove()
    return values, counter.get_total_flops() // 2


@contextmanager
def _without_batch_norms(network: nn.Module) -> Iterator[None]:
    """BNs let their input through: as many values, and no multiply-accumulates.

    Without memory torch takes each of them apart into twenty operations, half of all the time.
    """
    norms = [module for module in network.modules() if isinstance(module, BATCH_NORMS)]
    for norm in norms:
        norm.__dict__["forward"] = _same  # over the method of the class
    try:
        yield
    finally:
        for norm in norms:
            del norm.__dict__["forward"]


def _same(values: Tensor) -> Tensor:
    return values


def kept_by_autograd(run: Callable[[], T], held: Iterable[Tensor]) -> tuple[T, int]:
    """What `run` returns, and the bytes that autograd then keeps for its backward pass.

    Each storage counts once; those of `held` (parameters, buffers) and what was packed for an
    operation that nothing needs do not.
    """
    packed = []

    def pack(tensor: Tensor) -> Tensor:
        kept = tensor.detach()
        packed.append(ref(kept))
        return kept

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run()
    # Fake tensors have storages without an address, so the storage itself is the key.
    known = {tensor.untyped_storage()._cdata for tensor in held}
    alive = [tensor.untyped_storage() for kept in packed if (tensor := kept()) is not None]
    storages = {storage._cdata: storage.nbytes() for storage in alive}
    return result, sum(size for key, size in storages.items() if key not in known)


def never_dropping(grid: Grid) -> Grid:
    """The grid with total dropout so rare that no training step drops a unit, where it has any."""
    # Not 0, with which the program of a training step would be another.
    return _changed(grid, lambda c: replace(c, dropout=min(c.dropout, 1e-12)))


def silenced(grid: Grid, names: Iterable[str]) -> GridNetwork:
    """The network of `grid` in which the connections `names` bring zeros.

    No identity is added, and the weight and bias of the unit's last layer, a convolution, are zero
    (BN may hold anything). The output of a unit that ends otherwise is replaced by zeros.
    """
    names = set(names)
    network = GridNetwork(
        _changed(grid, lambda c: replace(c, shortcut=None) if c.name in names else c)
    )
    _scramble(network)
    for name in names:
        unit = network.units[name]
        last = list(unit.children())[-1]
        if isinstance(last, CONVOLUTIONS):
            for parameter in last.parameters():
                nn.init.zeros_(parameter)
        else:
            unit.register_forward_hook(lambda _module, _inputs, output: torch.zeros_like(output))
    return network


def share_weights(whole: nn.Module, part: nn.Module) -> None:
    """Give `part`, which has no others, the weights of `whole`."""
    needed = part.state_dict()
    part.load_state_dict({key: w for key, w in whole.state_dict().items() if key in needed})


def _changed(grid: Grid, change: Callable[[Connection], Connection]) -> Grid:
    dag = grid.dag.copy()  # not frozen, but with the same records
    for _, _, edge in dag.edges(data=True):
        edge["connection"] = change(edge["connection"])
    return replace(grid, dag=nx.freeze(dag))


def _scramble(network: nn.Module) -> None:
    """Statistics and scales as after a training, so that no BN is the identity."""
    for module in network.modules():
        if isinstance(module, BATCH_NORMS):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
