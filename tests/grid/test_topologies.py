import pytest
from hypothesis import given, settings
from strategies import paper_specs, topologies_for

from gridgen.analysis import count_paths
from gridgen.errors import TopologyError
from gridgen.grid import TOPOLOGIES, FeatureMap, build_grid, prune
from gridgen.spec import CustomTopology, GridSpec
from gridgen.testing import check_topology


def grid_of(streams: int, columns):
    return build_grid(GridSpec(streams=streams, columns=columns, base_channels=4, classes=2))


def names(grid) -> set[str]:
    return {connection.name for connection in grid}


LADDER = {
    *("sub_1_0", "sub_2_0", "sub_3_0", "sub_4_0"),
    *("lateral_4_1", "lateral_4_2", "lateral_4_3", "lateral_4_4", "lateral_4_5"),
    *("up_3_5", "up_2_5", "up_1_5", "up_0_5"),
}
STAIRCASE = {
    *("sub_1_0", "lateral_1_1", "sub_2_1", "lateral_2_2", "sub_3_2", "lateral_3_3", "sub_4_3"),
    *("lateral_4_4", "up_3_4", "lateral_3_5", "up_2_5", "lateral_2_6", "up_1_6"),
    *("lateral_1_7", "up_0_7"),
}
SKIPS = {
    *(f"lateral_0_{j}" for j in range(1, 8)),
    *(f"lateral_1_{j}" for j in range(2, 7)),
    *(f"lateral_2_{j}" for j in range(3, 6)),
    "lateral_3_4",
}


@pytest.mark.parametrize(
    ("columns", "topology", "kept", "edges", "paths"),
    [
        (
            "3+3",
            "gridnet",
            {f"lateral_{i}_{j}" for i in range(5) for j in range(1, 6)}
            | {f"sub_{i}_{j}" for i in range(1, 5) for j in range(3)}
            | {f"up_{i}_{j}" for i in range(4) for j in range(3, 6)},
            49,
            371,
        ),
        ("3+3", "conv-deconv", LADDER, 13, 1),
        (
            "3+3",
            "unet",
            LADDER | {f"lateral_{i}_{j}" for i in range(5) for j in range(1, 6)},
            33,
            5,
        ),
        ("3+3", "resnet", {f"lateral_0_{j}" for j in range(1, 6)}, 5, 1),
        (
            "4+4",
            "gridnet",
            {f"lateral_{i}_{j}" for i in range(5) for j in range(1, 8)}
            | {f"sub_{i}_{j}" for i in range(1, 5) for j in range(4)}
            | {f"up_{i}_{j}" for i in range(4) for j in range(4, 8)},
            67,
            1742,
        ),
        ("4+4", "conv-deconv", STAIRCASE, 15, 1),
        ("4+4", "unet", STAIRCASE | SKIPS, 31, 5),
        (
            "4+4",
            "frrn",
            STAIRCASE
            | {f"lateral_0_{j}" for j in range(1, 8)}
            | {f"sub_{i}_{j}" for j in range(4) for i in range(1, j + 2)}
            | {f"up_{i}_{4 + k}" for k in range(4) for i in range(4 - k)},
            34,
            17,
        ),
    ],
)
def test_the_connections_kept_at_five_streams(columns, topology, kept, edges, paths):
    grid = prune(grid_of(5, columns), topology)
    assert names(grid) == kept
    assert len(grid.connections) == edges
    assert count_paths(grid) == paths
    assert grid.dead_ends == ()


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_every_topology_holds_its_contract(name):
    check_topology(TOPOLOGIES[name])


@pytest.mark.parametrize("name", TOPOLOGIES)
@settings(max_examples=100)
@given(paper_specs())
def test_a_topology_fits_every_grid_of_the_papers_family_and_leaves_nothing_dead(name, spec):
    assert name in topologies_for(spec)
    grid = prune(build_grid(spec), name)
    assert grid.dead_ends == ()
    assert names(grid) <= names(grid.full)


@settings(max_examples=100)
@given(paper_specs())
def test_conv_deconv_is_one_path_to_the_lowest_stream(spec):
    grid = prune(build_grid(spec), "conv-deconv")
    assert count_paths(grid) == 1
    assert {feature_map.stream for feature_map in grid.maps} == set(range(spec.streams))


