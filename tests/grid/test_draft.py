import random
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from gridgen.errors import GridError, TopologyError
from gridgen.grid import Draft, FeatureMap, Grid, keep
from gridgen.grid.fusions import CONCAT, REDUCED, SUM, WEIGHTED
from gridgen.grid.layers import (
    AveragePool,
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
    Upsample,
)
from gridgen.grid.tracing import trace
from gridgen.spec import GridSpec

F = 2  # channels of the image, of every map and of the prediction
DOWN, UP = (MaxPool(),), (Upsample(),)


def spec_of(streams: int = 2) -> GridSpec:
    """What a draft is checked against; legal sides are multiples of 2^(streams - 1)."""
    return GridSpec(
        streams=streams, columns="1+1", base_channels=F, in_channels=F, classes=F, size="error"
    )


def drafted(*connections) -> Draft:
    """A draft of (source, target, unit) and, where there is a fourth, what the unit reads."""
    draft = Draft()
    for source, target, unit, *reads in connections:
        draft.connect(source, target, unit, auxiliary=reads[0] if reads else None)
    return draft


def grid_of(draft: Draft, streams: int = 2, **ends) -> Grid:
    return draft.grid(spec_of(streams), **{"stem": (), "head": (), **ends})


def refusal(draft: Draft, streams: int = 2, **ends) -> str:
    with pytest.raises(GridError) as caught:
        grid_of(draft, streams, **ends)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "target", "name"),
    [
        ((0, 0), (0, 1), "lateral_0_1"),
        ((0, 0), (0, 2), "lateral_0_2_from_0_0"),
        ((0, 0), (1, 0), "sub_1_0"),
        ((1, 1), (0, 3), "up_0_3_from_1_1"),
    ],
)
def test_two_maps_have_one_connection(source, target, name):
    draft = drafted((source, target, ()))
    with pytest.raises(GridError) as caught:
        draft.connect(source, target, (Conv(F, F),))
    assert str(caught.value) == f"{name} is there already; two maps have one connection"


@pytest.mark.parametrize(
    "places",
    [
        [(0, 1), (0, 1)],
        [(0, 1), (1, 1), (0, 1)],
        [(0, 1), (0, 2), (0, 3), (0, 1)],
    ],
)
def test_a_cycle_is_refused(places):
    draft = drafted(((0, 0), (0, 1), ()))
    for source, target in pairwise(places):
        draft.connect(source, target)
    assert refusal(draft) == "the connections form a cycle"


@pytest.mark.parametrize(
    ("connections", "ends", "place"),
    [
        ([((0, 0), (0, 2), ()), ((0, 1), (0, 2), ())], {}, "X(0, 1)"),
        ([((0, 0), (0, 1), ()), ((1, 0), (0, 1), UP)], {}, "X(1, 0)"),
        ([((0, 0), (0, 1), ()), ((0, 1), (0, 2), ())], {"first": (0, 1)}, "X(0, 0)"),
    ],
)
def test_something_arrives_at_every_map_but_the_first(connections, ends, place):
    assert refusal(drafted(*connections), **ends) == f"nothing arrives at {place}"


@pytest.mark.parametrize(
    ("connections", "ends", "names"),
    [
        ([((0, 0), (0, 1), ()), ((0, 0), (1, 0), DOWN)], {}, "sub_1_0"),
        (
            [((0, 0), (0, 1), ()), ((0, 0), (1, 0), DOWN), ((1, 0), (1, 1), ())],
            {},
            "sub_1_0, lateral_1_1",
        ),
        ([((0, 0), (0, 1), ()), ((0, 1), (0, 2), ())], {"last": (0, 1)}, "lateral_0_2"),
        ([((0, 0), (0, 1), ())], {"last": (0, 0)}, "lateral_0_1"),
    ],
)
def test_every_connection_lies_on_a_path_to_the_output(connections, ends, names):
    assert refusal(drafted(*connections), **ends) == f"{names}: on no path from input to output"


