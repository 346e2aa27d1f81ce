"""Dead ends, lost streams and cut signals: what is wrong with which connections are there."""

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import specs, topologies_for

from gridgen.analysis.lints import Case
from gridgen.analysis.lints.cut_signal import cut_signal, single_ways
from gridgen.analysis.lints.dead_ends import dead_ends
from gridgen.analysis.lints.lost_stream import lost_stream
from gridgen.architectures import load_spec
from gridgen.grid import build_grid, prune
from gridgen.spec import GridSpec

GRID = {"streams": 3, "columns": "2+2", "base_channels": 2, "classes": 2}


def case(**fields) -> Case:
    return Case(build_grid(GridSpec.of(**GRID | fields)))


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
        "total dropout drops it with probability 0.25, "
        "and no identity or other path leads around it"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"topology": "conv-deconv", **CUT, "total_dropout": 0.0},
        {"topology": "conv-deconv", **CUT, "residual": {"lateral": True}},
        {"topology": "unet", **CUT},
        {**CUT},
    ],
)
def test_an_identity_or_another_path_leads_around(fields):
    assert list(cut_signal(case(**fields))) == []
