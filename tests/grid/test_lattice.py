from itertools import pairwise
from math import comb

import networkx as nx
import pytest
from hypothesis import given, settings, strategies as st

from gridgen.grid import FeatureMap
from gridgen.grid.lattices import chain, paper_lattice, trellis, triangle
from gridgen.spec import GridSpec

STREAMS = st.integers(1, 12)
COLUMNS = st.lists(st.sampled_from(["sub", "up"]), min_size=1, max_size=12)


def maps_of(links) -> set[FeatureMap]:
    return {feature_map for link in links for feature_map in link}


@settings(max_examples=50)
@given(STREAMS, COLUMNS)
def test_the_papers_lattice_has_as_many_links_as_section_3_says(streams, columns):
    spec = GridSpec(streams=streams, columns=columns, base_channels=1, classes=2)
    links = list(paper_lattice(spec))
    lateral = [(a, b) for a, b in links if a.stream == b.stream]
    vertical = [(a, b) for a, b in links if a.column == b.column]
    assert len(set(links)) == len(links) == len(lateral) + len(vertical)
    assert len(lateral) == streams * (len(columns) - 1)
    assert len(vertical) == (streams - 1) * len(columns)


@settings(max_examples=50)
@given(STREAMS, COLUMNS)
def test_the_papers_lattice_leads_between_neighbours_down_sub_and_up_up_columns(streams, columns):
    spec = GridSpec(streams=streams, columns=columns, base_channels=1, classes=2)
    for source, target in paper_lattice(spec):
        step = target.stream - source.stream, target.column - source.column
        down = {"sub": 1, "up": -1}[columns[target.column]]
        assert step in ((0, 1), (down, 0))
        assert 0 <= source.stream < streams


@settings(max_examples=100)
@given(STREAMS, st.integers(0, 14), st.integers(1, 9), st.integers(0, 5))
def test_a_trellis_has_two_links_less_for_each_stream_further_apart(streams, span, column, first):
    links = list(trellis(range(first, first + streams), column, span))
    reach = min(span, streams - 1)
    assert len(set(links)) == len(links)
    assert len(links) == streams * (2 * reach + 1) - reach * (reach + 1)
    assert {source.column for source, _ in links} == {column - 1}
    assert {target.column for _, target in links} == {column}
    assert max(abs(target.stream - source.stream) for source, target in links) == reach


@pytest.mark.parametrize(
    ("span", "links"),
    [
        (0, lambda streams: streams),
        (1, lambda streams: 3 * streams - 2),
        (11, lambda streams: streams**2),
    ],
)
def test_a_trellis_is_laterals_alone_or_neighbours_or_all_to_all(span, links):
    for streams in range(1, 12):
        assert len(list(trellis(range(streams), 1, span))) == links(streams)


def test_a_trellis_is_laid_target_by_target():
    assert list(trellis(range(2), 3, span=1)) == [
        (FeatureMap(0, 2), FeatureMap(0, 3)),
        (FeatureMap(1, 2), FeatureMap(0, 3)),
        (FeatureMap(0, 2), FeatureMap(1, 3)),
        (FeatureMap(1, 2), FeatureMap(1, 3)),
    ]


@settings(max_examples=50)
@given(STREAMS, st.integers(0, 9), st.booleans())
def test_a_chain_is_one_path_along_a_column_either_way(streams, column, up):
    order = range(streams)[::-1] if up else range(streams)
    links = list(chain(column, order))
    assert len(links) == streams - 1
    path = [link[0] for link in links] + [link[1] for link in links[-1:]]
    assert path == [FeatureMap(i, column) for i in order][: len(path)]
    assert all(one[1] == other[0] for one, other in pairwise(links))


@pytest.mark.parametrize("streams", range(1, 13))
def test_a_triangle_has_the_maps_and_links_of_its_closed_form(streams):
    links = list(triangle(streams))
    down = [(a, b) for a, b in links if a.stream < b.stream]
    up = [(a, b) for a, b in links if a.stream > b.stream]
    along = [(a, b) for a, b in links if a.stream == b.stream]
    assert len(set(links)) == len(links)
    assert len(down) == streams - 1
    assert len(up) == comb(streams, 2)
    assert len(along) == comb(streams + 1, 3)
    assert len(maps_of(links) | {FeatureMap(0, 0)}) == comb(streams + 1, 2)


@pytest.mark.parametrize("streams", range(2, 9))
def test_every_map_of_a_triangle_lies_on_a_path_from_its_first_to_its_last(streams):
    dag = nx.DiGraph(triangle(streams))
    first, last = FeatureMap(0, 0), FeatureMap(0, streams - 1)
    assert nx.is_directed_acyclic_graph(dag)
    assert nx.descendants(dag, first) | {first} == set(dag)
    assert nx.ancestors(dag, last) | {last} == set(dag)
    assert all(feature_map.column >= feature_map.stream for feature_map in dag)


@pytest.mark.parametrize("streams", range(2, 9))
def test_a_map_of_a_triangle_hears_from_all_before_it_in_its_row_and_the_one_below(streams):
    dag = nx.DiGraph(triangle(streams))
    for stream, column in dag:
        rows = {FeatureMap(stream, before) for before in range(stream, column)}
        below = {FeatureMap(stream + 1, column)} if column > stream else set()
        above = {FeatureMap(stream - 1, stream - 1)} if 0 < stream == column else set()
        assert set(dag.predecessors(FeatureMap(stream, column))) == rows | below | above