@pytest.mark.parametrize(
    ("unit", "head", "predicted"),
    [
        (DOWN, (), "2x1x2"),
        (UP, (), "2x4x8"),
        ((), (Conv(F, 3),), "3x2x4"),
        ((), (Conv(F, F, stride=2),), "2x1x2"),
        ((Conv(F, F, kernel=2, valid=True),), (), "2x1x3"),
        ((AveragePool(2),), (), "2x2x2"),
    ],
)
def test_a_prediction_has_the_classes_and_the_size_of_the_image(unit, head, predicted):
    draft = drafted(((0, 0), (0, 1), unit))
    assert refusal(draft, head=head) == (
        f"{predicted} is predicted for 2x4; 2 classes at that size are wanted"
    )


def test_a_prediction_is_checked_at_the_least_legal_size():
    draft = drafted(((0, 0), (0, 1), DOWN))
    assert refusal(draft, streams=4) == (
        "2x4x8 is predicted for 8x16; 2 classes at that size are wanted"
    )


def test_a_stream_has_one_resolution():
    draft = drafted(
        ((0, 0), (1, 0), DOWN),
        ((0, 0), (1, 1), ()),
        ((1, 0), (0, 2), UP),
        ((1, 1), (0, 2), ()),
    )
    assert refusal(draft) == (
        "X(1, 1) is 2x2x4, another of its stream 2x1x2; a stream has one resolution"
    )


def test_maps_of_a_stream_may_differ_in_channels():
    grid = grid_of(drafted(((0, 0), (0, 1), (Conv(F, 7),)), ((0, 1), (0, 2), (Conv(7, F),))))
    assert [grid.channels_of(FeatureMap(0, j)) for j in range(3)] == [F, 7, F]


@pytest.mark.parametrize("fusion", [SUM, WEIGHTED])
def test_only_maps_of_the_same_channels_are_added(fusion):
    draft = drafted(
        ((0, 0), (0, 1), (Conv(F, 3),)),
        ((0, 0), (0, 2), ()),
        ((0, 1), (0, 2), ()),
    )
    draft.fuse((0, 2), fusion)
    assert refusal(draft) == (
        "lateral_0_2 brings 3x2x4 to X(0, 2), lateral_0_2_from_0_0 2x2x4; both must agree"
    )


@pytest.mark.parametrize("fusion", [SUM, CONCAT, WEIGHTED])
def test_only_maps_of_the_same_size_are_joined(fusion):
    draft = drafted(((0, 0), (0, 1), ()), ((0, 0), (1, 0), DOWN), ((1, 0), (0, 1), ()))
    draft.fuse((0, 1), fusion)
    assert refusal(draft) == (
        "up_0_1_from_1_0 brings 2x1x2 to X(0, 1), lateral_0_1 2x2x4; both must agree"
    )


@pytest.mark.parametrize(
    ("kernel", "left"), [(3, "2x0x2"), (4, "2x-1x1")], ids=["nothing", "less than nothing"]
)
def test_something_is_left_of_every_map(kernel, left):
    draft = drafted(((0, 0), (0, 1), (Conv(F, F, kernel, valid=True),)))
    assert refusal(draft) == f"X(0, 1) is {left}; the image is too small"


def test_a_size_that_leaves_nothing_of_a_map_is_not_traced():
    lost, won = Conv(F, F, 3, valid=True), Deconv(F, F, 1, kernel=3, valid=True)
    grid = grid_of(drafted(((0, 0), (1, 0), (lost,)), ((1, 0), (0, 1), (won,))), streams=3)
    assert trace(grid, (3, 5)).shapes[FeatureMap(1, 0)] == (F, 1, 3)
    with pytest.raises(GridError) as caught:
        trace(grid, (4, 2))
    assert str(caught.value) == "X(1, 0) is 2x2x0; the image is too small"


def test_a_size_at_which_arrivals_disagree_is_not_traced():
    grid = grid_of(drafted(((0, 0), (1, 0), DOWN), ((0, 0), (0, 1), ()), ((1, 0), (0, 1), UP)))
    with pytest.raises(GridError) as caught:
        trace(grid, (4, 3))
    assert str(caught.value) == (
        "up_0_1_from_1_0 brings 2x4x4 to X(0, 1), lateral_0_1 2x4x3; both must agree"
    )


def no_path(connection: str, auxiliary: str) -> str:
    return f"the auxiliary input {auxiliary} of {connection} lies on no path to it; keep a path"


