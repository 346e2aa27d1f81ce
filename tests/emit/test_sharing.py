"""Sub-networks share the weights of a network: what they compute, and what they refuse."""

from random import Random

import pytest
import torch

from gridgen.emit import GridNetwork
from gridgen.emit.sharing import (
    SharedSubnetwork,
    copied_subnetwork,
    recalibrate,
    require_subnetwork,
)
from gridgen.errors import SpecError, UsageError
from gridgen.grid import FUSIONS, GridSpec, build_grid
from gridgen.grid.fusions import Fusion
from gridgen.grid.layers import BatchNorm, Conv, PReLU, ReLU, Residual
from gridgen.grid.subtopologies import Ways

WHOLE = GridSpec(streams=3, columns="2+2", base_channels=8, classes=4, size="pad")


def a_network(spec=WHOLE):
    torch.manual_seed(0)
    network = GridNetwork(spec).double()
    for parameter in network.parameters():  # those of batch normalization differ by channel too
        torch.nn.init.normal_(parameter, 0.5, 0.2)
    return network


def drawn(number, spec=WHOLE):
    """Sub-networks of all widths, each with other connections."""
    random = Random(number)
    topology = Ways(build_grid(spec)).subtopology(random).topology
    return spec.but(topology=topology, base_channels=random.randint(1, spec.base_channels))


