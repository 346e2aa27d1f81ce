"""The module is the grid: same counts, every unit trained, sizes, memory."""

from dataclasses import replace

import networkx as nx
import pytest
import torch
from hypothesis import given, settings
from strategies import specs, topologies_for

from gridgen.analysis import count
from gridgen.emit import GridNetwork
from gridgen.emit.lowering import lower
from gridgen.errors import SizeError, TooLargeError
from gridgen.grid import TOPOLOGIES, build_grid, prune
from gridgen.grid.layers import BatchNorm, Conv, ReLU
from gridgen.memory.min_memory_order import min_memory_order
from gridgen.program.compiler import last_reads
from gridgen.spec import GridSpec
from gridgen.testing import check_gradients, check_pruning
from gridgen.testing.oracles import measured, network_on_meta

PAPER_FAMILY = {"streams": 3, "columns": "2+2", "base_channels": 4, "classes": 3}


def test_the_papers_network_has_13181097_parameters(paper_grid):
    network = network_on_meta(paper_grid)
    assert sum(p.numel() for p in network.parameters()) == 13_181_097


def test_the_papers_network_at_400x400_costs_what_is_counted(paper_grid):
    network = network_on_meta(paper_grid).eval()
    image = torch.empty(1, 3, 400, 400, device="meta")
    counted = count(paper_grid, (400, 400))
    assert (counted.activations.total, counted.macs.total) == (309_440_000, 33_098_400_000)
    assert measured(network, image) == (309_440_000, 33_098_400_000)


@given(specs(max_streams=4, dimensions=(1, 2, 3)))
@settings(max_examples=40)
def test_a_gradient_reaches_every_parameter_of_every_topology(spec):
    full = build_grid(spec)
    size = (spec.multiple * (2 if spec.dimensions == 3 else 4),) * spec.dimensions
    for topology in topologies_for(spec):
        check_gradients(prune(full, topology), size, may_be_zero=True)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_gradient_of_every_part_is_not_zero(topology):
    check_gradients(prune(build_grid(GridSpec(**PAPER_FAMILY)), topology), (16, 16))


@pytest.mark.parametrize("topology", [name for name in TOPOLOGIES if name != "gridnet"])
@pytest.mark.parametrize("columns", ["2+2", "3+3"])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("norm", ["batch", "group"])
def test_the_pruned_network_is_the_full_one_with_silent_units(columns, topology, norm, dimensions):
    """Silent: the last convolution's weight *and bias* are zero and the identity is not added.

    The unit's BN may hold anything, in evaluation and in training: what follows multiplies it by
    zero. Maps that the pruned grid has not are then zero, and nobody listens to them.
    """
    shared = {**PAPER_FAMILY, "columns": columns, "dimensions": dimensions, "norm": norm}
    full = build_grid(GridSpec(**shared, activation="relu" if norm == "batch" else "gelu"))
    check_pruning(prune(full, topology), (16, 24, 8)[:dimensions])


@given(specs(max_streams=4, dimensions=(1, 2, 3)))
@settings(max_examples=60)
def test_any_size_gives_logits_of_that_size(spec):
    for policy in ("pad", "resize"):
        network = GridNetwork(build_grid(spec.but(size=policy))).eval()
        for sides in ((1, 1, 1), (9, 16, 3), (17, 33, 2)):
            size = sides[: spec.dimensions]
            logits = network(torch.rand(1, spec.in_channels, *size))
            assert logits.shape == (1, spec.classes, *size)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_what_is_cropped_has_the_nearest_predicted_values(dimensions):
    spec = GridSpec(**PAPER_FAMILY, size="crop", dimensions=dimensions)
    network = GridNetwork(build_grid(spec)).eval()
    image = torch.rand(1, 3, *(18, 15, 9)[:dimensions])
    inside = (..., *(slice(1, 17), slice(1, 13), slice(0, 8))[:dimensions])
    logits, whole = network(image), network(image[inside])
    torch.testing.assert_close(logits[inside], whole)
    assert torch.equal(logits[:, :, 0], logits[:, :, 1])


def test_360x480_works_at_five_streams_with_pad():
    spec = GridSpec(streams=5, columns="1+1", base_channels=2, classes=11, size="pad")
    assert GridNetwork(build_grid(spec)).eval()(torch.rand(1, 3, 360, 480)).shape[-2:] == (360, 480)


