"""The order of least memory: none is better, and the module computes the same in it."""

from itertools import permutations

import networkx as nx
import pytest
import torch
from hypothesis import given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.analysis.sizes import larger_size
from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.emit import GridNetwork
from gridgen.grid import build_grid, prune
from gridgen.grid.tracing import trace
from gridgen.memory import Setting, min_memory_order as module
from gridgen.memory.layers import Recorder
from gridgen.memory.min_memory_order import min_memory_order, own_order
from gridgen.memory.operations import Map
from gridgen.memory.recording import Recording, record_inference
from gridgen.memory.replay import Replay
from gridgen.program import compile_program, map_operations
from gridgen.program.compiler import last_reads
from gridgen.spec import GridSpec

TINY = {"streams": 2, "columns": "2+1", "base_channels": 4, "classes": 2}


def peak_of(grid, arrivals) -> int:
    """What the module would need from stem to head, in the order of `arrivals`."""
    program = compile_program(grid, arrivals, training=False)
    replay = Replay(record_inference(grid, program, (400, 400), Setting()))
    replay.forward(keeping=False)
    return replay.peak


@pytest.mark.parametrize("fusion", ["sum", "concat", "weighted"])
@pytest.mark.parametrize("topology", ["gridnet", "unet"])
def test_no_order_needs_less(fusion, topology):
    """Of all topological orders, and orders of arrivals, replayed from images to prediction."""
    grid = build_grid(GridSpec(**TINY, fusion=fusion, topology=topology, head="conv"))
    found = min_memory_order(grid)
    assert found.exact
    peaks = []
    for maps in nx.all_topological_sorts(grid.dag):
        into = [grid.into(target) for target in maps[1:]]
        choices = [list(permutations(c)) if fusion == "sum" else [tuple(c)] for c in into]
        peaks += [peak_of(grid, way) for way in _each_alone(choices)]
    assert peak_of(grid, found.arrivals) == min(peaks)


def _each_alone(choices):
    """The first order of arrivals everywhere, and each other one at one map or at all."""
    first = [orders[0] for orders in choices]
    yield first
    yield [orders[-1] for orders in choices]
    for place, orders in enumerate(choices):
        for other in orders[1:]:
            yield [*first[:place], other, *first[place + 1 :]]


@settings(max_examples=60)
@given(specs(max_streams=4), st.data())
def test_it_is_never_worse_than_the_grids_own(spec, data):
    grid = prune(build_grid(spec), data.draw(st.sampled_from(topologies_for(spec))))
    found = min_memory_order(grid)
    assert found.peak <= own_order(grid).peak
    seen = {grid.input}
    for arrivals in found.arrivals:
        assert {connection.source for connection in arrivals} <= seen
        seen.add(arrivals[0].target)
    assert seen == set(grid.maps)


def test_without_enough_sets_it_is_greedy_or_the_grids_own(monkeypatch):
    exact = min_memory_order(build_grid(load_spec("neural-fabric")))
    monkeypatch.setattr(module, "MOST_SETS", 10)
    grid = build_grid(load_spec("neural-fabric"))
    found = min_memory_order(grid)
    assert (exact.exact, found.exact) == (True, False)
    assert exact.peak <= found.peak <= own_order(grid).peak


def needed_by_maps(grid, arrivals) -> int:
    """The most that the maps of `grid` need, replayed step by step from the input map on."""
    recording = Recording(Recorder(Setting(), training=False))
    shape = trace(grid, larger_size(grid.spec, (400, 400))).shapes[grid.input]
    tape = recording.recorder.tape
    x = recording.recorder.new(Map(tape.give(0, 4), shape))
    recording.values[grid.input.name] = x
    freed = last_reads(arrivals)
    for into in arrivals:
        recording.run(map_operations(grid, into, freed, training=False))
    replay = Replay(tape)
    replay.forward(keeping=False)
    return replay.peak


def require_peak(grid) -> None:
    for found in (min_memory_order(grid), own_order(grid)):
        assert needed_by_maps(grid, found.arrivals) == found.peak


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_its_peak_is_what_the_maps_of_published_networks_need(name):
    require_peak(build_grid(load_spec(name)))


@settings(max_examples=60)
@given(specs(max_streams=4), st.data())
def test_its_peak_is_what_the_maps_need(spec, data):
    require_peak(prune(build_grid(spec), data.draw(st.sampled_from(topologies_for(spec)))))


def test_a_grid_of_many_maps_keeps_its_own_order():
    grid = build_grid(GridSpec(streams=8, columns="13+13", base_channels=1, classes=2))
    assert len(grid.maps) > module.MOST_MAPS
    assert min_memory_order(grid) == own_order(grid)
    assert not min_memory_order(grid).exact


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_is_found_exactly_for_published_networks(name):
    assert min_memory_order(build_grid(load_spec(name))).exact


def test_the_unet_of_the_papers_grid_needs_a_ninth_less(paper_grid):
    grid = prune(paper_grid, "unet")
    assert round(min_memory_order(grid).peak / own_order(grid).peak, 3) == 0.889


def test_a_map_that_is_added_up_frees_its_source_before_the_next_arrival(paper_grid):
    """Column by column: A0 values of stream 0, 15/16 A0 of the others, 2 A0 inside a unit."""
    peak = own_order(paper_grid).peak
    assert peak / (4 * 16 * 400 * 400) == pytest.approx(2 - 1 / 16 + 2, rel=0.01)


def test_evaluation_in_either_order_is_the_same_function(paper_grid):
    spec = GridSpec(streams=4, columns="3+3", base_channels=4, classes=3, topology="unet")
    network = GridNetwork(build_grid(spec)).eval()
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        in_order_of_least_memory = network(images)
        found, network.evaluation = (
            network.evaluation,
            compile_program(network.grid, training=False),
        )
        torch.testing.assert_close(network(images), in_order_of_least_memory)
    assert found != network.evaluation
