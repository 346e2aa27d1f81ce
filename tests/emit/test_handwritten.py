"""The grid's network against the paper's, written by hand without any of gridgen."""

import pytest
import torch

from gridgen.analysis import count
from gridgen.emit import GridNetwork
from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from tests.oracles.handwritten import HandWritten


def adopt(hand: HandWritten, network: GridNetwork) -> None:
    """Give the network of the grid the weights and statistics of the one written by hand."""
    network.stem.load_state_dict(hand.stem.state_dict())
    network.head.load_state_dict(hand.head.state_dict())
    for connection in network.grid:
        stream, column = connection.target
        part = {
            "lateral": lambda i, j: hand.res[j - 1][i].layers,
            "subsampling": lambda i, j: hand.down[j][i - 1],
            "upsampling": lambda i, j: hand.rise[j - hand.sub][i],
        }[connection.kind](stream, column)
        network.units[connection.name].load_state_dict(part.state_dict())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("streams", "sub", "up"), [(3, 2, 2), (4, 1, 3), (2, 3, 1), (1, 2, 2)])
def test_they_are_the_same_function(streams, sub, up, training):
    torch.manual_seed(0)
    hand = HandWritten(streams, sub, up, base=4, classes=3).double().train(training)
    spec = GridSpec(streams=streams, columns=f"{sub}+{up}", base_channels=4, classes=3)
    network = GridNetwork(build_grid(spec)).double().train(training)
    adopt(hand, network)
    images = torch.rand(2, 3, 16, 24).double()
    torch.testing.assert_close(network(images), hand(images))


def test_the_papers_network_has_as_many_parameters(paper_grid):
    with torch.device("meta"):
        hand = sum(parameter.numel() for parameter in HandWritten().parameters())
    assert hand == count(paper_grid).parameters.total == 13_181_097
