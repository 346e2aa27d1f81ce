"""Networks of equal cost, by their width."""

import pytest

from gridgen.analysis import count
from gridgen.errors import SpecError
from gridgen.grid import GridSpec, build_grid
from gridgen.grid.topologies import TOPOLOGIES
from gridgen.memory import inference_memory, training_memory
from gridgen.space.matching import MATCHED, Match, matched
from gridgen.space.quantities import QUANTITIES

AMOUNTS = {
    "parameters": 400_000,
    "activations": 3_000_000,
    "macs": 2 * 10**8,
    "training_memory": 40 * 10**6,
    "inference_memory": 10**7,
}


def spec_of(topology="gridnet", **fields):
    return GridSpec(
        **{"streams": 3, "columns": "2+2", "base_channels": 8, "classes": 4}
        | {"topology": topology}
        | fields
    )


def costs(match, widths, topology="gridnet"):
    return {
        width: QUANTITIES[match.quantity].of(
            build_grid(spec_of(topology, base_channels=width)), match
        )
        for width in widths
    }


@pytest.mark.parametrize("quantity", MATCHED)
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_no_other_width_comes_nearer(quantity, topology):
    match = Match(**{quantity: AMOUNTS[quantity]}, size=(64, 64), within="30 %")
    width = matched(spec_of(topology), match).base_channels
    near = costs(match, {max(1, width - 1), width, width + 1}, topology)
    assert min(near, key=lambda each: abs(near[each] - match.wanted)) == width


def test_every_quantity_is_met_exactly_as_it_is_counted():
    spec = spec_of("unet")
    size = (64, 64)
    found = matched(spec, Match(parameters="500k"))
    assert abs(count(found).parameters.total - 500_000) <= 0.05 * 500_000
    found = matched(spec, Match(macs="315MMAC", size=size))
    assert abs(count(found, size).macs.total - 315e6) <= 0.05 * 315e6
    match = Match(training_memory="100MB", size=size, batch=4, within="5 %")
    assert (
        abs(training_memory(build_grid(matched(spec, match)), size, match.setting) - 10**8)
        <= 5 * 10**6
    )
    match = Match(inference_memory="20MB", size=size, within="5 %")
    assert (
        abs(inference_memory(build_grid(matched(spec, match)), size, match.setting) - 2e7) <= 10**6
    )


def test_topologies_of_equal_parameters_differ_in_width_alone():
    widths = {}
    for topology in TOPOLOGIES:
        spec = spec_of(topology)
        found = matched(spec, Match(parameters=500_000))
        assert found == spec.but(base_channels=found.base_channels)
        widths[topology] = found.base_channels
    assert widths["gridnet"] < widths["unet"] < widths["conv-deconv"] < widths["resnet"]


def test_where_no_width_fits_the_nearest_two_are_told():
    with pytest.raises(SpecError) as error:
        matched(spec_of(), Match(parameters=10_000, within=0.001))
    near = costs(Match(parameters=10_000), (2, 3))
    assert str(error.value).endswith(
        f"comes within 0.1% of 10,000 parameters: F0 = 2 has {near[2]:,}, 3 has {near[3]:,}"
    )


@pytest.mark.parametrize(("wanted", "width"), [(1, 1), ("1T", 65536 >> 2)])
def test_a_cost_beyond_all_widths_is_told_with_the_last_width(wanted, width):
    with pytest.raises(SpecError, match=f"F0 = {width} has"):
        matched(spec_of(), Match(parameters=wanted))


def test_channels_that_are_listed_are_refused():
    listed = spec_of(base_channels=None, channels=(8, 16, 32))
    with pytest.raises(SpecError, match="channels are listed, and a match varies base_channels"):
        matched(listed, Match(parameters=1000))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "0 costs to meet; give one of parameters"),
        ({"parameters": 1, "macs": 1}, "2 costs to meet"),
        ({"parameters": 1, "within": "three"}, "within"),
        ({"parameters": 1, "within": 1.0}, "within"),
        ({"parameters": 0}, "parameters"),
    ],
)
def test_a_match_that_means_nothing_is_told(fields, told):
    with pytest.raises(SpecError, match=told):
        Match(**fields)