@pytest.mark.parametrize("layer", [MaxUnpool("sub_1_1_from_0_0"), Resize()], ids=str)
@pytest.mark.parametrize("seen", [None, (0, 1), (0, 2), (0, 3), (5, 5)], ids=str)
def test_a_layer_that_looks_at_a_map_finds_it_on_the_way(layer, seen):
    draft = drafted(
        ((0, 0), (1, 1), DOWN),
        ((1, 1), (0, 2), (layer,), seen),
        ((0, 0), (0, 1), ()),
        ((0, 2), (0, 3), ()),
        ((0, 1), (0, 3), ()),
    )
    if seen is None:
        expected = "up_0_2_from_1_1 needs an auxiliary input; name the map with auxiliary"
    else:
        place = f"X({seen[0]}, {seen[1]})"
        expected = no_path("up_0_2_from_1_1", place)
    assert refusal(draft) == expected


def test_a_unit_that_looks_at_no_map_reads_none():
    draft = drafted(((0, 0), (0, 1), ()), ((0, 1), (0, 2), (Conv(F, F),), (0, 0)))
    assert refusal(draft) == (
        "no layer of lateral_0_2 reads its auxiliary input; leave out auxiliary"
    )


@pytest.mark.parametrize("layer", [MaxUnpool("sub_1_0"), Resize()], ids=str)
def test_only_a_unit_looks_at_a_map(layer):
    only = "has no auxiliary input to read; only a connection's unit can"
    plain = ((0, 0), (0, 1), ())
    assert refusal(drafted(plain), stem=(Conv(F, F), layer)) == f"stem {only}"
    assert refusal(drafted(plain), head=(Conv(F, F), layer)) == f"head {only}"
    fused = drafted(plain)
    fused.fuse((0, 1), SUM, (layer,))
    assert refusal(fused) == f"map_0_1 {only}"
    block = (Residual((Residual((layer,)),)),)
    assert refusal(drafted(((0, 0), (0, 1), block))) == f"lateral_0_1 {only}"


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ((Conv(5, F),), "Conv expects 5 channels but gets 2; make them equal"),
        ((Deconv(5, F),), "Deconv expects 5 channels but gets 2; make them equal"),
        ((Conv(F, 4), BatchNorm(F)), "BatchNorm expects 2 channels but gets 4; make them equal"),
        ((Conv(F, 4), GroupNorm(8, 2)), "GroupNorm expects 8 channels but gets 4; make them equal"),
        ((PReLU(3),), "PReLU expects 3 channels but gets 2; make them equal"),
        (
            (Residual((Conv(F, 4),)),),
            "a residual block has 4 channels, its identity 2; make them equal",
        ),
    ],
)
def test_a_layer_is_given_the_channels_that_it_is_made_for(unit, message):
    assert refusal(drafted(((0, 0), (0, 1), unit))) == message
    assert refusal(drafted(((0, 0), (0, 1), ())), stem=unit).endswith("; make them equal")
    assert refusal(drafted(((0, 0), (0, 1), ())), head=unit) == message


@pytest.mark.parametrize(
    ("unit", "shortcut", "shape"),
    [
        ((Conv(F, 4),), (), "2x2x4"),
        ((Conv(F, F),), (MaxPool(),), "2x1x2"),
        ((Conv(F, F, stride=2), Upsample()), (Conv(F, F, 1, stride=2),), "2x1x2"),
    ],
)
def test_an_identity_has_the_shape_of_what_it_is_added_to(unit, shortcut, shape):
    draft = Draft()
    draft.connect((0, 0), (0, 1), unit, shortcut=shortcut)
    channels = 4 if unit == (Conv(F, 4),) else F
    assert refusal(draft, head=(Conv(channels, F),)) == (
        f"lateral_0_1: the identity is {shape}, its unit {channels}x2x4; both must agree"
    )


def test_the_identity_of_a_residual_block_has_its_shape():
    block = Residual((Conv(F, F, valid=True),)), Deconv(F, F, valid=True)
    assert refusal(drafted(((0, 0), (0, 1), block)), streams=3) == (
        "the identity is 2x4x8, its block 2x2x6; both must agree"
    )


def test_what_is_unpooled_has_the_shape_of_the_map_before_the_pooling():
    draft = drafted(
        ((0, 0), (1, 0), DOWN),
        ((1, 0), (0, 1), (Conv(F, 4), MaxUnpool("sub_1_0"), Conv(4, F)), (0, 0)),
    )
    assert refusal(draft) == (
        "what is unpooled is 4x2x4, the auxiliary input 2x2x4; both must agree"
    )


