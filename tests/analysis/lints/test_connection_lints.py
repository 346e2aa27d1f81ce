"""Dead ends, lost streams and cut signals: what is wrong with which connections are there."""

from itertools import product
from math import prod

import networkx as nx
import pytest
from hypothesis import assume, given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.analysis.dropout import silence
from gridgen.analysis.lints import Case
from gridgen.analysis.lints.connections import RARE, cut_signal, dead_ends, lost_stream, single_ways
from gridgen.architectures import load_spec
from gridgen.grid import build_grid, prune
from gridgen.spec import GridSpec

GRID = {"streams": 3, "columns": "2+2", "base_channels": 2, "classes": 2}


def case(**fields) -> Case:
    return Case(build_grid(GridSpec(**GRID | fields)))


def names(grid) -> set[str]:
    return {connection.name for connection in grid}


@pytest.mark.parametrize(
    ("fields", "settings", "words"),
    [
        (
            {"columns": ["up", "sub", "up", "sub"]},
            {"columns": "1+1"},
            "begin with sub and end with up",
        ),
        (
            {"columns": ["up", "sub", "up", "sub", "up"], "topology": "gridnet"},
            {"columns": ["sub", "up", "sub", "up"]},
            "begin with sub and end with up",
        ),
        (
            {"topology": {"drop": ["up_1_*"]}},
            {"topology": {"drop": ["up_1_*", *(f"sub_2_{j}" for j in (0, 1))]}},
            "drop them as well",
        ),
        (
            {"topology": {"keep": ["lateral_0_*", "sub_*", "lateral_1_*", "up_0_3"]}},
            {"topology": {"keep": ["lateral_0_*", "sub_1_0", "sub_1_1", "lateral_1_*", "up_0_3"]}},
            "keep the others",
        ),
    ],
)
def test_dead_ends_are_taken_from_where_they_were_asked_for(fields, settings, words):
    some = case(**fields)
    found = list(dead_ends(some))
    assert {place for finding in found for place in finding.places} == names(some.grid.dead_ends)
    fix = found[0].fix
    assert fix.words == words
    key, value = next(iter(settings.items()))
    lists = fix.settings[key]
    if isinstance(value, dict):
        [kind] = value
        assert set(lists[kind]) >= set(value[kind])
    else:
        assert lists == value
    mended = some.mended(fix).grid
    assert mended.dead_ends == ()
    if key == "topology":
        assert names(mended) == names(some.grid)


def test_dead_ends_of_columns_under_lists_leave_a_list_of_what_is_kept():
    some = case(columns=["up", "sub", "up"], topology={"drop": ["sub_2_1"]})
    fix = next(dead_ends(some)).fix
    assert fix.settings == {"topology": {"keep": [connection.name for connection in some.grid]}}
    assert names(some.mended(fix).grid) == names(some.grid)


def test_lost_streams_come_back_with_as_few_connections_as_can_be():
    some = case(topology={"keep": ["lateral_0_*", "sub_1_0"]})
    lost, other = lost_stream(some)
    assert (lost.places, other.places) == (("stream 1",), ("stream 2",))
    assert lost.fact == "the topology leaves no map of it, though 3 streams need multiples of 4"
    assert lost.fix == other.fix
    added = ["sub_2_0", "lateral_2_1", "lateral_2_2", "up_1_2", "up_0_2"]
    first, second, *others = lost.fix.settings["topology"]["keep"]
    assert (first, second) == ("lateral_0_*", "sub_1_0")
    assert len(others) == len(added)
    assert {m.stream for m in some.mended(lost.fix).grid.maps} == {0, 1, 2}


def test_what_is_kept_already_is_part_of_the_way_back():
    some = case(topology={"keep": ["lateral_0_*", "sub_1_1", "lateral_1_[23]", "up_0_3"]})
    [finding] = lost_stream(some)
    assert finding.fix.words == "keep also sub_2_1, lateral_2_2, up_1_2"


def test_what_was_dropped_and_is_needed_is_dropped_no_more():
    some = case(topology={"drop": ["sub_2_*"]})
    [finding] = lost_stream(some)
    [still] = finding.fix.settings["topology"]["drop"]
    assert {still, finding.fix.words.removeprefix("keep also ")} == {"sub_2_0", "sub_2_1"}


