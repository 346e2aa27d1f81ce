import pytest

from gridgen import build_grid, count
from gridgen.architectures.frrn import Frrn
from gridgen.grid import FeatureMap
from gridgen.grid.layers import Conv, MaxPool, Upsample


def frrn(name, **fields):
    return build_grid(Frrn(architecture=name, **fields))


@pytest.mark.parametrize(("name", "total"), [("frrn-a", 17_746_803), ("frrn-b", 24_755_699)])
def test_the_parameters_are_those_of_the_authors_code(name, total):
    assert count(frrn(name)).parameters.total == total


def test_b_has_two_more_units_of_384_channels_and_two_more_of_192():
    larger, smaller = (count(frrn(name)).parameters.total for name in ("frrn-b", "frrn-a"))
    wide = 9 * (384 + 32) * 384 + 9 * 384**2 + 36 * 384 + 32
    narrow = 9 * (192 + 32) * 192 + 9 * 192**2 + 36 * 192 + 32
    assert larger - smaller == 2 * wide + 2 * narrow


@pytest.mark.parametrize(
    ("name", "deepest"),
    [("frrn-a", {4: [384] * 2}), ("frrn-b", {4: [384] * 2 + [192] * 2, 5: [384] * 2})],
)
def test_the_units_of_each_resolution_are_those_of_table_1(name, deepest):
    units = {1: [96] * 5, 2: [192] * 6, 3: [384] * 2 + [192] * 2} | deepest
    grid = frrn(name)
    lower = sorted(feature_map for feature_map in grid.maps if feature_map.stream > 0)
    assert {
        stream: [grid.channels_of(x) for x in lower if x.stream == stream] for stream in units
    } == units
    assert len({x.column for x in lower}) == len(lower)


@pytest.mark.parametrize("name", ["frrn-a", "frrn-b"])
def test_every_unit_reads_the_lane_and_writes_it_back_at_full_size(name):
    grid = frrn(name)
    between = {(c.source, c.target): c.unit for c in grid}
    for place in (x for x in grid.maps if x.stream > 0):
        size = 2**place.stream
        before, lane = FeatureMap(0, place.column - 1), FeatureMap(0, place.column)
        assert between[before, place][-1] == MaxPool(size, size)
        channels = grid.channels_of(place)
        write = Conv(channels, 32, kernel=1), Upsample("nearest", size)
        assert between[place, lane] == write
        assert between[before, lane] == ()
