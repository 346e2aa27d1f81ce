import random
from dataclasses import FrozenInstanceError, replace

import networkx as nx
import pytest
from hypothesis import assume, given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.grid import TOPOLOGIES, Grid, build_grid, prune
from gridgen.grid.layers import cost
from gridgen.spec import GridSpec


def pruned(spec: GridSpec, name: str) -> Grid:
    assume(name in topologies_for(spec))
    return prune(build_grid(spec), name)


@pytest.mark.parametrize("name", TOPOLOGIES)
@settings(max_examples=100)
@given(specs())
def test_every_map_lies_on_a_path_from_input_to_output(name, spec):
    grid = pruned(spec, name)
    assert nx.is_directed_acyclic_graph(grid.dag)
    assert set(grid.maps) == set(grid.dag)
    for feature_map in grid.maps:
        assert nx.has_path(grid.dag, grid.input, feature_map)
        assert nx.has_path(grid.dag, feature_map, grid.output)


@pytest.mark.parametrize("name", TOPOLOGIES)
@settings(max_examples=100)
@given(specs())
def test_shapes_agree_at_every_fusion(name, spec):
    grid = pruned(spec, name)
    side = spec.multiple

    def shape(feature_map):
        small = side // spec.stride >> feature_map.stream
        return grid.channels_of(feature_map), small, small

    for connection in grid:
        source, target = shape(connection.source), shape(connection.target)
        assert cost(connection.unit, source).shape == target
        if connection.shortcut is not None:
            assert cost(connection.shortcut, source).shape == target
    for target in grid.maps:
        channels, *size = shape(target)
        arrivals = len(grid.into(target)) if grid.fusion_of(target).join == "concat" else 1
        joined = (channels * max(arrivals, 1), *size)
        assert cost(grid.fusion_layers(target), joined).shape == shape(target)
    image = (spec.in_channels, side, side)
    assert cost(grid.stem, image).shape == shape(grid.input)
    assert cost(grid.head, shape(grid.output)).shape == (spec.classes, side, side)


@pytest.mark.parametrize("name", TOPOLOGIES)
@settings(max_examples=100)
@given(specs())
def test_maps_and_connections_stand_in_the_order_in_which_they_are_computed(name, spec):
    grid = pruned(spec, name)
    place = {feature_map: index for index, feature_map in enumerate(grid.maps)}
    assert len(place) == len(grid.dag)
    assert len(grid.connections) == grid.dag.number_of_edges()
    for connection in grid:
        assert place[connection.source] < place[connection.target]
    targets = [place[connection.target] for connection in grid]
    assert targets == sorted(targets)
    columns = [feature_map.column for feature_map in grid.maps]
    assert columns == sorted(columns)


@pytest.mark.parametrize("name", TOPOLOGIES)
@settings(max_examples=100)
@given(specs())
def test_names_are_unique_and_lead_from_prefix_and_target(name, spec):
    grid = pruned(spec, name)
    names = [connection.name for connection in grid]
    names += [feature_map.name for feature_map in grid.maps]
    assert len(set(names)) == len(names)
    prefixes = {"lateral": "lateral", "subsampling": "sub", "upsampling": "up"}
    for connection in grid:
        prefix, stream, column = connection.name.split("_")
        assert prefix == prefixes[connection.kind]
        assert connection.target == (int(stream), int(column))


@settings(max_examples=100)
@given(specs(), st.randoms())
def test_the_order_does_not_depend_on_how_the_graph_was_filled(spec, chance: random.Random):
    grid = build_grid(spec)
    edges = list(grid.dag.edges(data=True))
    chance.shuffle(edges)
    dag = nx.DiGraph()
    dag.add_nodes_from(chance.sample(sorted(grid.dag), len(grid.dag)))
    dag.add_edges_from(edges)
    shuffled = replace(grid, dag=nx.freeze(dag))
    assert shuffled.maps == grid.maps
    assert shuffled.connections == grid.connections
    assert [c.name for c in shuffled] == [c.name for c in grid]


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_the_graph_is_frozen(name, paper_grid):
    grid = prune(paper_grid, name)
    assert nx.is_frozen(grid.dag)
    with pytest.raises(nx.NetworkXError, match=r"[Ff]rozen graph"):
        grid.dag.remove_node(grid.input)
    with pytest.raises(nx.NetworkXError, match=r"[Ff]rozen graph"):
        grid.dag.add_edge(grid.output, grid.input)
    with pytest.raises(FrozenInstanceError):
        grid.dag = nx.DiGraph()
    with pytest.raises(FrozenInstanceError):
        grid.connections[0].dropout = 0.5


def test_lateral_comes_first_among_arrivals(paper_grid):
    for target in paper_grid.maps:
        kinds = [connection.kind for connection in paper_grid.into(target)]
        assert "lateral" not in kinds[1:]
