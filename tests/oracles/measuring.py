"""What a module costs, as torch itself sees it: the oracle of all counts."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gridgen.emit import GridNetwork

HOLDERS = nn.ModuleDict | nn.ParameterDict | nn.Sequential


def network_on_meta(grid) -> GridNetwork:
    """The network without memory for its weights."""
    with torch.device("meta"):
        return GridNetwork(grid)


def measured(network: GridNetwork, *inputs) -> tuple[int, int]:
    """Values in the outputs of all leaf modules, as forward hooks see them, and MACs."""
    values = 0

    def add(_module, _inputs, output):
        nonlocal values
        values += output.numel()

    for module in network.modules():
        if not any(module.children()) and not isinstance(module, HOLDERS):
            module.register_forward_hook(add)
    with FlopCounterMode(display=False) as counter:
        network(*inputs)
    return values, counter.get_total_flops() // 2
