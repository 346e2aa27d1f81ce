"""Modules of the wider grid: what they compute, and that none of them changes a map it shares."""

from dataclasses import replace

import networkx as nx
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn
from torch.nn import functional

from gridgen.emit import GridNetwork
from gridgen.emit.lowering import lower
from gridgen.emit.network import EPSILON
from gridgen.emit.pieces import ResizeLike, SequentialWithAuxiliary, Unpool
from gridgen.grid import Connection, Draft, FeatureMap, Grid
from gridgen.grid.fusions import CONCAT, SUM, WEIGHTED
from gridgen.grid.layers import (
    BatchNorm,
    Conv,
    Deconv,
    GroupNorm,
    MaxPool,
    MaxUnpool,
    PReLU,
    ReLU,
    Residual,
    Resize,
    SiLU,
    Upsample,
)
from gridgen.memory.min_memory_order import min_memory_order
from gridgen.program import Program, compile_program
from gridgen.program.operations import Add, Checkpoint, Free, read_by, written_by
from gridgen.spec import GridSpec

F = 2  # channels of the image, of every map and of the prediction
SEEDS = st.integers(0, 2**31)
SIDES = st.integers(1, 9)


def rand(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64) - 0.5


def grid_of(draft: Draft, streams: int = 2, head=(), size: str = "error") -> Grid:
    spec = GridSpec(
        streams=streams, columns="1+1", base_channels=F, in_channels=F, classes=F, size=size
    )
    return draft.grid(spec, stem=(), head=head)


def network_of(grid: Grid, seed: int = 0) -> GridNetwork:
    """A network in double precision of which no value is what it starts with."""
    network = GridNetwork(grid).double()
    parameters = {name for name, _ in network.named_parameters()}
    for k, (name, values) in enumerate(network.state_dict().items()):
        if values.is_floating_point():
            values.copy_(rand(*values.shape, seed=seed + k) + (0 if name in parameters else 0.6))
    return network


@settings(max_examples=50)
@given(SEEDS, st.integers(1, 3), SIDES, SIDES)
def test_values_are_put_back_exactly_where_the_maxima_were(seed, number, height, width):
    seen = rand(number, F, height, width, seed=seed)
    pooled, places = functional.max_pool2d(seen, 2, ceil_mode=True, return_indices=True)
    values = rand(*pooled.shape, seed=seed + 1)
    found = Unpool()(values, seen)
    assert found.shape == seen.shape
    assert torch.equal(found.flatten(2).gather(2, places.flatten(2)), values.flatten(2))
    elsewhere = torch.ones_like(seen).flatten(2).scatter(2, places.flatten(2), 0)
    assert not (found.flatten(2) * elsewhere).any()
    torchs = nn.MaxUnpool2d(2)(values, places, output_size=list(seen.shape))
    assert torch.equal(found, torchs)


def test_an_unpooled_maximum_is_the_map_where_it_is_the_largest_of_four():
    seen = torch.tensor([[[[1.0, 2.0, 5.0, 5.0], [3.0, 0.0, 4.0, 5.0]]]])
    pooled = lower((MaxPool(),))(seen)
    assert Unpool()(pooled, seen).tolist() == [[[[0, 0, 5, 0], [3, 0, 0, 0]]]]


def test_a_network_unpools_where_the_map_that_it_reads_has_its_maxima():
    draft = Draft()
    draft.connect((0, 0), (0, 1), (Conv(F, F),))
    draft.connect((0, 1), (1, 1), (MaxPool(),))
    draft.connect((1, 1), (1, 2), (Conv(F, F),))
    draft.connect((1, 2), (0, 3), (MaxUnpool("sub_1_1"), Conv(F, F)), auxiliary=(0, 1))
    network = network_of(grid_of(draft))
    x = rand(2, F, 6, 8)
    seen = network.units["lateral_0_1"](x)
    pooled, places = functional.max_pool2d(seen, 2, return_indices=True)
    below = network.units["lateral_1_2"](pooled)
    unpooled = functional.max_unpool2d(below, places, 2)
    wanted = network.units["up_0_3_from_1_2"][1](unpooled)
    torch.testing.assert_close(network(x), wanted)


