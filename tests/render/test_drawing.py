"""Pictures: where things stand, what is kept and what is a ghost, and the files written."""

import re
import shutil
import sysconfig
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from strategies import specs

from gridgen.architectures import load_spec
from gridgen.errors import RenderError, unknown
from gridgen.grid import TOPOLOGIES, build_grid, prune
from gridgen.render import draw, draw_difference, draw_paths, style
from gridgen.spec import GridSpec

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).parents[2]
GRID = load_spec(ROOT / "specs" / "gridnet.yaml")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def without_system_graphviz(monkeypatch):
    """The wheel's program draws the same bytes everywhere; a system's `dot` may not."""
    which = shutil.which
    monkeypatch.setattr(
        "gridgen.render.picture.shutil.which",
        lambda name, path=None: None if name == "dot" else which(name, path=path),
    )


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_drawing_of_the_papers_grid_is_the_golden_one(topology, paper_grid, rewrite):
    source = draw(prune(paper_grid, topology)).source
    golden = GOLDEN / f"{topology}.dot"
    if rewrite:
        golden.write_text(source)
    assert source == golden.read_text("utf-8")


@pytest.mark.parametrize(("name", "topology"), [("gridnet", "gridnet"), ("unet", "unet")])
def test_the_pictures_in_the_docs_are_current(name, topology, rewrite):
    grid = build_grid(GridSpec.load(ROOT / "specs" / "gridnet.yaml"))
    drawn = draw(grid if topology == "gridnet" else prune(grid, topology)).render("svg")
    path = ROOT / "docs" / f"{name}.svg"
    if rewrite:
        path.write_bytes(drawn)
    assert drawn == path.read_bytes()


def edges_of(svg: bytes) -> dict[str, str]:
    """The colour of each connection in an SVG, by the connection's name."""
    colours = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if group.get("class") == "edge" and re.match(r"(lateral|sub|up)_", group.get("id", "")):
            colours[group.get("id")] = next(group.iter(f"{SVG}path")).get("stroke")
    return colours


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_kept_connections_have_the_papers_colours_and_dropped_ones_are_ghosts(topology, paper_grid):
    grid = prune(paper_grid, topology)
    colours = edges_of(draw(grid).render("svg"))
    kept = {connection.name for connection in grid}
    for connection in grid.full:
        expected = style.COLOURS[connection.kind] if connection.name in kept else style.GHOST
        assert colours[connection.name] == expected
    assert len(colours) == 49


def boxes_of(svg: bytes) -> dict[str, tuple[float, float]]:
    """The centre of each feature map in an SVG."""
    centres = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        name = group.get("id", "")
        if group.get("class") == "node" and name.startswith("map_"):
            numbers = [
                float(n) for n in re.findall(r"-?[\d.]+", next(group.iter(f"{SVG}path")).get("d"))
            ]
            xs, ys = numbers[0::2], numbers[1::2]
            centres[name] = (round((min(xs) + max(xs)) / 2), round((min(ys) + max(ys)) / 2))
    return centres


def test_streams_are_rows_and_columns_are_columns(paper_grid):
    centres = boxes_of(draw(paper_grid).render("svg"))
    for feature_map in paper_grid.maps:
        x, y = centres[feature_map.name]
        left, top = centres["map_0_0"]
        assert (x - left, y - top) == (
            feature_map.column * style.COLUMN_STEP,
            feature_map.stream * style.STREAM_STEP,
        )


def texts_of(svg: bytes) -> list[tuple[float, float, float, float, str]]:
    """About the box of each text: left, top, right, bottom."""
    boxes = []
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        size, x, y = float(text.get("font-size")), float(text.get("x")), float(text.get("y"))
        wide = len(text.text or "") * size * 0.55
        left = x - {"middle": wide / 2, "start": 0, "end": wide}[text.get("text-anchor")]
        boxes.append((left, y - 0.7 * size, left + wide, y, text.text or ""))
    return boxes


@pytest.mark.parametrize(
    ("streams", "columns"), [(1, "1+0"), (2, "1+1"), (5, "3+3"), (8, "8+8"), (3, "1+7")]
)
@pytest.mark.parametrize("topology", ["gridnet", "resnet"])
def test_no_two_labels_overlap(streams, columns, topology):
    spec = GridSpec(
        streams=streams,
        columns=columns,
        base_channels=64,
        classes=19,
        total_dropout=0.1,
        residual={"vertical": True},
    )
    boxes = texts_of(draw(prune(build_grid(spec), topology)).render("svg"))
    for (l1, t1, r1, b1, one), (l2, t2, r2, b2, other) in combinations(boxes, 2):
        assert r1 <= l2 or r2 <= l1 or b1 <= t2 or b2 <= t1, f"{one!r} and {other!r}"


