"""Figure 3: several sub-topologies of a grid in one picture."""

import re

import pytest

from gridgen import draw_overlay, load_spec, prune
from gridgen.errors import TopologyError, UsageError
from gridgen.render.overlay import COLOURS

SPEC = load_spec("specs/gridnet.yaml")
THREE = ["conv-deconv", "unet", "frrn"]


def lines(source):
    """Colours of each connection, by its name."""
    found = re.findall(r'color="?([#\w:]+)"?[^\]]*?id=(\w+)', source)
    return {name: colours.split(":") for colours, name in found}


def test_a_line_has_the_colour_of_each_topology_that_keeps_it():
    drawn = lines(draw_overlay(SPEC, THREE).source)
    kept = [{link.name for link in prune(SPEC, name)} for name in THREE]
    for name, colours in drawn.items():
        if name.startswith(("lateral", "sub_", "up_")):
            wanted = [colour for colour, of in zip(COLOURS, kept, strict=False) if name in of]
            assert colours == (wanted or ["#dedede"]), name
    assert sum(name.startswith(("lateral", "sub_", "up_")) for name in drawn) == 49


def test_it_is_drawn_over_the_full_grid_whatever_was_pruned():
    pruned = draw_overlay(prune(SPEC, "unet"), THREE)
    assert lines(pruned.source) == lines(draw_overlay(SPEC, THREE).source)


@pytest.mark.parametrize(
    ("topologies", "error", "message"),
    [
        ([], UsageError, "--overlay: 0 topologies; an overlay shows 1 to 6"),
        (["unet"] * 7, UsageError, "--overlay: 7 topologies; an overlay shows 1 to 6"),
        (["unet", "unet"], UsageError, "--overlay: a topology is named twice; name each once"),
        (["unet", "u-net"], TopologyError, "unknown topology 'u-net'; did you mean 'unet'?"),
    ],
)
def test_what_cannot_be_drawn_is_told(topologies, error, message):
    with pytest.raises(error) as caught:
        draw_overlay(SPEC, topologies)
    assert message in str(caught.value)


def test_a_title_may_be_left_out():
    told = draw_overlay(SPEC, THREE, title=False).source
    assert "title" not in told
    assert "conv-deconv" in told  # in the legend


def test_it_tells_of_the_full_grid_whatever_topology_the_spec_has():
    told = draw_overlay(SPEC.but(topology="unet"), THREE).source
    assert told == draw_overlay(SPEC, THREE).source
    assert "conv-deconv, unet, frrn in gridnet" in told


def test_only_what_is_in_none_of_them_is_in_the_legend():
    assert "in none of them" in draw_overlay(SPEC, ["unet", "conv-deconv"]).source
    assert "in none of them" not in draw_overlay(SPEC, THREE).source
    assert "in none of them" not in draw_overlay(SPEC, ["frrn", "gridnet"]).source
