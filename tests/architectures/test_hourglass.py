import pytest

from gridgen import build_grid, count
from gridgen.architectures.hourglass import StackedHourglass
from gridgen.grid import FeatureMap

RESIDUAL = (512 + 32_896) + (256 + 147_584) + (256 + 33_024)


def hourglass(**fields):
    return build_grid(StackedHourglass(architecture="stacked-hourglass", **fields))


@pytest.mark.parametrize(("stacks", "total"), [(1, 3_426_448), (2, 6_570_400), (8, 25_434_112)])
def test_a_stack_has_fourteen_residual_units_and_one_more_convolution(stacks, total):
    stack = 14 * RESIDUAL + 256 * 256 + 256 + 2 * 256
    between = 256 * 256 + 256 + 256 * 16 + 16 + 16 * 256 + 256
    stem, heat = 352_640, 256 * 16 + 16
    assert stem + stacks * stack + (stacks - 1) * between + heat == total
    assert count(hourglass(stacks=stacks)).parameters.total == total


def test_between_hourglasses_only_stream_0_leads():
    grid = hourglass(stacks=3)
    between = [c for c in grid if c.target.column in (2, 4) and c.kind == "lateral"]
    assert [c.name for c in between] == [
        "lateral_0_2_from_0_0",
        "lateral_0_2",
        "lateral_0_4_from_0_2",
        "lateral_0_4",
    ]


def test_what_went_in_its_features_and_its_heat_maps_are_added():
    entered, heat = hourglass().into(FeatureMap(0, 2))
    assert entered.unit == ()
    assert [conv.channels_out for conv in heat.unit] == [16, 256]
    assert [conv.channels_out for conv in heat.shortcut] == [256]


def test_every_stream_has_a_residual_lateral_and_the_same_channels():
    grid = hourglass(stacks=1)
    assert {grid.channels_of(x) for x in grid.maps} == {256}
    laterals = [c for c in grid if c.kind == "lateral"]
    assert [c.source.stream for c in laterals if c.shortcut == ()] == [4, 3, 2, 1, 0]
    assert count(grid).paths == 5


def test_two_stacks_have_six_times_as_many_paths_as_one():
    """A second hourglass is entered from what went into the first or came out of it."""
    assert count(hourglass(stacks=2)).paths == (1 + 5) * 5
