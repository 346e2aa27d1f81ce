from math import comb

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import paper_specs, specs, topologies_for

from gridgen.analysis import count_paths
from gridgen.grid import build_grid, prune


@settings(max_examples=200)
@given(paper_specs())
def test_paths_of_the_full_grid_follow_the_formula(spec):
    s, u = spec.columns.count("sub"), spec.columns.count("up")
    expected = sum(comb(d + s - 1, d) * comb(d + u - 1, d) for d in range(spec.streams))
    assert count_paths(build_grid(spec)) == expected


@settings(max_examples=50)
@given(specs(max_streams=3), st.data())
def test_paths_are_as_many_as_can_be_listed(spec, data):
    grid = prune(build_grid(spec), data.draw(st.sampled_from(topologies_for(spec))))
    if grid.input == grid.output:
        assert count_paths(grid) == 1
    else:
        listed = list(nx.all_simple_paths(grid.dag, grid.input, grid.output))
        assert count_paths(grid) == len(listed)


@pytest.mark.parametrize(("columns", "paths"), [("3+3", 371), ("4+4", 1742), ("1+1", 5)])
def test_paths_at_five_streams(columns, paths, paper_spec):
    assert count_paths(build_grid(paper_spec.but(columns=columns))) == paths