def images():
    return torch.rand(2, 3, 24, 32, dtype=torch.double, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("fusion", ["sum", "concat", "weighted"])
@pytest.mark.parametrize("number", range(17))
def test_what_is_taken_computes_what_the_shared_one_does(fusion, number):
    network = a_network(WHOLE.but(fusion=fusion))
    spec = drawn(number, network.grid.spec)
    taken = copied_subnetwork(network, build_grid(spec)).train()
    shared = SharedSubnetwork(network, build_grid(spec))
    assert torch.allclose(shared(images()), taken(images()), rtol=0, atol=1e-12)
    assert dict(taken.state_dict()).keys() == dict(GridNetwork(spec).state_dict()).keys()


@pytest.mark.parametrize("fusion", ["sum", "concat", "weighted"])
def test_networks_that_share_their_modules_compute_what_others_do(fusion):
    network, made = a_network(WHOLE.but(fusion=fusion)), {}
    grids = [build_grid(drawn(number, network.grid.spec)) for number in range(6)]
    shared = [SharedSubnetwork(network, grid, made) for grid in grids]
    for each, grid in zip(shared, grids, strict=True):
        assert torch.equal(each(images()), SharedSubnetwork(network, grid)(images()))
        each.release()
    number = len(made)
    assert number < sum(len([*grid.parts()]) for grid in grids)
    assert len(SharedSubnetwork(network, grids[0], made).module.units) == len(
        shared[0].module.units
    )
    assert len(made) == number, "a part was made twice"


@pytest.mark.parametrize("fusion", ["sum", "concat", "weighted"])
def test_gradients_arrive_in_the_whole_network_where_the_sub_network_is(fusion):
    network = a_network(WHOLE.but(fusion=fusion))
    spec = network.grid.spec.but(topology="unet", base_channels=5)
    taken = copied_subnetwork(network, build_grid(spec)).train()
    SharedSubnetwork(network, build_grid(spec))(images()).square().mean().backward()
    taken(images()).square().mean().backward()
    theirs = dict(taken.named_parameters())
    for name, parameter in network.named_parameters():
        if name not in theirs:
            assert parameter.grad is None
            continue
        # Whatever the sub-network has not stays without a gradient, so that the sums are equal.
        assert torch.isclose(parameter.grad.square().sum(), theirs[name].grad.square().sum())


def test_the_whole_network_is_the_largest_of_its_sub_networks():
    network = a_network().train()
    whole = SharedSubnetwork(network, network.grid)
    before = {name: each.clone() for name, each in network.named_buffers()}
    output = whole(images())
    # Those of a sub-network would spoil the statistics of the whole one.
    assert all(torch.equal(each, before[name]) for name, each in network.named_buffers())
    assert torch.equal(output, network(images()))


def test_weights_of_a_fusion_are_those_of_the_connections_that_are_there():
    network = a_network(WHOLE.but(fusion="weighted"))
    with torch.no_grad():
        network.weights["map_1_2"].copy_(torch.tensor([1.0, 2.0]))
    full = network.grid.into((1, 2))
    assert [connection.name for connection in full] == ["lateral_1_2", "up_1_2"]
    spec = network.grid.spec.but(topology={"drop": ["up_1_2"]})
    assert "weights.map_1_2" not in copied_subnetwork(network, build_grid(spec)).state_dict()


def test_a_concatenation_reads_the_first_channels_of_each_connection_that_is_there():
    network = a_network(WHOLE.but(fusion="concat"))
    whole = network.get_parameter("fusions.map_0_2.0.weight")
    spec = network.grid.spec.but(base_channels=3)
    part = copied_subnetwork(network, build_grid(spec)).get_parameter("fusions.map_0_2.0.weight")
    assert torch.equal(part, torch.cat([whole[:3, :3], whole[:3, 8:11]], dim=1))


CHANNELS_OF_TWO = [0, 1, 2, 8, 9, 10]
OWN = {
    "activated": lambda joined, channels: (ReLU(), Conv(joined, channels, kernel=1)),
    "normed": lambda joined, channels: (BatchNorm(joined), PReLU(joined), Conv(joined, channels)),
    "mixed": lambda joined, channels: (Conv(joined, joined), ReLU(), Conv(joined, channels)),
    "separable": lambda joined, channels: (
        Conv(joined, joined, groups=joined),
        Conv(joined, channels, kernel=1),
    ),
    "block": lambda joined, channels: (
        Residual((Conv(joined, joined, kernel=1), BatchNorm(joined))),
        Conv(joined, channels, kernel=1),
    ),
}


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("topology", ["gridnet", "unet", {"drop": ["lateral_0_2"]}], ids=str)
def test_layers_of_a_fusion_of_ones_own_read_the_connections_that_are_there(
    name, topology, monkeypatch
):
    monkeypatch.setitem(FUSIONS, "own", Fusion("one's own", "concat", OWN[name]))
    network = a_network(WHOLE.but(fusion="own"))
    spec = network.grid.spec.but(topology=topology, base_channels=3)
    taken = copied_subnetwork(network, build_grid(spec))
    kept = [each.name for each in taken.grid.into((0, 2))]
    places = [i for i, each in enumerate(network.grid.into((0, 2))) if each.name in kept]
    channels = [8 * place + channel for place in places for channel in range(3)]
    tensors = network.state_dict()
    joined = 2 * 8, len(channels)
    for tensor_name, tensor in taken.state_dict().items():
        if tensor_name.startswith("fusions.map_0_2."):
            wanted = tensors[tensor_name]
            for dimension, size in enumerate(tensor.shape):
                of_joined = (wanted.shape[dimension], size) == joined
                entries = channels if of_joined else range(size)
                wanted = wanted.index_select(dimension, torch.tensor(list(entries)))
            assert torch.equal(tensor, wanted)
    shared = SharedSubnetwork(network, build_grid(spec))
    assert torch.allclose(shared(images()), taken.train()(images()), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("after", "tensor"),
    [
        (lambda joined, channels: (Conv(joined, channels, groups=channels),), "map_1_1.0.weight"),
        (
            lambda joined, channels: (
                *((BatchNorm(joined),) if joined < 12 else ()),
                Conv(joined, channels),
            ),
            "map_1_0.0.weight",
        ),
    ],
)
def test_layers_of_a_fusion_that_have_no_part_are_refused(after, tensor, monkeypatch):
    monkeypatch.setitem(FUSIONS, "own", Fusion("one's own", "concat", after))
    whole = build_grid(WHOLE.but(fusion="own"))
    with pytest.raises(SpecError) as caught:
        require_subnetwork(build_grid(whole.spec.but(base_channels=4)), whole)
    assert str(caught.value) == (
        f"fusions.{tensor} has no part that a sub-network could take; "
        "set fusion to sum, concat or weighted"
    )


def test_fewer_streams_are_a_sub_network():
    network = a_network()
    taken = copied_subnetwork(network, build_grid(WHOLE.but(streams=2)))
    assert {c.name for c in taken.grid} < {c.name for c in network.grid}


def test_fewer_streams_are_one_where_their_channels_do_not_double():
    network = a_network(WHOLE.but(base_channels=None, channels=[4, 6, 9]))
    spec = network.grid.spec.but(streams=2, channels=[4, 6])
    assert copied_subnetwork(network, build_grid(spec)).grid.spec == spec
    with pytest.raises(SpecError, match="channels of stream 1 is 7, but the whole network has 6"):
        require_subnetwork(build_grid(spec.but(channels=[4, 7])), network.grid)


def test_what_is_released_holds_no_copies_of_weights_and_computes_again():
    network = a_network(WHOLE.but(fusion="concat"))
    shared = SharedSubnetwork(network, build_grid(network.grid.spec.but(base_channels=3)))
    first = shared(images())
    shared.release()
    assert not [*shared.module.parameters()]
    assert torch.equal(shared(images()), first)


def test_it_computes_with_the_weights_of_the_moment():
    network = a_network()
    shared = SharedSubnetwork(network, build_grid(WHOLE.but(topology="resnet")))
    before = shared(images())
    with torch.no_grad():
        list(network.head.parameters())[-1].add_(1.0)
    assert not torch.equal(before, shared(images()))


def test_statistics_are_not_left_without_a_batch():
    network = a_network()
    network(images())
    before = {name: each.clone() for name, each in network.named_buffers()}
    with pytest.raises(UsageError) as caught:
        recalibrate(network, iter([]))
    assert str(caught.value) == "recalibrate: batches is empty; give a batch of images at least"
    assert all(torch.equal(each, before[name]) for name, each in network.named_buffers())
    recalibrate(a_network(WHOLE.but(norm="none", stem="residual")), [])


def test_making_one_draws_no_random_number():
    network = a_network()
    torch.manual_seed(3)
    state = torch.get_rng_state()
    SharedSubnetwork(network, build_grid(WHOLE.but(topology="unet")))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base_channels": 9}, "base_channels is 9, but the whole network has 8; give 8 at most"),
        ({"streams": 4}, "streams is 4, but the whole network has 3; give 3 at most"),
        ({"columns": "2+1"}, "columns is '2+1', but '2+2' in the whole network; only"),
        ({"fusion": "concat"}, "fusion is 'concat', but 'sum' in the whole network; only"),
        ({"classes": 5}, "classes is 5, but 4 in the whole network; only"),
    ],
)
def test_what_is_no_sub_network_is_refused(changes, said):
    with pytest.raises(SpecError) as caught:
        require_subnetwork(build_grid(WHOLE.but(**changes)), build_grid(WHOLE))
    assert str(caught.value).startswith(said)


def test_connections_that_the_whole_network_has_not_are_refused():
    whole = build_grid(WHOLE.but(topology="unet"))
    with pytest.raises(SpecError, match=r"the whole network has no sub_2_0; keep some of its 11"):
        require_subnetwork(build_grid(WHOLE), whole)


def test_a_published_network_has_no_sub_networks():
    from gridgen import load_spec

    spec = load_spec("unet-2015")
    with pytest.raises(SpecError, match=r"unet-2015 is a network of its own; sub-networks are"):
        require_subnetwork(build_grid(spec), build_grid(spec))