def test_places_that_no_connection_touches_are_named():
    draft = drafted(((0, 0), (0, 1), ()))
    assert refusal(draft, last=(5, 5)) == "no connection touches X(5, 5)"
    assert refusal(draft, first=(3, 3)) == "no connection touches X(3, 3)"
    draft.fuse((7, 7), CONCAT)
    assert refusal(draft) == "no connection touches X(7, 7)"
    assert refusal(Draft()) == "no map is in stream 0; say with last where the head begins"


def test_a_draft_may_go_on_after_a_grid_was_made():
    draft = drafted(((0, 0), (0, 1), ()))
    one = grid_of(draft)
    draft.connect((0, 1), (0, 2), (Conv(F, 4),))
    two = grid_of(draft, head=(Conv(4, F),))
    assert (len(one.connections), len(two.connections)) == (1, 2)
    assert one.channels_of(one.input) == F


def test_what_is_read_must_still_be_computed_before():
    pool = (MaxPool(),)
    draft = drafted(
        ((0, 0), (0, 4), (Conv(F, F),)),
        ((0, 4), (1, 1), pool),
        ((0, 0), (1, 1), pool),
        ((1, 1), (0, 3), (Resize(),), (0, 4)),
        ((0, 3), (0, 5), ()),
        ((0, 4), (0, 5), ()),
    )
    with pytest.raises(TopologyError) as caught:
        keep(grid_of(draft), lambda c: c.name != "sub_1_1_from_0_4")
    assert str(caught.value) == no_path("up_0_3_from_1_1", "X(0, 4)")


def test_a_layer_may_look_at_any_map_before_its_target():
    for seen in ((0, 0), (0, 1)):
        grid = grid_of(
            drafted(
                ((0, 0), (1, 1), DOWN),
                ((0, 0), (0, 1), ()),
                ((0, 1), (0, 2), ()),
                ((1, 1), (0, 2), (Resize(),), seen),
            )
        )
        assert [c.auxiliary for c in grid if c.kind == "upsampling"] == [seen]


@pytest.mark.parametrize(
    ("unit", "pooling"),
    [
        (DOWN, "sub_1_1"),
        (DOWN, "sub_7_7"),
        ((MaxPool(3, 2),), "sub_1_1_from_0_0"),
        ((Conv(F, F, stride=2),), "sub_1_1_from_0_0"),
        ((BatchNorm(F), MaxPool()), "sub_1_1_from_0_0"),
        ((), "lateral_0_1"),
    ],
)
def test_an_unpooling_names_the_2x2_maximum_that_it_undoes(unit, pooling):
    draft = drafted(
        ((0, 0), (1, 1), unit or DOWN),
        ((0, 0), (0, 1), ()),
        ((0, 1), (0, 2), ()),
        ((1, 1), (0, 2), (MaxUnpool(pooling),), (0, 0)),
    )
    assert refusal(draft) == (
        f"up_0_2_from_1_1: {pooling} is not a connection from X(0, 0) that begins with "
        "a 2x2 maximum"
    )


def test_an_unpooling_looks_at_the_map_that_its_pooling_leaves():
    connections = [
        ((0, 0), (0, 1), ()),
        ((0, 1), (1, 1), (*DOWN, Conv(F, F))),
        ((1, 1), (0, 2), (MaxUnpool("sub_1_1"),)),
    ]
    right = drafted(*connections[:2], (*connections[2], (0, 1)))
    assert grid_of(right).connections[-1].auxiliary == FeatureMap(0, 1)
    wrong = drafted(*connections[:2], (*connections[2], (0, 0)))
    assert refusal(wrong) == (
        "up_0_2_from_1_1: sub_1_1 is not a connection from X(0, 0) that begins with a 2x2 maximum"
    )


def test_the_output_is_the_last_map_of_stream_0_unless_said():
    draft = drafted(((0, 0), (1, 0), DOWN), ((1, 0), (1, 9), ()), ((1, 9), (0, 7), UP))
    assert grid_of(draft).output == FeatureMap(0, 7)
    low = drafted(((0, 0), (1, 0), DOWN), ((1, 0), (1, 1), ()))
    assert grid_of(low, last=(1, 1), head=UP).output == FeatureMap(1, 1)


