"""A full network in which connections bring nothing, to hold against one that has them not."""

from collections.abc import Iterable
from dataclasses import replace

import networkx as nx
from torch import nn

from gridgen.emit import GridNetwork
from gridgen.grid import Grid


def silenced(grid: Grid, names: Iterable[str]) -> GridNetwork:
    """The network of `grid` in which the connections `names` bring zeros.

    The last convolution's weight and bias are zero and no identity is added; BN may hold anything.
    """
    names = set(names)
    network = GridNetwork(_without_identities(grid, names))
    _scramble(network)
    for name in names:
        nn.init.zeros_(network.units[name][-1].weight)
        nn.init.zeros_(network.units[name][-1].bias)
    return network


def share_weights(whole: nn.Module, part: nn.Module) -> None:
    """The weights of `whole` in `part`, which has no others."""
    needed = part.state_dict()
    part.load_state_dict({key: w for key, w in whole.state_dict().items() if key in needed})


def _without_identities(grid: Grid, names: set[str]) -> Grid:
    dag = nx.DiGraph(grid.dag)
    for _, _, edge in dag.edges(data=True):
        if edge["connection"].name in names:
            edge["connection"] = replace(edge["connection"], shortcut=None)
    return replace(grid, dag=nx.freeze(dag))


def _scramble(network: nn.Module) -> None:
    """Statistics and scales as after a training, so that no BN is the identity."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
