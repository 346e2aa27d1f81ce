"""One colour and mark for a topology; figures and pages share a palette."""

import pytest

from gridgen.figures.palette import DARK, LIGHT, SPLITS, topology_style
from gridgen.grid import TOPOLOGIES
from gridgen.pages.page import rendered
from gridgen.render import style

STYLES = [topology_style(name) for name in (*TOPOLOGIES, "custom")]


@pytest.mark.parametrize("part", ["color", "marker"])
def test_every_topology_has_a_colour_and_a_mark_of_its_own(part):
    assert len({each[part] for each in STYLES}) == len(STYLES)


def test_no_colour_of_a_figure_is_one_of_the_connections():
    used = {*LIGHT, *DARK, *SPLITS.values(), *(each["color"] for each in STYLES)}
    assert used.isdisjoint(style.COLOURS.values())


def test_a_page_has_the_palette_of_figures_and_its_dark_mode():
    page = rendered("base")
    assert f":root {{ {LIGHT.css} }}" in page
    dark = page.index("prefers-color-scheme: dark")
    assert page.index(f":root {{ {DARK.css} }}") > dark
    assert "--mark: #0072b2; --wrong: #d55e00;" in LIGHT.css
