"""Sizes and costs on the maps of a picture."""

import re

import pytest
import torch

from gridgen.analysis import count
from gridgen.analysis.breakdown import breakdown
from gridgen.emit import GridNetwork
from gridgen.errors import SizeError, UsageError
from gridgen.grid import build_grid, prune
from gridgen.memory.kept_by_map import kept_by_map
from gridgen.memory.setting import Setting
from gridgen.render import draw, style
from gridgen.render.shading import Shading
from gridgen.spec import GridSpec
from gridgen.testing.oracles import kept_by_autograd

SPEC = GridSpec(streams=3, columns="2+2", base_channels=4, classes=3)
GRID = build_grid(SPEC)


def test_without_either_nothing_changes():
    assert draw(GRID).source == draw(GRID, size=None, shade=None).source
    assert Shading.of(GRID, None, None) == Shading({}, {})


def test_each_map_has_its_size_and_the_title_that_of_the_images():
    source = draw(GRID, size="40x64").source
    assert len(re.findall(r'label="4\\n40x64"', source)) == 4
    assert len(re.findall(r'label="8\\n20x32"', source)) == 4
    assert len(re.findall(r'label="16\\n10x16"', source)) == 4
    assert "images of 40x64" in source


def test_a_size_policy_brings_images_to_a_legal_size_first():
    grid = build_grid(SPEC.but(size="pad"))
    assert "images of 40x64" in draw(grid, size=(37, 63)).source
    with pytest.raises(SizeError):
        draw(GRID, size=(37, 63))


@pytest.mark.parametrize("quantity", ["parameters", "activations", "macs"])
def test_shares_add_up_to_what_is_counted_of_the_grid(quantity):
    shading = Shading.of(GRID, (40, 64), quantity)
    counted = getattr(count(GRID, (40, 64)), quantity).grid
    pieces = [getattr(each, quantity) for each in breakdown(GRID, (40, 64))]
    assert max(shading.shares.values()) == 1
    (told, darkest), *_ = shading.legend
    most = int(told.split()[0].replace(",", ""))
    assert round(sum(shading.shares.values()) * most) == counted < sum(pieces)
    assert shading.fill(max(shading.shares, key=shading.shares.get)) == {"fillcolor": darkest}


def test_dropped_maps_are_not_shaded():
    source = draw(prune(GRID, "unet"), shade="macs").source
    assert "the most of a map" in source
    ghosts = re.findall(r'map_\d_\d \[label="" color="#dedede" fillcolor=(\S+)', source)
    assert ghosts
    assert set(ghosts) == {"white"}


def test_a_map_without_cost_is_white():
    # The input map is made by the stem, which is no part of the grid.
    shading = Shading.of(GRID, None, "parameters")
    assert shading.fill(GRID.input) == {"fillcolor": "#ffffff"}
    assert shading.sides == {}


def test_another_quantity_is_refused():
    with pytest.raises(UsageError) as caught:
        draw(GRID, shade="macss")
    assert str(caught.value) == "--shade: unknown quantity 'macss'; did you mean 'macs'?"


def test_memory_is_what_autograd_keeps_from_the_stem_on_to_the_head():
    grid, size = prune(GRID, "unet"), (40, 64)
    network, images = GridNetwork(grid).train(), torch.rand(1, grid.spec.in_channels, *size)
    held = [*network.parameters(), *network.buffers()]

    def kept(name):
        return kept_by_autograd(lambda: network.feature_maps(images, [name]), held)[1]

    counted = kept_by_map(grid, size, Setting(device="cpu"))
    assert sum(counted.values()) == kept(grid.output.name) - kept(grid.input.name)
    shading = Shading.of(grid, size, "memory")
    assert shading.legend[0][0].endswith("kept for the backward pass, the most of a map")


@pytest.mark.parametrize(
    ("size", "dimensions"),
    [("400x400", 2), ("1024x2048", 2), ("16384x16384", 2), ("128x256x256", 3)],
)
def test_a_size_fits_into_its_map(size, dimensions):
    spec = GridSpec(
        streams=2, columns="1+1", base_channels=4, classes=2, dimensions=dimensions, fusion="concat"
    )
    svg = draw(spec, size=size).render("svg").decode()
    labels = re.findall(r'font-size="([\d.]+)"[^>]*>(\d+x[\dx]+)<', svg)
    assert len(labels) == 4
    assert all(0.556 * float(points) * len(text) < style.MAP_WIDTH for points, text in labels)
