"""Costs piece by piece: they are those of the layers, and every grouping adds up to the totals."""

from dataclasses import asdict

import pytest
from hypothesis import given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.analysis import count
from gridgen.analysis.breakdown import GROUPINGS, Group, Piece, breakdown, per_part, per_stream
from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.errors import SizeError
from gridgen.grid import build_grid, prune
from gridgen.spec import GridSpec


def sums(rows) -> tuple[int, int, int]:
    return (
        sum(row.parameters for row in rows),
        sum(row.activations for row in rows),
        sum(row.macs for row in rows),
    )


def totals(grid, size=None) -> tuple[int, int, int]:
    counted = count(grid, size)
    return counted.parameters.total, counted.activations.total, counted.macs.total


def require_sums(grid, size=None) -> None:
    pieces = breakdown(grid, size)
    for group in GROUPINGS.values():
        assert sums(group(pieces)) == totals(grid, size)
    counted = count(grid, size).parameters
    parts = {group.name: group.parameters for group in per_part(pieces)}
    assert (parts["stem"], parts["head"]) == (counted.stem, counted.head)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_sums_are_the_totals_of_every_published_network(name):
    grid = build_grid(load_spec(name))
    require_sums(grid)
    names = [
        piece.name for piece in breakdown(grid) if piece.part not in ("stem", "fusion", "head")
    ]
    assert names == [connection.name for connection in grid]
    assert all(group.size for group in per_stream(breakdown(grid)))


@settings(max_examples=100)
@given(specs(), st.data())
def test_the_sums_are_the_totals_of_every_grid(spec, data):
    grid = prune(build_grid(spec), data.draw(st.sampled_from(topologies_for(spec))))
    side = spec.least * data.draw(st.integers(1, 3))
    require_sums(grid, (side, 2 * side))


def test_the_sums_are_the_totals_where_features_enter_beside_the_image():
    spec = GridSpec(streams=3, columns="1+1", base_channels=4, classes=2, side_channels=[5, 6])
    grid = build_grid(spec)
    require_sums(grid)
    stems = [piece for piece in breakdown(grid, (16, 32)) if piece.part == "stem"]
    assert [(piece.name, piece.stream, piece.input, piece.output) for piece in stems] == [
        ("stem", 0, (3, 16, 32), (4, 16, 32)),
        ("map_1_0", 1, (5, 8, 16), (8, 8, 16)),
        ("map_2_0", 2, (6, 4, 8), (16, 4, 8)),
    ]


@given(specs())
@settings(max_examples=50)
def test_a_piece_goes_from_map_to_map(spec):
    grid = build_grid(spec)
    pieces = {
        (piece.part, piece.name): piece for piece in breakdown(grid, (2 * spec.multiple,) * 2)
    }
    for connection in grid:
        piece = pieces[connection.kind, connection.name]
        assert piece.input[0] == grid.channels_of(connection.source)
        assert piece.output[0] == grid.channels_of(connection.target)
        assert piece.stream == connection.target.stream
        assert piece.parameters == connection.parameters
        fusion = pieces.get(("fusion", connection.target.name))
        if fusion:
            assert fusion.input[0] == grid.joined(connection.target)
            assert fusion.input[1:] == piece.output[1:]
    assert pieces["head", "head"].input[0] == grid.channels_of(grid.output)


def test_the_papers_network_by_part_and_by_stream(paper_grid):
    pieces = breakdown(paper_grid, (400, 400))
    squares = sum(4**i for i in range(5)) * 16**2
    lateral = 5 * (18 * squares + 6 * 16 * 31)
    assert [(group.name, group.pieces, group.parameters) for group in per_part(pieces)] == [
        ("stem", 1, 2_838),
        ("lateral", 25, lateral),
        ("subsampling", 12, 3 * (54 * 85 * 256 + 10 * 16 * 15)),
        ("upsampling", 12, 3 * (27 * 85 * 256 + 8 * 16 * 15)),
        ("head", 1, 6_099),
    ]
    streams = per_stream(pieces)
    assert [group.size for group in streams] == [(400 >> i, 400 >> i) for i in range(5)]
    # Section 3.2: the lowest stream holds the parameters, the first one the activations.
    assert max(streams, key=lambda group: group.parameters).name == "stream 4"
    assert max(streams, key=lambda group: group.activations).name == "stream 0"
    inner = [group.macs for group in streams[1:4]]  # between the ends, every stream costs the same
    assert len(set(inner)) == 1


def test_a_piece_has_the_shapes_and_the_cost_of_its_unit(paper_grid):
    pieces = {piece.name: piece for piece in breakdown(paper_grid, (400, 400))}
    assert pieces["sub_1_0"] == Piece(
        name="sub_1_0",
        part="subsampling",
        stream=1,
        input=(16, 400, 400),
        output=(32, 200, 200),
        parameters=54 * 16**2 + 10 * 16,
        activations=16 * 400 * 400 * 4,  # twice all of it, then four halves
        macs=9 * (16 * 32 + 32 * 32) * 200 * 200,
    )


def test_a_group_holds_the_sums_of_its_pieces():
    grid = build_grid(GridSpec(streams=1, columns="1+1", base_channels=1, classes=1))
    [lateral] = [group for group in per_part(breakdown(grid, (1, 1))) if group.name == "lateral"]
    assert lateral == Group("lateral", 1, (1, 1), parameters=24, activations=6, macs=18)
    assert list(asdict(lateral)) == [
        "name",
        "pieces",
        "size",
        *("parameters", "activations", "macs"),
    ]


def test_a_fusion_that_costs_nothing_is_no_piece(paper_grid):
    assert not [piece for piece in breakdown(paper_grid) if piece.part == "fusion"]


def test_a_head_that_changes_the_size_does_not_change_its_streams(paper_grid):
    grid = build_grid(load_spec("fpn"))
    first = per_stream(breakdown(grid, (512, 512)))[0]
    assert (first.name, first.size) == ("stream 0", (128, 128))


def test_a_size_that_the_grid_cannot_take_is_refused(paper_grid):
    with pytest.raises(SizeError, match=r"^Image is 360x480; 5 streams need multiples of 16"):
        breakdown(paper_grid, (360, 480))
