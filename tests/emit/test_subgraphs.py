"""The paper's claim, checked: its four networks are the grid with connections silenced."""

import pytest
import torch

from gridgen.analysis.relations import relate
from gridgen.emit import GridNetwork
from gridgen.grid import build_grid, prune, removed
from gridgen.spec import GridSpec
from gridgen.testing.oracles import share_weights, silenced

FOUR = ("conv-deconv", "unet", "frrn", "resnet")


@pytest.mark.parametrize("columns", ["3+3", "4+4"])
@pytest.mark.parametrize("topology", FOUR)
def test_a_topology_is_the_full_grid_with_the_other_connections_silenced(topology, columns):
    """Same weights, same output to 1e-6, in evaluation mode.

    Silenced: the last convolution of the unit has weight and bias zero, and a lateral's identity
    is not added.
    """
    torch.manual_seed(0)
    spec = GridSpec(streams=5, columns=columns, base_channels=4, classes=3)
    full = build_grid(spec)
    grid = prune(full, topology)
    lost = {connection.name for connection in removed(grid)}
    relation = relate(grid, full)
    assert relation.subgraph
    assert set(relation.only_in_b) == lost

    whole, part = silenced(full, lost).eval(), GridNetwork(grid).eval()
    share_weights(whole, part)
    image = torch.rand(2, 3, 32, 48)
    expected, got = part(image), whole(image)
    assert expected.std() > 0.01
    assert (got - expected).abs().max() <= 1e-6


@pytest.mark.parametrize("topology", FOUR)
def test_a_connection_that_is_not_silenced_is_noticed(topology):
    torch.manual_seed(0)
    full = build_grid(GridSpec(streams=3, columns="2+2", base_channels=4, classes=3))
    whole, part = GridNetwork(full).eval(), GridNetwork(prune(full, topology)).eval()
    share_weights(whole, part)
    image = torch.rand(1, 3, 16, 16)
    assert (whole(image) - part(image)).abs().max() > 1e-3