@settings(max_examples=50)
@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(["nearest", "bilinear"]))
def test_a_resizing_ends_at_the_size_of_the_map_that_it_reads(h, w, height, width, mode):
    x, seen = rand(2, 3, h, w), rand(2, 5, height, width, seed=1)
    found = ResizeLike(mode)(x, seen)
    corners = {} if mode == "nearest" else {"align_corners": False}
    assert torch.equal(found, functional.interpolate(x, (height, width), mode=mode, **corners))
    assert found.shape == (2, 3, height, width)
    assert torch.equal(ResizeLike(mode)(seen, seen), seen)


@pytest.mark.parametrize("size", [(7, 9), (8, 6), (1, 1)], ids=str)
def test_a_network_of_resizings_takes_sizes_that_no_upsampling_can(size):
    draft = Draft()
    draft.connect((0, 0), (1, 0), (MaxPool(),))
    draft.connect((1, 0), (2, 0), (MaxPool(),))
    draft.connect((2, 0), (1, 1), (Resize("nearest"), Conv(F, F)), auxiliary=(1, 0))
    draft.connect((1, 1), (0, 2), (Conv(F, F), ReLU(), Resize()), auxiliary=(0, 0))
    network = network_of(grid_of(draft, streams=1))
    assert network(rand(1, F, *size)).shape == (1, F, *size)


def test_only_layers_that_look_get_the_further_map():
    layers = MaxUnpool("sub_1_0"), Conv(F, 3), ReLU(), Resize("bilinear")
    module = lower(layers).double()
    assert isinstance(module, SequentialWithAuxiliary)
    assert [type(part) for part in module] == [Unpool, nn.Conv2d, nn.ReLU, ResizeLike]
    x, seen = rand(1, F, 3, 4), rand(1, F, 6, 8, seed=1)
    wanted = module[3](module[1](module[0](x, seen)).relu(), seen)
    assert torch.equal(module(x, seen), wanted)
    assert not isinstance(lower((Conv(F, F), Upsample())), SequentialWithAuxiliary)


def weighted(arrivals: int) -> GridNetwork:
    """A map of `arrivals`: the input itself, and what convolutions make of it."""
    draft = Draft()
    for column in range(1, arrivals):
        draft.connect((0, 0), (0, column), (Conv(F, F),))
        draft.connect((0, column), (0, arrivals))
    draft.connect((0, 0), (0, arrivals))
    draft.fuse((0, arrivals), WEIGHTED)
    return network_of(grid_of(draft))


def arriving(network: GridNetwork, x: torch.Tensor) -> list[torch.Tensor]:
    """What arrives at the weighted map, in the order of its weights."""
    grid = network.grid
    maps = {grid.input: x}
    for connection in grid:
        if connection.target != grid.output:
            maps[connection.target] = network.units[connection.name](x)
    return [maps[connection.source] for connection in grid.into(grid.output)]


def by_hand(weights: torch.Tensor, arrivals: list[torch.Tensor]) -> torch.Tensor:
    """Tan et al. 2020, section 3.3: the sum of w_i / (eps + sum of w_j) I_i, each w >= 0."""
    positive = [weight.clamp(min=0) for weight in weights]
    total = sum(w * x for w, x in zip(positive, arrivals, strict=True))
    return total / (EPSILON + sum(positive))


WEIGHTS = st.lists(st.integers(-30, 30).map(lambda tenths: tenths / 10), min_size=2, max_size=4)


@settings(max_examples=25)
@given(WEIGHTS)
def test_a_weighted_fusion_is_its_formula(values):
    network = weighted(len(values))
    (weights,) = network.weights.values()
    weights.data = torch.tensor(values, dtype=torch.float64)
    x = rand(2, F, 4, 6)
    torch.testing.assert_close(network(x), by_hand(weights, arriving(network, x)))


def test_weights_start_at_one_so_that_a_weighted_fusion_starts_as_the_mean():
    grid = weighted(3).grid
    assert GridNetwork(grid).weights["map_0_3"].tolist() == [1, 1, 1]
    network = network_of(grid)
    network.weights["map_0_3"].data.fill_(1)
    x = rand(1, F, 2, 2)
    mean = torch.stack(arriving(network, x)).mean(0)
    torch.testing.assert_close(network(x), mean, rtol=EPSILON, atol=0)


