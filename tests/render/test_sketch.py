"""Sketches: every connection once, in its colour, for whatever can be drawn."""

import pytest

from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.grid import TOPOLOGIES, build_grid, prune
from gridgen.render.sketch import sketch
from gridgen.render.style import COLOURS, GHOST
from gridgen.spec import GridSpec

GRID = build_grid(GridSpec(streams=3, columns="2+2", base_channels=4, classes=2))


def lines(grid) -> dict[str, int]:
    """The number of lines of each colour."""
    return {colour: course.count("M") for colour, course in sketch(grid).paths}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_connection_of_an_architecture_is_a_line(name):
    grid = build_grid(load_spec(name))
    kinds = [connection.kind for connection in grid]
    expected = {colour: kinds.count(kind) for kind, colour in COLOURS.items() if kind in kinds}
    dropped = len(grid.full.connections) - len(grid.connections)
    assert lines(grid) == expected | ({GHOST: dropped} if dropped else {})
    assert sketch(grid).maps.count("M") == len(grid.maps)


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_what_a_topology_drops_is_faint(name):
    grid = prune(GRID, name)
    assert lines(grid).get(GHOST, 0) == len(GRID.connections) - len(grid.connections)


def test_widths_are_not_in_a_sketch():
    assert sketch(GRID) == sketch(build_grid(GRID.spec.but(base_channels=8)))


def test_a_line_past_other_maps_is_bent_around_them():
    paths = dict(sketch(build_grid(load_spec("unet++"))).paths)
    assert any("Q" in course for course in paths.values())
