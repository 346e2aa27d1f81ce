"""The picture of paths (figure 4): what is wide, what is coloured, what is written where."""

import re
import shutil
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from strategies import specs

from gridgen.analysis.paths import longest_path, paths, shortest_path
from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.grid import build_grid, prune
from gridgen.render import draw_paths, style
from gridgen.render.paths import _line
from gridgen.text import share_text

GOLDEN = Path(__file__).parent / "golden"
EDGE = re.compile(r"\t(\w+) -> (\w+) \[(.*id=(\w+).*)\]")
NODE = re.compile(r'\tshare_(\w+) \[label="?([^" ]+)"? .*pos="([-\d.]+),([-\d.]+)!"')


@pytest.fixture(autouse=True)
def without_system_graphviz(monkeypatch):
    """The wheel's program draws the same bytes everywhere; a system's `dot` may not."""
    which = shutil.which
    monkeypatch.setattr(
        "gridgen.render.picture.shutil.which",
        lambda name, path=None: None if name == "dot" else which(name, path=path),
    )


@pytest.mark.parametrize("topology", ["gridnet", "unet"])
def test_the_drawing_of_the_papers_paths_is_the_golden_one(topology, paper_grid, rewrite):
    source = draw_paths(prune(paper_grid, topology)).source
    golden = GOLDEN / f"paths-{topology}.dot"
    if rewrite:
        golden.write_text(source)
    assert source == golden.read_text("utf-8")


def looks_of(source: str) -> dict[str, dict[str, str]]:
    """The attributes of each connection's line."""
    return {
        match[4]: dict(re.findall(r'(\w+)="?([^" ]+)"?', match[3]))
        for match in EDGE.finditer(source)
    }


@pytest.mark.parametrize("name", ["hrnet", "unet++", "frrn-a", "bifpn"])
def test_more_paths_are_a_wider_and_a_darker_line(name):
    grid = build_grid(load_spec(name))
    looks, found = looks_of(draw_paths(grid).source), paths(grid)
    marked = {c.name for c in (*shortest_path(grid), *longest_path(grid))}
    by_share = sorted(found.through, key=lambda name: found.through[name])
    widths = [float(looks[name]["penwidth"]) for name in by_share]
    assert widths == sorted(widths)
    greys = [int(looks[name]["color"][1:3], 16) for name in by_share if name not in marked]
    assert greys == sorted(greys, reverse=True)


def test_as_in_figure_4_the_short_path_is_blue_and_a_long_one_orange_and_dashed(paper_grid):
    looks = looks_of(draw_paths(paper_grid).source)
    for connection in shortest_path(paper_grid):
        assert looks[connection.name]["color"] == style.SHORTEST.colour
        assert "style" not in looks[connection.name]
    for connection in longest_path(paper_grid):
        assert looks[connection.name]["color"] == style.LONGEST.colour
        assert looks[connection.name]["style"] == "dashed"


def shares_of(source: str) -> dict[str, tuple[str, float, float]]:
    """What is written on each connection, and where."""
    return {
        match[1]: (match[2], float(match[3]), float(match[4])) for match in NODE.finditer(source)
    }


@pytest.mark.parametrize("topology", ["gridnet", "unet", "conv-deconv", "resnet"])
def test_every_connection_of_the_papers_grid_says_its_share(topology, paper_grid):
    grid = prune(paper_grid, topology)
    found = paths(grid)
    written = {name: text for name, (text, *_) in shares_of(draw_paths(grid).source).items()}
    assert written == {
        name: share_text(number / found.total) for name, number in found.through.items()
    }


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_two_shares_overlap_and_none_covers_a_map(name):
    grid = build_grid(load_spec(name))
    written = shares_of(draw_paths(grid).source)
    assert written
    boxes = [(x, y, 11.0, 5.5) for _, x, y in written.values()]
    boxes += [
        (style.COLUMN_STEP * place.column, -style.STREAM_STEP * place.stream, 22.0, 14.0)
        for place in grid.maps
    ]
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in combinations(boxes, 2):
        if (w1, w2) != (22.0, 22.0):
            assert abs(x1 - x2) > (w1 + w2) * 0.9 or abs(y1 - y2) > (h1 + h2) * 0.9


@pytest.mark.parametrize("name", [*ARCHITECTURES, "specs/gridnet.yaml"])
def test_no_share_covers_an_arrow(name):
    grid = build_grid(load_spec(name))
    lines = [list(_line(link, frozenset(grid.full.dag))) for link in grid.full]
    for text, x, y in shares_of(draw_paths(grid).source).values():
        for line in lines:
            for at in line:
                assert abs(at[0] - x) > 2.5 * len(text) or abs(at[1] - y) > 4, (text, x, y, at)


@given(specs())
@settings(max_examples=40)
def test_every_grid_draws_the_paths_of_all_its_maps_and_connections(spec):
    grid = build_grid(spec)
    source = draw_paths(grid).source
    for thing in (*grid, *grid.maps):
        assert f"id={thing.name} " in source


def test_a_dropped_connection_is_a_ghost_and_says_so(paper_grid):
    source = draw_paths(prune(paper_grid, "resnet")).source
    assert looks_of(source)["sub_1_0"]["color"] == style.GHOST
    assert source.count("(dropped)") == 44
