"""The gallery is what its command writes, and its pictures can be read."""

import importlib.util
import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gridgen.architectures.names import ARCHITECTURES

ROOT = Path(__file__).parents[1]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def gallery():
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "docs" / "gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_gallery_is_current(gallery, rewrite):
    if rewrite:
        gallery.main()
    files = gallery.pages()
    written = {gallery.PAGE, *gallery.PICTURES.glob("*")}
    assert written == set(files)
    outdated = [path.name for path, content in files.items() if path.read_bytes() != content]
    assert outdated == [], "run make gallery"


def boxes_of(svg: str) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right and bottom of every line of text, by its text and place."""
    boxes = {}
    for text in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        x, y, size = (float(text.get(name)) for name in ("x", "y", "font-size"))
        width = 0.5 * size * len(text.text)
        left = x if text.get("text-anchor") == "start" else x - width / 2
        boxes[f"{text.text} at {x:g},{y:g}"] = (left, y - 0.75 * size, left + width, y + 0.1 * size)
    return boxes


def overlap(one, other) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_label_of_a_picture_lies_over_another(name):
    boxes = boxes_of((ROOT / "docs" / "gallery" / f"{name}.svg").read_text("utf-8"))
    assert len(boxes) > 5
    pairs = itertools.combinations(boxes.items(), 2)
    assert [(a, b) for (a, one), (b, other) in pairs if overlap(one, other)] == []


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_no_map_lies_over_another(name):
    svg = (ROOT / "docs" / "gallery" / f"{name}.svg").read_text("utf-8")
    places = [
        tuple(map(float, re.findall(r"-?[\d.]+", next(group.iter(f"{SVG}path")).get("d"))[:2]))
        for group in ElementTree.fromstring(svg).iter(f"{SVG}g")
        if group.get("class") == "node" and group.get("id", "").startswith("map_")
    ]
    assert len(places) == len(set(places)) > 1


def test_labels_that_overlap_are_found():
    text = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'
    line = '<text x="{}" y="0" font-size="10" text-anchor="middle">word</text>'
    near = boxes_of(text.format(line.format(0) + line.format(15)))
    far = boxes_of(text.format(line.format(0) + line.format(25)))
    assert overlap(*near.values())
    assert not overlap(*far.values())
