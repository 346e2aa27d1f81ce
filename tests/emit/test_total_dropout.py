"""Total dropout (section 3.1): one draw per unit and pass, for the whole batch, never rescaled."""

import pytest
import torch

from gridgen.emit import GridNetwork
from gridgen.grid import build_grid
from gridgen.program import map_operations
from gridgen.spec import GridSpec


def network_of(dropout: float, **fields) -> GridNetwork:
    torch.manual_seed(0)
    spec = GridSpec(
        streams=2, columns="1+1", base_channels=4, classes=3, total_dropout=dropout, **fields
    )
    return GridNetwork(build_grid(spec))


def calls_of(network: GridNetwork, name: str) -> list[int]:
    """A list that grows by one with every call of the unit `name`."""
    calls: list[int] = []
    network.units[name].register_forward_hook(lambda *_: calls.append(1))
    return calls


def test_units_are_dropped_with_the_given_probability_one_draw_each():
    network = network_of(0.25)
    top, bottom = calls_of(network, "lateral_0_1"), calls_of(network, "lateral_1_1")
    passes, both = 800, 0
    for _ in range(passes):
        before = len(top), len(bottom)
        network(torch.rand(1, 3, 4, 4).expand(2, -1, -1, -1))
        both += (len(top), len(bottom)) == before
    assert len(top) / passes == pytest.approx(0.75, abs=0.05)
    assert len(bottom) / passes == pytest.approx(0.75, abs=0.05)
    assert both / passes == pytest.approx(0.0625, abs=0.03), "the draws are independent"


def test_vertical_units_are_never_dropped():
    network = network_of(0.9, residual={"vertical": True})
    sub, up = calls_of(network, "sub_1_0"), calls_of(network, "up_0_1")
    for _ in range(30):
        network(torch.rand(2, 3, 4, 4))
    assert (len(sub), len(up)) == (30, 30)


def brought_by_lateral_0_1(network: GridNetwork, x: torch.Tensor) -> torch.Tensor:
    """What the connection into X(0, 1) brings from a map `x`; nothing else arrives there."""
    values = {"map_0_0": x}
    arrivals = [c for c in network.grid if c.name == "lateral_0_1"]
    network._execute(map_operations(network.grid, arrivals, {}, training=True), values)
    return values["map_0_1"]


@pytest.mark.parametrize("fixed_graph", [False, True])
def test_a_dropped_unit_leaves_the_identity_for_the_whole_batch_and_nothing_is_rescaled(
    fixed_graph,
):
    network = network_of(0.5)
    network.fixed_graph = fixed_graph
    x = torch.randn(3, 4, 8, 8)
    branch = network.units["lateral_0_1"](x)
    outcomes = set()
    for _ in range(40):
        brought = brought_by_lateral_0_1(network, x)
        dropped = torch.equal(brought, x)
        outcomes.add(dropped)
        if not dropped:
            torch.testing.assert_close(brought, x + branch)
    assert outcomes == {True, False}


def test_evaluation_drops_nothing():
    network = network_of(0.9).eval()
    image = torch.rand(1, 3, 8, 8)
    assert all(torch.equal(network(image), network(image)) for _ in range(20))


def test_without_identity_a_dropped_unit_brings_zeros():
    network = network_of(0.5, residual={"lateral": False})
    x = torch.randn(2, 4, 8, 8)
    zero = [bool((brought_by_lateral_0_1(network, x) == 0).all()) for _ in range(40)]
    assert set(zero) == {True, False}


def test_a_fixed_graph_computes_every_unit_and_gives_every_parameter_a_gradient():
    network = network_of(0.9)
    network.fixed_graph = True
    calls = calls_of(network, "lateral_0_1")
    for _ in range(10):
        network(torch.rand(2, 3, 8, 8)).sum().backward()
    assert len(calls) == 10
    assert all(p.grad is not None for p in network.parameters())


def test_the_graph_can_be_captured_whole_and_still_drops():
    """What `torch.compile` needs: no branch on a drawn number."""
    network = network_of(0.5)
    captured = torch.compile(network, fullgraph=True, backend="aot_eager")
    image = torch.rand(2, 3, 8, 8)
    assert len({float(captured(image).detach()[0, 0, 0, 0]) for _ in range(30)}) > 1
