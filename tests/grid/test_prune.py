import pytest
from hypothesis import given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.errors import TopologyError, unknown
from gridgen.grid import TOPOLOGIES, build_grid, keep, prune, removed
from gridgen.spec import CustomTopology, GridSpec


def names(connections) -> list[str]:
    return [connection.name for connection in connections]


@pytest.fixture(scope="module")
def grid():
    return build_grid(GridSpec(streams=3, columns="2+2", base_channels=4, classes=2))


def custom(grid, **lists):
    return prune(grid, CustomTopology(**lists))


@settings(max_examples=200)
@given(specs(), st.data())
def test_pruning_starts_from_the_full_grid_and_twice_is_once(spec, data):
    full = build_grid(spec)
    chosen = st.sampled_from(topologies_for(spec))
    first, second = data.draw(chosen), data.draw(chosen)
    once = prune(full, second)
    again = prune(prune(prune(full, first), second), second)
    assert names(again) == names(once)
    assert again.maps == once.maps
    assert again.dead_ends == once.dead_ends
    assert again.full is once.full is full
    assert again.spec == once.spec == spec.but(topology=second)


@settings(max_examples=100)
@given(specs(), st.data())
def test_a_pruned_grid_is_built_again_from_its_spec(spec, data):
    full = build_grid(spec)
    some = st.lists(st.sampled_from(names(full) or ["x"]), min_size=1, unique=True)
    topology = data.draw(
        st.one_of(st.sampled_from(topologies_for(spec)), some.map(lambda x: {"drop": x}))
    )
    spec = spec.but(topology=topology)
    try:
        grid = build_grid(spec)
    except TopologyError:
        return
    again = build_grid(GridSpec(**grid.spec.plain()))
    assert names(again) == names(grid)
    assert again.spec == grid.spec == spec


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_kept_removed_and_full_add_up(name, paper_grid):
    grid = prune(paper_grid, name)
    assert sorted(names(grid) + names(removed(grid))) == sorted(names(paper_grid))
    assert not set(names(grid)) & set(names(removed(grid)))


def test_nothing_is_removed_from_a_full_grid(paper_grid):
    assert removed(paper_grid) == ()


def test_a_list_keeps_what_it_names(grid):
    kept = custom(grid, keep=["lateral_0_1", "lateral_0_2", "lateral_0_3"])
    assert names(kept) == ["lateral_0_1", "lateral_0_2", "lateral_0_3"]
    assert kept.spec.topology == CustomTopology(keep=["lateral_0_1", "lateral_0_2", "lateral_0_3"])


def test_a_list_drops_what_it_names(grid):
    kept = custom(grid, drop=["up_0_2", "sub_1_1"])
    assert set(names(grid)) - set(names(kept)) == {"up_0_2", "sub_1_1"}


@pytest.mark.parametrize(
    ("patterns", "kept"),
    [
        (["lateral_0_*"], {"lateral_0_1", "lateral_0_2", "lateral_0_3"}),
        (["lateral_0_?"], {"lateral_0_1", "lateral_0_2", "lateral_0_3"}),
        (["lateral_0_[1-3]"], {"lateral_0_1", "lateral_0_2", "lateral_0_3"}),
        (
            ["lateral_[!2]_*", "sub_1_0", "up_0_3"],
            {f"lateral_{i}_{j}" for i in (0, 1) for j in (1, 2, 3)} | {"sub_1_0", "up_0_3"},
        ),
    ],
)
def test_wildcards(grid, patterns, kept):
    assert set(names(custom(grid, keep=patterns))) == kept


def test_a_star_keeps_all(grid):
    assert names(custom(grid, keep=["*"])) == names(grid)


def test_what_was_kept_but_lies_on_no_path_is_reported(grid):
    kept = custom(grid, keep=["lateral_0_*", "sub_1_1", "lateral_1_2", "up_1_3"])
    assert names(kept) == ["lateral_0_1", "lateral_0_2", "lateral_0_3"]
    assert set(names(kept.dead_ends)) == {"sub_1_1", "lateral_1_2", "up_1_3"}
    assert {feature_map.stream for feature_map in kept.maps} == {0}


def test_what_was_dropped_is_no_dead_end(grid):
    kept = custom(grid, drop=["up_0_*"])
    assert {c.name for c in kept} == {"lateral_0_1", "lateral_0_2", "lateral_0_3"}
    dead = set(names(kept.dead_ends))
    assert "sub_1_0" in dead
    assert not {"up_0_2", "up_0_3"} & dead


def test_dead_ends_of_the_lattice_are_reported_by_a_topology_that_wants_them():
    full = build_grid(GridSpec(streams=2, columns=["sub", "up", "sub"], base_channels=4, classes=2))
    assert set(names(full.dead_ends)) == {"sub_1_2", "lateral_1_2"}
    assert prune(full, "gridnet").dead_ends == full.dead_ends
    assert prune(full, "resnet").dead_ends == ()


@pytest.mark.parametrize(
    ("lists", "message", "field"),
    [
        (
            {"keep": ["lateral_0_*", "lateral_9_9"]},
            "unknown connection 'lateral_9_9'; "
            "those of lateral lead to streams 0 to 2, columns 1 to 3",
            ("topology", "keep", 1),
        ),
        (
            {"drop": ["x*"]},
            "unknown connection 'x*'; known: lateral_*, lateral_*_1, lateral_*_2, lateral_*_3, "
            "lateral_0_*, lateral_1_*, lateral_2_*, sub_*, sub_*_0, sub_*_1, sub_1_*, sub_2_*, "
            "up_*, up_*_2, up_*_3, up_0_*, up_1_*",
            ("topology", "drop", 0),
        ),
        (
            {"keep": ["sub_*", "up_*"]},
            "no path from input to output is left; keep one along the streams",
            ("topology",),
        ),
        (
            {"drop": ["*"]},
            "no path from input to output is left; keep one along the streams",
            ("topology",),
        ),
    ],
)
def test_a_custom_topology_that_cannot_be(grid, lists, message, field):
    with pytest.raises(TopologyError) as caught:
        custom(grid, **lists)
    assert str(caught.value) == message
    assert caught.value.field == field


def test_an_unknown_topology_gets_the_nearest_name(grid):
    with pytest.raises(TopologyError) as caught:
        prune(grid, "u-net")
    assert str(caught.value) == unknown("topology", "u-net", ["unet"])
    assert caught.value.field == ("topology",)


def test_keep_takes_any_predicate_and_remembers_the_full_grid(grid):
    once = keep(grid, lambda c: c.target.stream < 2)
    twice = keep(once, lambda c: c.kind != "upsampling" or c.target.column == 3)
    assert "sub_2_0" not in names(once)
    assert "up_0_2" not in names(twice)
    assert twice.full is grid


@settings(max_examples=100)
@given(specs(), st.sets(st.integers(0, 80)))
def test_keeping_any_connections_leaves_maps_on_paths_and_reports_the_rest(spec, chosen):
    full = build_grid(spec)
    wanted = {c.name for i, c in enumerate(full) if i in chosen or c.target.stream == 0}
    grid = keep(full, lambda c: c.name in wanted)
    for feature_map in grid.maps:
        assert feature_map == grid.input or grid.into(feature_map)
        assert feature_map == grid.output or grid.dag.out_degree(feature_map)
    lattice_dead = {c.name for c in full.dead_ends if c.name in wanted}
    assert set(names(grid)) | set(names(grid.dead_ends)) == wanted | lattice_dead
    assert not set(names(grid)) & set(names(grid.dead_ends))