def test_the_input_is_the_first_map_of_stream_0_unless_said():
    assert grid_of(drafted(((0, 0), (0, 1), ()))).input == FeatureMap(0, 0)
    draft = drafted(((1, 4), (0, 5), UP))
    grid = grid_of(draft, first=(1, 4), stem=DOWN)
    assert (grid.input, grid.output) == (FeatureMap(1, 4), FeatureMap(0, 5))


def test_a_connection_without_a_unit_passes_the_map_as_it_is():
    draft = Draft()
    draft.connect((0, 0), (0, 1))
    (connection,) = grid_of(draft)
    assert (connection.unit, connection.shortcut, connection.auxiliary) == ((), None, None)
    assert (connection.dropout, connection.parameters) == (0.0, 0)


def test_a_shortcut_is_none_the_identity_or_its_projection():
    draft = Draft()
    project = (Conv(F, F, kernel=1),)
    draft.connect((0, 0), (0, 1), (Conv(F, F),))
    draft.connect((0, 1), (0, 2), (Conv(F, F),), shortcut=())
    draft.connect((0, 2), (0, 3), (Conv(F, F),), shortcut=project)
    grid = grid_of(draft)
    assert [c.shortcut for c in grid] == [None, (), project]
    assert grid.connections[2].parameters == (9 * F + 1) * F + (F + 1) * F


def test_maps_are_bare_sums_unless_said():
    grid = grid_of(drafted(((0, 0), (0, 1), ()), ((0, 1), (0, 2), ()), ((0, 0), (0, 2), ())))
    assert {grid.fusion_of(x) for x in grid.maps} == {SUM}
    assert {grid.fusion_layers(x) for x in grid.maps} == {()}


@settings(max_examples=50)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 9))
def test_a_concatenation_has_the_channels_of_all_that_arrives(widths, after):
    last = len(widths) + 1
    draft = Draft()
    for column, width in enumerate(widths, 1):
        draft.connect((0, 0), (0, column), (Conv(F, width),))
        draft.connect((0, column), (0, last))
    draft.fuse((0, last), CONCAT)
    bare = grid_of(draft, head=(Conv(sum(widths), F),))
    assert bare.channels_of(bare.output) == bare.joined(bare.output) == sum(widths)
    assert bare.fusion_layers(bare.output) == ()

    narrowing = Conv(sum(widths), after), ReLU()
    draft = drafted(*((c.source, c.target, c.unit) for c in bare))
    draft.fuse((0, last), CONCAT, narrowing)
    grid = grid_of(draft, head=(Conv(after, F),))
    assert (grid.joined(grid.output), grid.channels_of(grid.output)) == (sum(widths), after)
    assert grid.fusion_layers(grid.output) == narrowing


@pytest.mark.parametrize("fusion", [SUM, WEIGHTED])
@pytest.mark.parametrize(
    ("after", "channels"),
    [
        ((), 3),
        ((ReLU(),), 3),
        ((Conv(3, 5),), 5),
        ((BatchNorm(3), Residual((Conv(3, 4), Conv(4, 7)), (Conv(3, 7, 1),)), ReLU()), 7),
    ],
)
def test_a_sum_has_the_channels_of_one_arrival_until_the_maps_own_layers(fusion, after, channels):
    draft = drafted(
        ((0, 0), (0, 1), (Conv(F, 3),)),
        ((0, 0), (0, 2), (Residual((Conv(F, 3),), (Conv(F, 3, 1),)),)),
        ((0, 1), (0, 2), ()),
    )
    draft.fuse((0, 2), fusion, after)
    grid = grid_of(draft, head=(Conv(channels, F),))
    assert (grid.joined(grid.output), grid.channels_of(grid.output)) == (3, channels)
    assert grid.fusion_layers(grid.output) == after
    traced = trace(grid, (4, 6))
    assert traced.shapes[grid.output] == (channels, 4, 6)


def test_a_draft_gives_the_layers_after_a_concatenation_itself():
    draft = drafted(((0, 0), (0, 1), ()), ((0, 0), (0, 2), ()), ((0, 1), (0, 2), ()))
    with pytest.raises(GridError) as caught:
        draft.fuse((0, 2), REDUCED)
    assert str(caught.value) == (
        "concatenated, then a 1x1 convolution to the map's channels: "
        "join with CONCAT and give the layers as after"
    )


