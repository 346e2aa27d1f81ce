"""The sub-networks among which a supernet is trained."""

from collections import Counter
from itertools import islice
from random import Random

import pytest

from gridgen.analysis import count
from gridgen.errors import SpecError
from gridgen.grid import GridSpec, build_grid
from gridgen.grid.subtopologies import Subtopology
from gridgen.space.subnetworks import LEVELS, SAMPLINGS, Subnetworks, draw_each

SPEC = GridSpec(streams=3, columns="2+2", base_channels=8, classes=4)
LARGE = SPEC.but(streams=5, columns="4+4")


def test_every_sub_topology_in_every_width():
    networks = Subnetworks.every(SPEC.but(base_channels=6), [4, 6])
    assert networks.number == len(list(networks)) == 2 * 279
    assert networks.whole == SPEC.but(base_channels=6)
    assert {networks.spec(each).base_channels for each in networks} == {4, 6}


def test_of_listed_topologies_the_whole_network_has_what_any_of_them_has():
    networks = Subnetworks.some(SPEC, ["conv-deconv", "unet", "resnet"])
    assert networks.number == 3  # the union of all is the second
    kept = {connection.name for connection in build_grid(networks.whole)}
    assert kept == {connection.name for connection in build_grid(SPEC.but(topology="unet"))}


def test_the_same_topology_under_two_names_is_one():
    named = SPEC.but(topology="resnet")
    custom = {"keep": list(Subtopology.of(named).connections)}
    assert Subnetworks.some(SPEC, ["resnet", custom]).number == 1


def test_all_connections_are_no_topology():
    assert Subnetworks.some(SPEC, ["gridnet", "unet"]).whole == SPEC


@pytest.mark.parametrize("spec", [SPEC, LARGE])
def test_the_smallest_computes_least(spec):
    networks = Subnetworks.every(spec, [2, 8])
    smallest = networks.spec(networks.smallest)
    assert smallest.base_channels == 2
    assert Subtopology.of(smallest) == Subtopology.of(spec.but(topology="resnet"))
    random = Random(0)
    least = networks.cost(networks.smallest)
    assert all(networks.cost(networks.draw(random)) >= least for _ in range(50))


def test_the_cost_is_what_is_counted_of_units():
    networks = Subnetworks.every(SPEC, [4, 8])
    for _, chosen in zip(range(20), networks, strict=False):
        assert networks.cost(chosen) == count(networks.spec(chosen)).macs.grid


def test_too_many_are_not_listed_but_drawn():
    networks = Subnetworks.every(LARGE)
    assert networks.number > 10**9
    with pytest.raises(SpecError, match="sub-networks are too many to list; draw some"):
        list(networks)
    drawn = networks.spec(networks.draw(Random(0)))
    assert not build_grid(drawn).dead_ends


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("spec", [SPEC, LARGE])
def test_what_is_drawn_follows_from_the_seed(sampling, spec):
    networks = Subnetworks.every(spec, [4, 8])
    one, other = (list(draw_each(networks, sampling, Random(7), 5, 3)) for _ in range(2))
    assert one == other
    assert [len(step) for step in one] == [3] * 5
    assert all(each.width in (4, 8) for step in one for each in step)


def shares(networks, sampling, steps=400):
    """How often each connection is among the networks that are drawn."""
    drawn = list(draw_each(networks, sampling, Random(0), steps, 2))
    names = Counter(n for step in drawn for each in step for n in each.topology.connections)
    return [number / (2 * steps) for number in names.values()]


def test_fair_sampling_draws_connections_more_equally():
    networks = Subnetworks.every(SPEC)
    fair, uniform = (shares(networks, sampling) for sampling in ("fair", "uniform"))
    assert max(fair) - min(fair) < 0.6 * (max(uniform) - min(uniform))


def test_sampling_by_cost_draws_more_of_the_cheap_ones():
    networks = Subnetworks.every(SPEC)

    def cheap(sampling):
        drawn = islice(draw_each(networks, sampling, Random(0), 300, 1), 300)
        costs = [networks.cost(each) for (each,) in drawn]
        least, most = networks.cost(networks.smallest), networks.cost(networks.largest)
        return sum(cost < (least * most) ** 0.5 for cost in costs)

    assert cheap("cost") > 1.5 * cheap("uniform")


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_grids_of_hundreds_of_connections_are_drawn_in_all_ways(sampling):
    networks = Subnetworks.every(SPEC.but(streams=6, columns="16+16"))
    assert len(networks.largest.topology.connections) == 346
    for level in LEVELS:
        assert networks.draw(Random(0), level).topology.connections
    assert len(list(draw_each(networks, sampling, Random(0), 2, 1))) == 2


def test_the_whole_network_alone_was_trained_in_no_narrower_width():
    networks = Subnetworks.some(SPEC, ["conv-deconv", "resnet"], [4, 8])
    assert networks.number == len([*networks]) == 5
    networks.require(build_grid(networks.whole))
    with pytest.raises(SpecError, match="its connections are none of the 3 topologies that were"):
        networks.require(build_grid(networks.whole.but(base_channels=4)))


def test_the_spec_is_as_wide_and_connected_as_the_networks_together():
    with pytest.raises(SpecError, match="the widest is 6, but the spec has 8; give the spec the"):
        Subnetworks.every(SPEC, [4, 6])
    unet = SPEC.but(topology="unet")
    assert Subnetworks.some(unet, ["conv-deconv", "unet"]).number == 2
    with pytest.raises(SpecError, match="together these are not unet, which the spec keeps"):
        Subnetworks.some(unet, ["gridnet", "resnet"])


def test_total_dropout_is_left_out():
    dropped = SPEC.but(total_dropout=0.1)
    assert Subnetworks.every(dropped).whole == SPEC
    assert Subnetworks.some(dropped, ["gridnet", "unet"]).whole == SPEC


def test_widths_are_of_base_channels():
    spec = GridSpec(streams=2, columns="1+1", channels=[4, 6], classes=2)
    assert Subnetworks.every(spec).number == 3
    with pytest.raises(SpecError, match="the spec gives channels; give base_channels there"):
        Subnetworks.every(spec, [4])