def test_an_arrival_of_negative_weight_counts_as_nothing():
    network, x = weighted(3), rand(1, F, 4, 4)
    first, _, third = arriving(network, x)
    network.weights["map_0_3"].data = torch.tensor([1.0, -5.0, 3.0]).double()
    torch.testing.assert_close(network(x), (first + 3 * third) / (4 + EPSILON))
    network.weights["map_0_3"].data = torch.tensor([-1.0, -5.0, -3.0]).double()
    assert not network(x).any()


@settings(max_examples=25)
@given(WEIGHTS)
def test_a_gradient_reaches_every_weight_that_is_not_negative(values):
    network, x = weighted(len(values)), rand(2, F, 4, 6)
    (weights,) = network.weights.values()
    weights.data = torch.tensor(values, dtype=torch.float64)
    wanted = torch.autograd.grad(by_hand(weights, arriving(network, x)).square().sum(), weights)
    (found,) = torch.autograd.grad(network(x).square().sum(), weights)
    kept = weights > 0
    torch.testing.assert_close(found[kept], wanted[0][kept])
    assert not found[~kept].any()
    assert found[kept].all()


def test_a_single_arrival_has_no_weight_and_passes_as_it_is():
    draft = Draft()
    draft.connect((0, 0), (0, 1))
    draft.connect((0, 1), (0, 2))
    draft.connect((0, 0), (0, 2))
    for column in (0, 1, 2):
        draft.fuse((0, column), WEIGHTED)
    network = network_of(grid_of(draft))
    assert {name: len(w) for name, w in network.weights.items()} == {"map_0_2": 2}
    network.weights["map_0_2"].data = torch.tensor([0.0, 1.0]).double()
    x = rand(1, F, 4, 4)
    torch.testing.assert_close(network(x), x / (1 + EPSILON))


