"""Figure 2: the layers of a unit as blocks."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from gridgen import build_grid, draw_unit, load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.errors import UsageError
from gridgen.grid.layers import flat
from gridgen.render.units import _runs

SPEC = load_spec("specs/gridnet.yaml")


def blocks(source):
    """Label, left, right and height of each block, by its place and width."""
    found = []
    for line in source.splitlines():
        width = re.search(r"width=([.\d]+)", line)
        label = re.search(r'label="([^"]*)"|label=(\w+|\+)', line)
        place = re.search(r'pos="([-.\d]+),([-.\d]+)!"', line)
        if width and place and label and "shape=plaintext" not in line and "point" not in line:
            x, y, half = float(place[1]), float(place[2]), 36 * float(width[1])
            found.append((label[1] or label[2], x - half, x + half, y))
    return found


def test_the_residual_unit_of_figure_2_is_bn_relu_convolution_twice_and_a_sum():
    labels = [label.partition("\\n")[0] for label, *_ in blocks(draw_unit(SPEC).source)]
    unit = ["BN", "ReLU", "3x3 convolution"] * 2
    assert labels == ["X(0, 0)", *unit, "+", "X(0, 1)"]
    assert "left out of 10%" in draw_unit(SPEC).source


@pytest.mark.parametrize("kind", ["subsampling", "upsampling"])
def test_vertical_units_have_no_sum(kind):
    assert "+" not in [label for label, *_ in blocks(draw_unit(SPEC, kind).source)]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_blocks_of_every_part_of_every_network_do_not_overlap(name):
    grid = build_grid(load_spec(name))
    parts = {part.partition(".")[2] or part: layers for part, layers in grid.parts()}
    units = {each.name for each in grid} | {each.name for each in grid.maps} | {"stem", "head"}
    for part in [each for each, layers in parts.items() if layers and each in units]:
        source = draw_unit(grid, part).source
        drawn = sorted(blocks(source), key=lambda block: (block[3], block[1]))
        for (_, _, right, row), (label, left, _, other) in pairwise(drawn):
            assert row != other or right <= left, (part, label)
        once = {each.words.split()[0] for each in flat(parts[part])}
        assert all(word in source for word in once), part


def test_blocks_that_repeat_stand_once():
    source = draw_unit(load_spec("fpn", depth=101), "sub_2_0").source
    assert "22 times, one after the other" in source
    assert len(blocks(source)) == 2 + 2 * 10 + 2 - 2 + 2


def test_runs_give_all_layers_again():
    for name in ("fpn", "refinenet", "hrnet", "stacked-hourglass"):
        for _, layers in build_grid(load_spec(name)).parts():
            again = tuple(layer for part, times in _runs(layers) for layer in part * times)
            assert again == tuple(layers)


def test_a_name_that_is_none_is_refused():
    with pytest.raises(UsageError, match="--unit: unknown unit 'laterl'; did you mean 'lateral'"):
        draw_unit(SPEC, "laterl")


def test_it_is_an_svg():
    assert ElementTree.fromstring(draw_unit(SPEC).render("svg")).tag.endswith("svg")
