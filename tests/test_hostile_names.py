"""Names never become code or markup: source, ONNX metadata, DOT, SVG and HTML."""

import ast
import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from hostile import NAMES

from gridgen import DraftSpec, GridgenError, GridNetwork, evaluate, source_of
from gridgen.export.onnx import onnx_of
from gridgen.grid import build_grid
from gridgen.names import escaped
from gridgen.pages import write_evaluation
from gridgen.render import draw
from gridgen.render.annotations import Heading
from gridgen.render.canvas import blank_canvas
from gridgen.render.picture import Picture
from gridgen.spec import GridSpec
from gridgen.training.scoring.per_image import Gallery
from tests.study.report.browser import Browser, program

SPEC = GridSpec(streams=2, columns="1+1", base_channels=4, classes=3, size="pad")
every_name = pytest.mark.parametrize("name", NAMES, ids=ascii)


def without_docstrings(text):
    """The tree of a file, its docstrings left out, as text."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            node.body = body[1:] or [ast.Pass()]
    return ast.dump(tree)


def test_there_are_fifty():
    assert len({*NAMES}) >= 50


@every_name
def test_source_holds_a_name_as_text_alone(name):
    text = source_of(SPEC, f"{name}.safetensors")
    assert without_docstrings(text) == without_docstrings(source_of(SPEC))
    assert all(line.isprintable() for line in text.splitlines())


def test_onnx_gives_every_name_back():
    onnx = pytest.importorskip("onnx", reason="gridgen[onnx] is not installed")
    network = GridNetwork(build_grid(SPEC))
    raw, _ = onnx_of(network, {"classes": list(NAMES), "note": NAMES[0]}, verify=False)
    told = {each.key: each.value for each in onnx.load_from_string(raw).metadata_props}
    assert json.loads(told["classes"]) == list(NAMES)


@every_name
def test_no_name_of_a_network_is_one_of_these(name):
    with pytest.raises(GridgenError):
        DraftSpec(name=name, classes=2)


@every_name
def test_a_title_is_text_in_dot_and_in_svg(name):
    """Whatever it came from: no spec may be called so."""
    canvas = blank_canvas()
    Heading(name, name).add(canvas, 0, 0)
    drawn = ElementTree.fromstring(Picture(canvas.source).render("svg"))
    kinds = {element.tag.rpartition("}")[2] for element in drawn.iter()}
    assert kinds <= {"svg", "g", "title", "polygon", "text", "a"}
    said = "".join("".join(each.itertext()) for each in drawn.iter() if each.tag.endswith("}text"))
    assert "".join(escaped(name).split()) in "".join(said.split())


class Tags(HTMLParser):
    """How often each tag stands in a page."""

    def __init__(self, text):
        super().__init__()
        self.found = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found[tag] = self.found.get(tag, 0) + 1
        assert not [key for key, _ in attrs if key.startswith("on")]


def page_of(names, folder: Path) -> Path:
    """The page of an evaluation whose classes have these names."""
    from dataclasses import replace

    from gridgen.training.run.model import Model
    from gridgen.training.tasks import Segmentation

    torch.manual_seed(0)
    network, gallery = GridNetwork(build_grid(SPEC)).eval(), Gallery(2)
    shapes = Segmentation(("background", "larger", "smaller"), ((0, 0, 0), (9, 9, 9), (99, 9, 9)))
    model = Model(folder / "a.safetensors", network, SPEC, shapes, "shapes")
    scored = evaluate(model, "shapes", "val", gallery=gallery, baseline=False)
    named = replace(scored, task=Segmentation(tuple(names), shapes.colours), data=names[0])
    write_evaluation(named, gallery, folder / "page")
    return folder / "page" / "index.html"


TRIPLES = [NAMES[at : at + 3] for at in range(0, len(NAMES) - 2, 3)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    page = page_of(("a", "b", "c"), tmp_path_factory.mktemp("plain"))
    return Tags(page.read_text("utf-8")).found


@pytest.mark.slow
def test_pages_have_the_tags_of_a_page_with_plain_names(plain, tmp_path):
    for number, names in enumerate(TRIPLES):
        text = page_of(names, tmp_path / str(number)).read_text("utf-8")
        assert Tags(text).found == plain, names


@pytest.mark.slow
@pytest.mark.skipif(program() is None, reason="Chromium is not installed")
def test_no_script_runs_in_a_browser(tmp_path):
    pages = [page_of(names, tmp_path / str(number)) for number, names in enumerate(TRIPLES)]
    page = Browser(tmp_path / "profile")
    try:
        for path in pages:
            page.open(path, 900)
            assert page.ask("window.ran === undefined"), path
    finally:
        page.close()


def test_a_grid_is_drawn_as_before():
    assert "<svg" in draw(SPEC)._repr_svg_()