def test_a_legal_size_is_not_padded():
    spec = GridSpec(**PAPER_FAMILY)
    torch.manual_seed(0)
    strict = GridNetwork(build_grid(spec)).eval()
    padding = GridNetwork(build_grid(spec.but(size="pad"))).eval()
    padding.load_state_dict(strict.state_dict())
    image = torch.rand(1, 3, 16, 24)
    assert torch.equal(strict(image), padding(image))


def test_the_policy_error_names_the_nearest_legal_size(paper_grid):
    with pytest.raises(SizeError) as caught:
        network_on_meta(paper_grid)(torch.empty(1, 3, 360, 480, device="meta"))
    assert str(caught.value) == (
        "Image is 360x480; 5 streams need multiples of 16. "
        "Pad to 368x480, crop to 352x480, or set size: pad."
    )


def test_an_image_of_other_channels_is_refused(paper_grid):
    with pytest.raises(SizeError) as caught:
        network_on_meta(paper_grid)(torch.empty(1, 1, 16, 16, device="meta"))
    assert str(caught.value) == (
        "Images have 1 channels; the spec's in_channels is 3. Change one of them."
    )


@pytest.mark.parametrize(
    ("shape", "dimensions", "message"),
    [
        ((3, 16, 16), 2, "Images are 3x16x16; give a batch of shape (N, 3, height, width)."),
        ((1, 3, 8), 2, "Images are 1x3x8; give a batch of shape (N, 3, height, width)."),
        (
            (1, 3, 8, 8),
            3,
            "Images are 1x3x8x8; give a batch of shape (N, 3, depth, height, width).",
        ),
        ((8,), 1, "Images are 8; give a batch of shape (N, 3, length)."),
    ],
)
def test_what_is_no_batch_is_refused(shape, dimensions, message):
    network = GridNetwork(build_grid(GridSpec(**PAPER_FAMILY, dimensions=dimensions)))
    with pytest.raises(SizeError) as caught:
        network(torch.rand(shape))
    assert str(caught.value) == message


def test_images_of_whole_numbers_are_refused():
    network = GridNetwork(build_grid(GridSpec(**PAPER_FAMILY)))
    with pytest.raises(SizeError) as caught:
        network(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
    assert str(caught.value) == (
        "Images are uint8; give floating-point values from 0 to 1, such as images.float() / 255."
    )


def test_names_of_weights_come_from_coordinates_not_from_the_order_of_connections():
    grid = build_grid(GridSpec(**PAPER_FAMILY, fusion="concat", residual={"vertical": True}))
    shuffled = nx.DiGraph()
    shuffled.add_nodes_from(reversed(list(grid.dag.nodes(data=True))))
    shuffled.add_edges_from(reversed(list(grid.dag.edges(data=True))))
    names = set(GridNetwork(grid).state_dict())
    assert names == set(GridNetwork(replace(grid, dag=nx.freeze(shuffled))).state_dict())
    assert {
        "units.sub_2_1.2.weight",
        "shortcuts.up_0_3.0.bias",
        "fusions.map_1_1.0.weight",
    } <= names


def test_a_map_is_kept_until_its_last_reader_and_no_longer(paper_grid):
    alive, most = {paper_grid.input}, 0
    arrivals = min_memory_order(paper_grid).arrivals
    freed = last_reads(arrivals)
    for into in arrivals:
        assert {connection.source for connection in into} <= alive
        alive.add(into[0].target)
        most = max(most, len(alive))
        alive -= {done for connection in into for done in freed.get(connection.name, ())}
    assert alive == {paper_grid.output}
    assert most == paper_grid.spec.streams + 1


def test_a_rectifier_that_comes_first_leaves_the_shared_map_alone():
    shared = torch.randn(1, 2, 4, 4)
    before = shared.clone()
    lower((ReLU(), Conv(2, 2)))(shared)
    assert torch.equal(shared, before)
    assert lower((BatchNorm(2), ReLU()))[1].inplace


def test_a_network_larger_than_memory_is_refused_at_once():
    spec = GridSpec(streams=3, columns="8+8", channels=[65536] * 3, classes=2)
    with pytest.raises(
        TooLargeError, match=r"The network has 5,991,512,997,942 parameters, 22,320\.1 GiB"
    ):
        GridNetwork(build_grid(spec))
