import pytest
from hypothesis import given, settings
from strategies import paper_specs, specs

from gridgen.errors import SpecError, unknown
from gridgen.grid import Connection, FeatureMap, build_grid, require_names
from gridgen.spec import GridSpec


def of_kind(grid, kind):
    return [connection for connection in grid if connection.kind == kind]


def test_the_papers_grid_has_30_maps_and_25_12_12_connections(paper_grid):
    assert len(paper_grid.maps) == 30
    assert len(of_kind(paper_grid, "lateral")) == 25
    assert len(of_kind(paper_grid, "subsampling")) == 12
    assert len(of_kind(paper_grid, "upsampling")) == 12
    assert (paper_grid.input, paper_grid.output) == (FeatureMap(0, 0), FeatureMap(0, 5))
    assert paper_grid.dead_ends == ()
    assert paper_grid.full is paper_grid


def test_the_papers_connections_lead_where_figure_1_draws_them(paper_grid):
    names = {connection.name for connection in paper_grid}
    assert names == {
        *(f"lateral_{i}_{j}" for i in range(5) for j in range(1, 6)),
        *(f"sub_{i}_{j}" for i in range(1, 5) for j in range(3)),
        *(f"up_{i}_{j}" for i in range(4) for j in range(3, 6)),
    }
    for connection in paper_grid:
        (i, j), source = connection.target, connection.source
        steps = {"lateral": (i, j - 1), "subsampling": (i - 1, j), "upsampling": (i + 1, j)}
        assert source == steps[connection.kind]


def test_column_0_has_no_lateral_and_the_last_stream_of_an_up_column_the_lateral_alone(paper_grid):
    assert paper_grid.into(FeatureMap(0, 0)) == []
    for i in range(1, 5):
        assert [c.name for c in paper_grid.into(FeatureMap(i, 0))] == [f"sub_{i}_0"]
    for j in range(3, 6):
        assert [c.name for c in paper_grid.into(FeatureMap(4, j))] == [f"lateral_4_{j}"]


@settings(max_examples=200)
@given(paper_specs())
def test_the_numbers_of_connections_follow_the_formulas(spec):
    grid = build_grid(spec)
    sub, up, streams = spec.columns.count("sub"), spec.columns.count("up"), spec.streams
    assert len(of_kind(grid, "lateral")) == streams * (sub + up - 1)
    assert len(of_kind(grid, "subsampling")) == (streams - 1) * sub
    assert len(of_kind(grid, "upsampling")) == (streams - 1) * up
    assert len(grid.maps) == streams * (sub + up)
    assert grid.dead_ends == ()


def spec_of(**fields) -> GridSpec:
    return GridSpec(streams=3, columns="2+2", base_channels=4, classes=2, **fields)


def test_the_identity_is_added_along_the_streams_by_default():
    grid = build_grid(spec_of())
    shortcuts = {c.kind: c.shortcut for c in grid}
    assert shortcuts == {"lateral": (), "subsampling": None, "upsampling": None}


@pytest.mark.parametrize("lateral", [False, True])
@pytest.mark.parametrize("vertical", [False, True])
def test_identities_are_where_the_spec_says(lateral, vertical):
    grid = build_grid(spec_of(residual={"lateral": lateral, "vertical": vertical}))
    for connection in grid:
        wanted = lateral if connection.kind == "lateral" else vertical
        assert (connection.shortcut is not None) == wanted


def test_total_dropout_is_on_lateral_units_alone():
    grid = build_grid(spec_of(total_dropout=0.1))
    assert {(c.kind, c.dropout) for c in grid} == {
        ("lateral", 0.1),
        ("subsampling", 0.0),
        ("upsampling", 0.0),
    }


def test_a_column_may_run_either_way_at_any_place():
    fields = {"streams": 3, "base_channels": 4, "classes": 2}
    hourglasses = build_grid(GridSpec(columns=["sub", "up", "sub", "up"], **fields))
    assert [c.name for c in hourglasses.into(FeatureMap(1, 2))] == ["lateral_1_2", "sub_1_2"]
    assert [c.name for c in hourglasses.into(FeatureMap(1, 3))] == ["lateral_1_3", "up_1_3"]
    assert hourglasses.dead_ends == ()


def test_what_lies_on_no_path_is_left_out_and_reported():
    grid = build_grid(
        GridSpec(streams=2, columns=["up", "sub", "up", "sub"], base_channels=4, classes=2)
    )
    assert FeatureMap(1, 0) not in grid.maps
    assert FeatureMap(1, 3) not in grid.maps
    assert {c.name for c in grid.dead_ends} == {"up_0_0", "lateral_1_1", "lateral_1_3", "sub_1_3"}
    assert grid.full is grid


def test_one_stream_and_one_column_is_one_map():
    grid = build_grid(GridSpec(streams=1, columns="1+0", base_channels=4, classes=2))
    assert grid.maps == (FeatureMap(0, 0),)
    assert grid.input == grid.output
    assert grid.connections == ()


@pytest.mark.parametrize(
    ("streams", "columns", "lost"),
    [(2, ["up", "sub"], "1"), (4, ["sub", "sub"], "1, 2, 3"), (2, ["up"], "1")],
)
def test_streams_that_no_path_visits_are_the_specs_fault(streams, columns, lost):
    with pytest.raises(SpecError) as caught:
        build_grid(GridSpec(streams=streams, columns=columns, base_channels=4, classes=2))
    assert str(caught.value) == (
        f"columns: no path from input to output visits stream {lost}; "
        "the columns need a sub before an up"
    )


def test_a_spec_that_names_a_topology_gets_it(paper_spec):
    grid = build_grid(paper_spec.but(topology="unet"))
    assert len(grid.connections) == 33
    assert len(grid.full.connections) == 49
    assert grid.spec.topology == "unet"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"units": {"lateral": "x"}},
            unknown("lateral unit", "x", ["bottleneck", "residual", "separable"]),
        ),
        ({"fusion": "x"}, unknown("fusion", "x", ["concat", "sum", "weighted"])),
        ({"stem": "x"}, unknown("stem", "x", ["conv", "residual", "strided"])),
        ({"head": "x"}, unknown("head", "x", ["bilinear", "conv", "deconv", "residual"])),
        ({"norm": "layer"}, unknown("norm", "layer", ["batch", "group", "instance", "none"])),
        ({"activation": "rleu"}, unknown("activation", "rleu", ["relu"])),
        ({"topology": "u-net"}, unknown("topology", "u-net", ["unet"])),
    ],
)
def test_names_that_do_not_exist_are_found_before_anything_is_built(fields, message):
    with pytest.raises(SpecError) as caught:
        spec_of(**fields)
    [field] = fields
    assert str(caught.value) == f"{'units.lateral' if field == 'units' else field}: {message}"


@given(specs())
def test_every_name_of_a_valid_spec_exists(spec):
    require_names(spec)


def test_a_connection_from_further_away_says_from_where():
    far = Connection(FeatureMap(0, 0), FeatureMap(0, 2), (), (), 0.0)
    diagonal = Connection(FeatureMap(0, 0), FeatureMap(1, 1), (), None, 0.0)
    near = Connection(FeatureMap(0, 1), FeatureMap(0, 2), (), (), 0.0)
    assert far.name == "lateral_0_2_from_0_0"
    assert diagonal.name == "sub_1_1_from_0_0"
    assert near.name == "lateral_0_2"