CONV, NORM, ACTS = Conv(F, F), BatchNorm(F), (ReLU(), SiLU())
UNITS = [
    (),
    (CONV,),
    (PReLU(), CONV),
    (CONV, PReLU(F)),
    *((act,) for act in ACTS),
    *((act, CONV) for act in ACTS),
    *((CONV, act) for act in ACTS),
    *((NORM, act, CONV, NORM, act, CONV) for act in ACTS),
    *((GroupNorm(F, 1), act, MaxPool(3, 1)) for act in ACTS),
    *((Residual((act, CONV)), act) for act in ACTS),
    *((Residual((NORM, act), (CONV,)), act, CONV) for act in ACTS),
    *((Residual((Residual((CONV, act)), act)), CONV) for act in ACTS),
]
AFTER = [
    (),
    *((act,) for act in ACTS),
    *((NORM, act) for act in ACTS),
    *((Residual((act, CONV, NORM)), act) for act in ACTS),
]


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Maps with one to three readers, joined in every way, some of them looked at."""
    streams = draw(st.integers(1, 3))
    rows = [0, *draw(st.lists(st.integers(0, streams - 1), min_size=1, max_size=5)), 0]
    places = [(stream, column) for column, stream in enumerate(rows)]
    dag = nx.DiGraph()
    for k, target in enumerate(places[1:], 1):
        sources = draw(st.sets(st.sampled_from(places[:k]), min_size=1, max_size=3))
        dag.add_edges_from((source, target) for source in sources)
    dag.add_edges_from((place, places[-1]) for place in places[:-1] if not dag.out_degree(place))

    draft = Draft()
    draft.fuse(places[0], SUM, draw(st.sampled_from(AFTER)))
    pools: dict[tuple[int, int], str] = {}
    for target in places[1:]:
        sources = sorted(dag.predecessors(target))
        for source in sources:
            shortcut, reads, unit = None, None, draw(st.sampled_from(UNITS))
            if source[0] == target[0] and unit:
                shortcut = draw(st.sampled_from([None, (), (Conv(F, F, kernel=1),)]))
            elif source[0] != target[0]:
                before = sorted(x for x in nx.ancestors(dag, target) if x[0] == target[0])
                change, reads = draw(_resampling(source, target, before, pools))
                unit = (change, *unit)
                if change == MaxPool():
                    pools[source] = Connection(FeatureMap(*source), FeatureMap(*target), ()).name
            draft.connect(source, target, unit, shortcut=shortcut, auxiliary=reads)
        after = draw(st.sampled_from(AFTER))
        fusion = draw(st.sampled_from([SUM, CONCAT, WEIGHTED]))
        if fusion is CONCAT:
            first = draw(st.sampled_from([(), *((act,) for act in ACTS)]))
            after = (*first, Conv(len(sources) * F, F), *after)
        draft.fuse(target, fusion, after)
    return grid_of(draft, streams)


@st.composite
def _resampling(draw, source, target, before, pools):
    """A layer from the one stream to the other, and the map that it reads, if any."""
    factor = 2 ** abs(target[0] - source[0])
    if target[0] > source[0]:
        layers = MaxPool(factor, factor), MaxPool(3, factor), Conv(F, F, stride=factor)
        return draw(st.sampled_from(layers)), None
    choices = [(Upsample("bilinear", factor), None), (Deconv(F, F, factor, kernel=factor), None)]
    choices += [(Resize(mode), seen) for seen in before for mode in ("nearest", "bilinear")]
    if factor == 2:
        choices += [(MaxUnpool(pools[seen]), seen) for seen in before if seen in pools]
    return draw(st.sampled_from(choices))


def without_writes_in_place(program: Program) -> Program:
    return Program(
        tuple(
            replace(operation, in_place=False) if isinstance(operation, Add) else operation
            for operation in program.operations
        )
    )


def out_of_place(network: GridNetwork) -> GridNetwork:
    """The same network without a single operation in place."""
    other = GridNetwork(network.grid).double()
    other.load_state_dict(network.state_dict())
    other.step = without_writes_in_place(other.step)
    other.evaluation = without_writes_in_place(other.eval().evaluation)
    for module in other.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    return other


def outcome(network: GridNetwork, training: bool) -> list[torch.Tensor]:
    """The prediction, and the gradients of the image and of all parameters."""
    network.train(training)
    side = 4 * network.grid.spec.multiple
    image = rand(2, F, side, side, seed=7).requires_grad_()
    given = image.detach().clone()
    prediction = network(image)
    assert torch.equal(image, given)
    loss = (prediction * rand(*prediction.shape, seed=8)).sum()
    return [prediction, *torch.autograd.grad(loss, [image, *network.parameters()])]


@pytest.mark.parametrize("training", [False, True])
@settings(max_examples=40)
@given(grids(), SEEDS)
def test_operations_in_place_change_no_map_that_somebody_reads(training, grid, seed):
    network = network_of(grid, seed)
    other = out_of_place(network)
    torch.testing.assert_close(outcome(network, training), outcome(other, training))


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_an_activation_in_place_on_a_shared_map_would_be_noticed(act):
    draft = Draft()
    draft.connect((0, 0), (0, 1), (CONV,))
    draft.connect((0, 1), (0, 2), (act, CONV))
    draft.connect((0, 1), (0, 3))
    draft.connect((0, 2), (0, 3))
    network = network_of(grid_of(draft)).eval()
    image = rand(1, F, 4, 4)
    wanted = out_of_place(network).eval()(image)
    torch.testing.assert_close(network(image), wanted)
    network.units["lateral_0_2"][0].inplace = True
    assert not torch.allclose(network(image), wanted)


def test_an_activation_is_in_place_where_it_follows_what_nobody_else_reads():
    makers = [CONV, Deconv(F, F), NORM, GroupNorm(F, 1), Residual((CONV,))]
    for act in ACTS:
        assert all(lower((layer, act))[1].inplace for layer in makers)
        others = [act, PReLU(), MaxPool(), Upsample()]
        assert not any(lower((layer, act))[1].inplace for layer in others)
        assert not lower((act,))[0].inplace
        assert not lower((CONV, Residual((act, CONV))))[1].layers[0].inplace


@pytest.mark.parametrize("channels", [1, 5, 7, 8])
def test_a_strided_pointwise_convolution_is_trained_without_harm(channels):
    """In channels_last, as networks are; a peer in the other memory format gives the gradients."""
    (ours,) = lower((Conv(channels, 10, kernel=1, stride=2),)).to(memory_format=torch.channels_last)
    peer = nn.Conv2d(channels, 10, 1, 2)
    peer.load_state_dict(ours.state_dict())
    for _ in range(60):
        x = torch.rand(2, channels, 17, 16)
        found = ours(x.contiguous(memory_format=torch.channels_last))
        given = torch.randn_like(found)
        gradients = torch.autograd.grad(found, ours.weight, given)
        wanted = torch.autograd.grad(peer(x), peer.weight, given.contiguous())
        torch.testing.assert_close(gradients, wanted, rtol=1e-4, atol=1e-4)


def test_a_residual_block_adds_the_identity_or_its_projection():
    x = rand(1, F, 4, 4)
    plain = lower((Residual((CONV, ReLU())),)).double()
    (block,) = plain
    torch.testing.assert_close(plain(x), x + block.layers[0](x).relu())
    projected = lower((Residual((Conv(F, 5),), (Conv(F, 5, 1),)),)).double()
    (block,) = projected
    assert torch.equal(projected(x), block.layers(x) + block.shortcut(x))


@settings(max_examples=50)
@given(grids(), st.booleans(), st.sampled_from(["none", "unit", "column"]))
def test_a_value_lives_until_nobody_reads_it_any_more(grid, training, recompute):
    order = None if training else min_memory_order(grid).arrivals
    program = compile_program(grid, order, training=training, recompute=recompute)
    assert alive_after(program.operations, {"images"}) == {"images", "prediction"}


def alive_after(operations, alive: set[str]) -> set[str]:
    """The values that are left; each is written once, read while it lives, and freed once, before
    other layers run. (A map is freed after its last connection: after the identity is added.)
    """
    given = set(alive)
    for place, operation in enumerate(operations):
        assert set(read_by(operation)) <= alive
        if not isinstance(operation, Free | Add):
            read = {name for each in operations[place:] for name in read_by(each)}
            assert alive - given <= read
        if isinstance(operation, Checkpoint):
            inside = alive_after(operation.operations, set(operation.inputs))
            assert set(operation.outputs) == inside - set(operation.inputs)
        if isinstance(operation, Free):
            later = {name for each in operations[place + 1 :] for name in read_by(each)}
            assert set(operation.names) <= alive - later
            alive = alive - set(operation.names)
        assert not alive & set(written_by(operation))
        alive = alive | set(written_by(operation))
    return alive


def test_a_map_that_is_looked_at_outlives_its_last_connection():
    draft = Draft()
    draft.connect((0, 0), (0, 1), (CONV,))
    draft.connect((0, 1), (1, 2), (MaxPool(),))
    draft.connect((1, 2), (1, 3), (CONV,))
    draft.connect((1, 3), (1, 4), (CONV,))
    draft.connect((1, 4), (0, 5), (Resize(),), auxiliary=(0, 1))
    draft.connect((0, 5), (0, 6), (CONV,))
    network = network_of(grid_of(draft))
    held, run = {}, network._run

    def watch(operation, values):
        held[operation.output] = [name for name in values if name.startswith("map_")]
        return run(operation, values)

    network._run = watch
    network(rand(1, F, 4, 4))
    assert {name: maps for name, maps in held.items() if name.startswith("map_")} == {
        "map_0_0": [],
        "map_0_1": ["map_0_0"],
        "map_1_2": ["map_0_1"],
        "map_1_3": ["map_0_1", "map_1_2"],
        "map_1_4": ["map_0_1", "map_1_3"],
        "map_0_5": ["map_0_1", "map_1_4"],
        "map_0_6": ["map_0_5"],
    }


def test_the_identity_of_a_connection_that_reads_is_added_too():
    draft = Draft()
    draft.connect((0, 0), (1, 0), (MaxPool(),))
    draft.connect((1, 0), (0, 1), (Resize("nearest"),), auxiliary=(0, 0), shortcut=(Upsample(),))
    spec = GridSpec(streams=2, columns="1+1", base_channels=2, in_channels=2, classes=2)
    network = GridNetwork(draft.grid(spec, stem=(), head=()))
    image = torch.rand(1, 2, 4, 6)
    pooled = torch.nn.functional.max_pool2d(image, 2)
    up = torch.nn.functional.interpolate(pooled, scale_factor=2)
    torch.testing.assert_close(network(image), 2 * up)