def test_where_nothing_else_is_left_all_connections_are_kept():
    [finding] = lost_stream(case(streams=2, columns="1+1", topology={"drop": ["sub_1_0"]}))
    assert (finding.fix.words, finding.fix.flags) == (
        "keep all connections",
        ("--set", "topology=null"),
    )


def test_a_named_topology_says_what_it_is():
    assert list(lost_stream(case(topology="resnet"))) == []


@pytest.mark.parametrize("topology", [{"drop": ["*_3_*"]}, {"keep": ["*_0_*", "*_1_*"]}])
def test_a_published_network_is_mended_too(topology):
    grid = build_grid(load_spec("neural-fabric", topology=topology))
    some = Case(grid)
    found = list(lost_stream(some))
    assert found
    assert list(lost_stream(some.mended(found[0].fix))) == []


@given(specs(), st.data())
@settings(max_examples=60)
def test_single_ways_are_what_cuts_the_graph(spec, data):
    topology = data.draw(st.sampled_from(topologies_for(spec)))
    grid = prune(build_grid(spec), topology)
    cutting = set()
    for connection in grid:
        rest = nx.DiGraph(grid.dag)
        rest.remove_edge(connection.source, connection.target)
        if not nx.has_path(rest, grid.input, grid.output):
            cutting.add(connection.name)
    assert {connection.name for connection in single_ways(grid)} == cutting


CUT = {"total_dropout": 0.25, "residual": {"lateral": False}}


def test_on_one_path_every_lateral_cuts():
    some = case(topology="conv-deconv", **CUT)
    found = list(cut_signal(some))
    laterals = {connection.name for connection in some.grid if connection.kind == "lateral"}
    assert {place for finding in found for place in finding.places} == laterals
    assert found[0].fact == (
        "total dropout drops it, and no identity or other path leads around it; "
        "no signal in 57.8% of the training steps"
    )


def test_units_that_cut_only_together_are_named_together():
    some = case(streams=2, columns="1+1", **CUT | {"total_dropout": 0.5})
    [finding] = cut_signal(some)
    assert finding.places == ("lateral_1_1", "lateral_0_1")
    assert finding.fact == (
        "total dropout can drop these 2 at once, and no identity or other path leads around them; "
        "no signal in 25.0% of the training steps"
    )
    assert list(cut_signal(some.mended(finding.fix))) == []


def test_where_all_combinations_are_too_many_the_odds_are_those_of_one_cut():
    some = case(streams=16, columns="100+100", base_channels=1, **CUT | {"total_dropout": 0.9})
    [finding] = cut_signal(some)
    assert finding.fact.endswith(f"no signal in at least {0.9**16:.1%} of the training steps")


@given(specs(max_streams=3), st.data())
@settings(max_examples=60)
def test_it_fires_where_a_step_without_a_signal_is_not_rare(spec, data):
    """Against all sets of dropped units."""
    fields = {"residual": {"lateral": data.draw(st.booleans())}}
    fields["total_dropout"] = data.draw(st.sampled_from([0.02, 0.1, 0.5, 0.9]))
    fields["topology"] = data.draw(st.sampled_from(topologies_for(spec)))
    grid = build_grid(spec.but(**fields))
    weak = [link for link in grid if link.dropout and link.shortcut is None]
    assume(len(weak) <= 8)
    silent = 0.0
    for dropped in product((True, False), repeat=len(weak)):
        away = {link.name for link, out in zip(weak, dropped, strict=True) if out}
        rest = nx.DiGraph((link.source, link.target) for link in grid if link.name not in away)
        rest.add_nodes_from((grid.input, grid.output))
        if not nx.has_path(rest, grid.input, grid.output):
            odds = (x.dropout if x.name in away else 1 - x.dropout for x in weak)
            silent += prod(odds)
    assert silence(grid) == pytest.approx(silent, abs=1e-9)
    found = list(cut_signal(Case(grid)))
    assert bool(found) == (silent >= RARE)
    for finding in found:
        assert all(grid_name in {link.name for link in weak} for grid_name in finding.places)


@pytest.mark.parametrize(
    "fields",
    [
        {"topology": "conv-deconv", **CUT, "total_dropout": 0.0},
        {"topology": "conv-deconv", **CUT, "residual": {"lateral": True}},
        {"topology": "unet", **CUT, "total_dropout": 0.001},
        {**CUT, "total_dropout": 0.01},
    ],
)
def test_an_identity_leads_around_or_all_at_once_are_rare(fields):
    assert list(cut_signal(case(**fields))) == []