@settings(max_examples=100)
@given(paper_specs())
def test_unet_is_conv_deconv_plus_skips(spec):
    full = build_grid(spec)
    path, unet = names(prune(full, "conv-deconv")), names(prune(full, "unet"))
    assert path <= unet
    assert all(name.startswith("lateral_") for name in unet - path)
    assert count_paths(prune(full, "unet")) == spec.streams


@settings(max_examples=100)
@given(paper_specs())
def test_frrn_is_conv_deconv_plus_a_full_resolution_stream_joined_in_every_column(spec):
    full = build_grid(spec)
    frrn = prune(full, "frrn")
    assert names(prune(full, "conv-deconv")) <= names(frrn)
    last = len(spec.columns)
    assert {f"lateral_0_{j}" for j in range(1, last)} <= names(frrn)
    if spec.streams > 1:
        for j, column in enumerate(spec.columns):
            assert (f"sub_1_{j}" if column == "sub" else f"up_0_{j}") in names(frrn)


def test_resnet_is_stream_0():
    grid = prune(grid_of(3, "2+2"), "resnet")
    assert grid.maps == tuple(FeatureMap(0, j) for j in range(4))


@pytest.mark.parametrize("streams", range(1, 7))
def test_a_gridnet_of_two_columns_is_a_summing_residual_unet(streams):
    full = grid_of(streams, "1+1")
    assert names(prune(full, "unet")) == names(prune(full, "gridnet")) == names(full)


def test_a_gridnet_of_two_columns_and_five_streams_has_13_connections():
    assert len(grid_of(5, "1+1").connections) == 13


@pytest.mark.parametrize(
    ("streams", "columns", "staircase"),
    [
        (5, "4+4", True),
        (5, "5+4", True),
        (5, "4+3", False),
        (5, "3+4", False),
        (5, "3+3", False),
        (3, "2+2", True),
        (3, "1+2", False),
        (3, "4+2", True),
    ],
)
def test_the_path_is_a_staircase_where_the_columns_allow_it_else_a_ladder(
    streams, columns, staircase
):
    full = grid_of(streams, columns)
    kept = names(prune(full, "conv-deconv"))
    last, deep = len(full.spec.columns) - 1, streams - 1
    ladder = {
        *(f"sub_{i}_0" for i in range(1, streams)),
        *(f"lateral_{deep}_{j}" for j in range(1, last + 1)),
        *(f"up_{i}_{last}" for i in range(deep)),
    }
    steps = {
        *(f"sub_{i}_{i - 1}" for i in range(1, streams)),
        *(f"lateral_{i}_{i}" for i in range(1, deep)),
        *(f"lateral_{deep}_{j}" for j in range(deep, last - deep + 2)),
        *(f"up_{i}_{last - i}" for i in range(deep)),
        *(f"lateral_{i}_{last - i + 1}" for i in range(1, deep)),
    }
    assert kept == (steps if staircase else ladder)


@pytest.mark.parametrize("name", ["conv-deconv", "unet", "frrn"])
@pytest.mark.parametrize(
    ("columns", "short"),
    [(["sub", "up", "sub", "up"], "1+1+1+1"), (["up", "sub", "up"], "0+1+1+1")],
)
def test_going_down_and_up_once_needs_sub_columns_then_up_columns(name, columns, short):
    with pytest.raises(TopologyError) as caught:
        prune(grid_of(3, columns), name)
    assert str(caught.value) == (
        f"conv-deconv, unet and frrn go down and up once; columns {short} are not sub columns, "
        "then up columns"
    )
    assert caught.value.field == ("topology",)


def test_gridnet_and_resnet_take_any_columns():
    spec = GridSpec(streams=3, columns=["sub", "up", "sub", "up"], base_channels=4, classes=2)
    assert topologies_for(spec) == ["gridnet", "resnet"]


def test_a_topology_is_called_by_its_name_and_lists_custom(paper_spec):
    assert paper_spec.title == "gridnet"
    assert paper_spec.but(topology="unet").title == "unet"
    custom = CustomTopology(keep=["lateral_*"])
    assert paper_spec.but(topology=custom).title == "custom"
