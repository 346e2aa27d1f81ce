"""Pictures of many columns are cut into bands that a page can show."""

import re
from io import BytesIO
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from PIL import Image

from gridgen import GridSpec, draw, draw_difference, draw_overlay, draw_paths, load_spec, prune
from gridgen.render.folding import BAND_COLUMNS, MOST_COLUMNS

SVG = "{http://www.w3.org/2000/svg}"


def spec_of(down, up=1):
    return GridSpec(streams=2, columns=f"{down}+{up}", base_channels=2, classes=2)


@pytest.mark.parametrize(
    ("columns", "cuts"),
    [(MOST_COLUMNS, None), (19, [12]), (30, [12]), (31, [12, 24]), (60, [12, 24, 36, 48])],
)
def test_bands_have_twelve_columns_and_the_last_none_of_few(columns, cuts):
    fold = draw(spec_of(columns - 1)).fold
    assert (fold and list(fold.before)) == cuts
    if fold:
        ends = [0, *fold.before, columns]
        sizes = [end - begin for begin, end in pairwise(ends)]
        assert sizes[:-1] == [BAND_COLUMNS] * len(fold.before)
        assert BAND_COLUMNS / 2 <= sizes[-1] <= 1.5 * BAND_COLUMNS


@pytest.mark.parametrize("kind", ["grid", "paths", "overlay", "difference"])
def test_every_picture_of_many_columns_is_folded_in_every_format(kind):
    spec = spec_of(20, 9)
    picture = {
        "grid": lambda: draw(spec),
        "paths": lambda: draw_paths(spec),
        "overlay": lambda: draw_overlay(spec, ["unet", "frrn"]),
        "difference": lambda: draw_difference(spec, prune(spec, "unet")),
    }[kind]()
    svg = picture.render("svg").decode()
    root = ElementTree.fromstring(svg)
    bands = [each for each in root if each.tag == f"{SVG}svg"]
    assert len(bands) == len(picture.fold.before) + 1
    width, height = (float(root.get(side).removesuffix("pt")) for side in ("width", "height"))
    assert width < 88 * (1.5 * BAND_COLUMNS + 4)
    with Image.open(BytesIO(picture.render("png"))) as image:
        assert image.size == (pytest.approx(2 * width, abs=4), pytest.approx(2 * height, abs=4))
    box = re.search(rb"MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", picture.render("pdf"))
    assert [float(each) for each in box.groups()] == [
        pytest.approx(width, abs=1),
        pytest.approx(height, abs=1),
    ]
    assert picture.render("dot").startswith(b"digraph")


def test_every_map_lies_whole_in_one_band():
    picture = draw(load_spec("frrn-b"))
    svg = picture._drawn("svg").decode()
    bands = picture.fold.bands(svg)
    drawn = re.findall(r'<g id="map_\d+_\d+" class="node">.*?<path[^>]* d="([^"]+)"', svg, re.S)
    shift = [float(each) for each in re.search(r"translate\(([-\d.]+)[ ,]([-\d.]+)", svg).groups()]
    assert len(drawn) > 40
    for outline in drawn:
        numbers = [float(each) for each in re.findall(r"-?[\d.]+", outline)]
        xs, ys = ([n + by for n in numbers[at::2]] for at, by in enumerate(shift))
        holding = [
            (left, top)
            for left, top, wide, high in bands
            if left <= min(xs) and max(xs) <= left + wide
            if top <= min(ys) and max(ys) <= top + high
        ]
        assert len(holding) == 1


@pytest.mark.parametrize("title", [True, False])
def test_no_band_is_longer_than_what_is_drawn(title):
    """What is cut from beyond a PNG is black."""
    png = draw(spec_of(19, 9), title=title).render("png")
    with Image.open(BytesIO(png)) as image:
        grey = image.convert("L")
        means = [grey.reduce(sides) for sides in ((1, grey.height), (grey.width, 1))]
    assert min(low for each in means for low, _ in [each.getextrema()]) > 120


def test_two_pictures_in_one_page_keep_apart():
    one, other = (draw(spec_of(20, up)).render("svg").decode() for up in (1, 2))
    names = [set(re.findall(r'id="(graph-\w+)"', each)) for each in (one, other)]
    assert names[0].isdisjoint(names[1])
    for svg, named in zip((one, other), names, strict=True):
        assert set(re.findall(r'xlink:href="#(graph-\w+)"', svg)) == named


def test_narrow_pictures_are_as_graphviz_draws_them():
    picture = draw(spec_of(3))
    assert picture.fold is None
    assert picture.render("svg") == picture._drawn("svg")