def groups_of(svg: bytes) -> dict[str, ElementTree.Element]:
    """What is drawn of each node and edge, by its name."""
    drawn = ElementTree.fromstring(svg).iter(f"{SVG}g")
    return {group.findtext(f"{SVG}title"): group for group in drawn}


def ys_of(group: ElementTree.Element) -> list[float]:
    """Heights of all corners of the lines of an edge."""
    courses = [each.get("d") or each.get("points") or "" for each in group.iter()]
    return [float(y) for course in courses for y in re.findall(r"-?[\d.]+,(-?[\d.]+)", course)]


ARCHED = {
    "arcs": lambda: draw(load_spec("unet++")),
    "numbers": lambda: draw_paths(load_spec("unet++")),
    "head": lambda: draw_difference(load_spec("unet-2015"), GRID),
    "none": lambda: draw(GRID),
}


@pytest.mark.parametrize("name", ARCHED)
def test_no_arc_and_no_number_reaches_the_heading(name):
    groups = groups_of(ARCHED[name]().render("svg"))
    (facts,) = groups["facts"].iter(f"{SVG}text")
    below = float(facts.get("y")) + 3
    edges = [group for group in groups.values() if group.get("class") == "edge"]
    assert below < min(y for group in edges for y in ys_of(group))
    numbers = [each for name, each in groups.items() if (name or "").startswith("share_")]
    for text in (text for number in numbers for text in number.iter(f"{SVG}text")):
        assert below < float(text.get("y")) - 9


def test_words_of_a_legend_begin_at_the_same_distance_from_their_lines():
    groups = groups_of(draw_paths(GRID).render("svg"))
    gaps = []
    for number in range(4):
        (text,) = groups[f"legend_{number}"].iter(f"{SVG}text")
        (line,) = groups[f"legend_{number}_from->legend_{number}_to"].iter(f"{SVG}path")
        begin = re.match(r"M(-?[\d.]+),", line.get("d"))[1]
        gaps.append(float(text.get("x")) - float(begin))
    assert max(gaps) - min(gaps) < 0.1


@given(specs(dimensions=(1, 2, 3)))
@settings(max_examples=60)
def test_every_grid_draws_all_its_maps_and_connections(spec):
    grid = build_grid(spec)
    source = draw(grid).source
    for connection in grid:
        assert f"id={connection.name} " in source
    for feature_map in grid.maps:
        assert f"id={feature_map.name} " in source


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("svg", b"<?xml"), ("png", b"\x89PNG"), ("dot", b"digraph"), ("gv", b"digraph")],
)
def test_the_ending_names_the_format(ending, begins, paper_grid, tmp_path):
    path = draw(paper_grid).save(tmp_path / "new" / f"grid.{ending}")
    assert path.read_bytes().startswith(begins)


def test_a_notebook_shows_the_svg(paper_grid):
    assert "<svg" in draw(paper_grid)._repr_svg_()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.jpg",
            unknown("picture format", "jpg", ["dot", "gv", "pdf", "png", "svg"], guess=False),
        ),
        ("a", "{folder}/a: add an ending: .svg, .png, .pdf, .dot, .gv"),
    ],
)
def test_what_cannot_be_drawn_is_said_and_nothing_is_written(name, text, paper_grid, tmp_path):
    with pytest.raises(RenderError) as caught:
        draw(paper_grid).save(tmp_path / name)
    assert str(caught.value) == text.format(folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_program_at_all_names_the_fix(paper_grid, monkeypatch):
    monkeypatch.setattr("gridgen.render.picture.shutil.which", lambda *_, **__: None)
    with pytest.raises(RenderError) as caught:
        draw(paper_grid).render("svg")
    assert str(caught.value) == (
        "no Graphviz program; pip install graphviz-pure, or install Graphviz"
    )


def test_a_systems_dot_is_preferred(paper_grid, monkeypatch, tmp_path):
    """Stands for an installed Graphviz: the wheel's program under the name `dot`."""
    wheel = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    dot = tmp_path / "dot"
    dot.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\nexec {wheel} "$@"\n')
    dot.chmod(0o755)
    monkeypatch.setattr(
        "gridgen.render.picture.shutil.which",
        lambda name, path=None: str(dot) if name == "dot" else None,
    )
    draw(paper_grid).render("svg")
    assert (tmp_path / "called").read_text("utf-8") == "-Kneato -n2 -Tsvg\n"
