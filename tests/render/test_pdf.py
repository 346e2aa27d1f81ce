"""PDF without a program of the system: what the SVG has, by matplotlib."""

import re
import zlib
from html import unescape

import pytest

from gridgen import draw, draw_overlay, draw_paths, draw_unit, load_spec
from gridgen.render import pdf
from gridgen.render.pdf import pdf_of

SPEC = load_spec("specs/gridnet.yaml")
PICTURES = {
    "grid": lambda: draw(SPEC, size="400x400", shade="memory"),
    "paths": lambda: draw_paths(SPEC),
    "unit": lambda: draw_unit(SPEC),
    "overlay": lambda: draw_overlay(SPEC, ["unet", "frrn"]),
}


def pages(raw):
    """What is drawn, uncompressed."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", raw, re.S)
    found = []
    for stream in streams:
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


@pytest.mark.parametrize("name", PICTURES)
def test_every_shape_and_word_of_the_svg_is_drawn(name, monkeypatch):
    drawn = []
    monkeypatch.setattr(pdf, "_add_text", lambda element, *_: drawn.append(element.text))
    picture = PICTURES[name]()
    svg = picture.render("svg").decode()
    raw = picture.render("pdf")
    assert raw.startswith(b"%PDF-")
    assert sorted(drawn) == sorted(map(unescape, re.findall(r"<text[^>]*>([^<]*)</text>", svg)))
    shapes = len(re.findall(r"<(?:path|polygon|polyline|ellipse) ", svg))
    # Each outline ends by one painting operator; transparent ones are not painted.
    painted = len(re.findall(rb"\n(?:S|f|B|b|s|f\*|B\*|n)\n", pages(raw)))
    assert painted >= shapes - svg.count('stroke="transparent"') - 2


def test_the_page_is_as_large_as_the_picture():
    svg = PICTURES["grid"]().render("svg").decode()
    width, height = re.search(r'width="(\d+)pt" height="(\d+)pt"', svg).groups()
    box = re.search(rb"MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", PICTURES["grid"]().render("pdf"))
    assert [round(float(each)) for each in box.groups()] == [
        pytest.approx(int(width), abs=1),
        pytest.approx(int(height), abs=1),
    ]


def test_the_same_picture_gives_the_same_bytes():
    assert PICTURES["unit"]().render("pdf") == PICTURES["unit"]().render("pdf")


def test_words_may_hold_signs_of_formulas():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 20">'
        '<text x="5" y="10">$x_1$ &lt;b&gt; \\frac $</text></svg>'
    )
    assert pdf_of(svg.encode()).startswith(b"%PDF-")


@pytest.mark.parametrize(("kind", "closed"), [("polygon", True), ("polyline", False)])
def test_an_outline_is_closed_where_its_end_would_be_chipped(kind, closed):
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 20">'
        f'<{kind} fill="red" stroke="red" points="5,5 9,5 9,9 5,5"/></svg>'
    )
    # The operator h joins the end to the beginning.
    assert (b"9 11 l\nh\n" in pages(pdf_of(svg.encode()))) is closed