def test_the_first_map_has_layers_of_its_own_and_joins_nothing():
    for fusion in (SUM, CONCAT, WEIGHTED):
        draft = drafted(((0, 0), (0, 1), (Conv(5, F),)))
        draft.fuse((0, 0), fusion, (Conv(4, 5),))
        grid = grid_of(draft, stem=(Conv(F, 4),))
        assert (grid.channels_of(grid.input), grid.fusion_layers(grid.input)) == (5, (Conv(4, 5),))
        assert trace(grid, (2, 2)).fusions["map_0_0"].parameters == (9 * 4 + 1) * 5


@pytest.mark.parametrize(("arrivals", "weights"), [(1, None), (2, 2), (3, 3)])
def test_a_weighted_fusion_has_a_weight_for_each_of_several_arrivals(arrivals, weights):
    draft = Draft()
    for column in range(1, arrivals):
        draft.connect((0, 0), (0, column))
        draft.connect((0, column), (0, arrivals))
    draft.connect((0, 0), (0, arrivals))
    draft.fuse((0, arrivals), WEIGHTED)
    found = trace(grid_of(draft), (2, 2)).fusions
    assert {name: cost.parameters for name, cost in found.items()} == (
        {f"map_0_{arrivals}": weights} if weights else {}
    )


@settings(max_examples=25)
@given(st.randoms())
def test_connections_and_maps_are_told_in_any_order(chance: random.Random):
    connections = [
        ((0, 0), (0, 1), (Conv(F, F),)),
        ((0, 0), (1, 0), DOWN),
        ((1, 0), (1, 1), (Conv(F, F),)),
        ((0, 1), (0, 2), ()),
        ((1, 1), (0, 2), (Resize(),), (0, 1)),
    ]
    told = grid_of(drafted(*connections))
    chance.shuffle(connections)
    shuffled = grid_of(drafted(*connections))
    assert shuffled.maps == told.maps
    assert shuffled.connections == told.connections


def test_what_is_told_of_a_map_last_holds():
    draft = drafted(((0, 0), (0, 1), ()))
    draft.fuse((0, 1), CONCAT, (BatchNorm(F),))
    draft.fuse((0, 1), SUM, (ReLU(),))
    grid = grid_of(draft)
    assert (grid.fusion_of(grid.output), grid.fusion_layers(grid.output)) == (SUM, (ReLU(),))


def reading() -> Grid:
    return grid_of(
        drafted(
            ((0, 0), (0, 1), (Conv(F, F),)),
            ((0, 1), (1, 1), DOWN),
            ((0, 0), (1, 1), DOWN),
            ((1, 1), (0, 2), (Resize(),), (0, 1)),
        )
    )


def test_what_a_connection_reads_stays():
    with pytest.raises(TopologyError) as caught:
        keep(reading(), lambda c: c.name != "sub_1_1")
    assert str(caught.value) == no_path("up_0_2_from_1_1", "X(0, 1)")
    assert caught.value.field == ("topology",)


def test_what_no_connection_reads_may_go():
    kept = keep(reading(), lambda c: c.name != "sub_1_1_from_0_0")
    assert [c.name for c in kept] == ["lateral_0_1", "sub_1_1", "up_0_2_from_1_1"]


def test_a_concatenation_may_go_whole_but_not_in_part():
    draft = drafted(
        ((0, 0), (0, 1), (Conv(F, F),)),
        ((0, 0), (0, 2), ()),
        ((0, 1), (0, 2), ()),
        ((0, 2), (0, 3), (Conv(2 * F, F),)),
        ((0, 0), (0, 3), ()),
    )
    draft.fuse((0, 2), CONCAT)
    grid = grid_of(draft)
    assert [c.name for c in keep(grid, lambda c: c.source == (0, 0))] == ["lateral_0_3_from_0_0"]
    with pytest.raises(TopologyError) as caught:
        keep(grid, lambda c: c.name != "lateral_0_1")
    assert str(caught.value) == (
        "X(0, 2) concatenates 2 maps; keep all of the connections into it, or none"
    )


def test_streams_and_columns_are_counted_from_zero():
    with pytest.raises(GridError, match="counted from 0"):
        Draft().connect((0, 0), (-1, 0))
