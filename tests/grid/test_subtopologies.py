"""Every sub-topology of a grid, once."""

from collections import Counter
from itertools import combinations
from random import Random

import pytest

from gridgen.errors import TopologyError
from gridgen.grid import GridSpec, build_grid, prune
from gridgen.grid.subtopologies import (
    Ways,
    count_subtopologies,
    subtopologies,
)
from gridgen.grid.topologies import TOPOLOGIES


def spec_of(streams, columns):
    return GridSpec(streams=streams, columns=columns, base_channels=4, classes=2)


def by_trying_all(grid):
    """What is left of every set of connections once its dead ends are removed, by pruning."""
    names, found = [connection.name for connection in grid], set()
    for number in range(1, len(names) + 1):
        for kept in combinations(names, number):
            try:
                pruned = prune(grid, {"keep": kept})
            except TopologyError:
                continue
            found.add(frozenset(connection.name for connection in pruned))
    return found


def test_a_grid_of_3_streams_and_2_and_2_columns_has_279_of_17_connections():
    grid = build_grid(spec_of(3, "2+2"))
    assert len(grid.connections) == 17
    found = subtopologies(grid)
    assert count_subtopologies(grid) == len(found) == 279
    assert len({each.name for each in found}) == 279


@pytest.mark.parametrize(
    ("streams", "columns"), [(1, "2+2"), (2, "1+1"), (2, "2+2"), (2, "3+1"), (3, "1+1"), (3, "1+2")]
)
def test_they_are_what_is_left_of_all_sets_of_connections(streams, columns):
    grid = build_grid(spec_of(streams, columns))
    found = {frozenset(each.connections) for each in subtopologies(grid)}
    assert found == by_trying_all(grid)
    assert len(found) == count_subtopologies(grid)


@pytest.mark.parametrize("columns", ["2+2", "1+3", [*"sussu"]])
def test_pruning_to_one_removes_the_others_and_no_dead_ends(columns):
    words = {"s": "sub", "u": "up"}
    given = columns if isinstance(columns, str) else [words[each] for each in columns]
    grid = build_grid(spec_of(3, given))
    for each in subtopologies(grid)[::7]:
        pruned = prune(grid, each.topology)
        assert {connection.name for connection in pruned} == set(each.connections)
        assert not pruned.dead_ends


def test_what_named_topologies_keep_is_among_them():
    grid = build_grid(spec_of(3, "2+2"))
    known = {frozenset(each.connections) for each in subtopologies(grid)}
    for name in TOPOLOGIES:
        assert frozenset(connection.name for connection in prune(grid, name)) in known


def test_a_pruned_grid_has_those_of_the_full_one():
    spec = spec_of(2, "2+2")
    assert subtopologies(prune(spec, "resnet")) == subtopologies(spec)


def test_names_depend_on_connections_alone():
    one, other = spec_of(2, "2+2"), spec_of(2, "2+2").but(base_channels=64, norm="none")
    assert [x.name for x in subtopologies(one)] == [x.name for x in subtopologies(other)]


def test_more_than_are_listed_are_counted():
    spec = spec_of(5, "3+3")
    with pytest.raises(TopologyError) as error:
        subtopologies(spec)
    number = count_subtopologies(spec)
    assert number == 101_214_175
    assert f"the grid has {number:,} sub-topologies, and 100,000 are listed" in str(error.value)


def test_each_is_drawn_as_often_as_any_other():
    grid, random = build_grid(spec_of(3, "1+1")), Random(0)
    ways = Ways(grid)
    drawn = Counter(ways.subtopology(random).name for _ in range(20 * 200))
    known = [each.name for each in subtopologies(grid)]
    assert drawn.keys() == set(known)
    expected = drawn.total() / len(known)
    # The sum of squares is chi-squared distributed; 1 in 1000 is above this for 6 of freedom.
    assert len(known) == 7
    assert sum((number - expected) ** 2 / expected for number in drawn.values()) < 22.46


def test_of_more_than_can_be_listed_one_is_drawn_that_pruning_keeps_whole():
    grid = build_grid(spec_of(5, "4+4"))
    drawn = Ways(grid).subtopology(Random(1))
    pruned = prune(grid, drawn.topology)
    assert {connection.name for connection in pruned} == set(drawn.connections)
    assert not pruned.dead_ends
