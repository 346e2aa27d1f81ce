"""Receptive fields of many choices at once, against one grid at a time."""

from itertools import product

import numpy as np
import pytest

from gridgen.analysis.receptive import receptive_field
from gridgen.grid import FUSIONS, UNITS, build_grid
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.layers import GroupNorm
from gridgen.grid.styles import Style
from gridgen.grid.units import residual
from gridgen.space import Range, feasible
from gridgen.space.budget import Budget
from gridgen.space.structure_counts import (
    WHOLE_IMAGE,
    PartLayers,
    by_stride,
    count_structure,
    layers_after,
    layers_before,
    layers_between,
    receptive_fields,
)
from gridgen.spec import GridSpec
from gridgen.spec.gridspec import STEM_STRIDES

LATTICES = [(1, "1+1"), (3, "2+2"), (4, "1+2"), (2, ["sub", "up", "sub", "up"])]


@pytest.mark.parametrize(("streams", "columns"), LATTICES)
def test_every_unit_and_end_is_seen_as_one_grid_sees_it(streams, columns):
    spec = GridSpec(streams=streams, columns=columns, base_channels=1, classes=1)
    choices, sides = [], []
    for lateral, sub, up, added, stem, head, norm in product(
        *UNITS.values(), (False, True), STEMS, HEADS, ("batch", "group")
    ):
        style = Style(norm)
        units = {"lateral": lateral, "subsampling": sub, "upsampling": up}
        kinds = [layers_between(kind, name, style, added) for kind, name in units.items()]
        stride = STEM_STRIDES.get(stem, 1)
        ends = layers_before(stem, style), layers_after(head, style, stride)
        choices.append(PartLayers(*kinds, *ends, stride))
        identities = {"lateral": added, "vertical": added}
        one = spec.but(units=units, residual=identities, stem=stem, head=head, norm=norm)
        sides.append(receptive_field(build_grid(one)) or WHOLE_IMAGE)
    found = {}
    for group in by_stride(choices):
        found |= receptive_fields(count_structure(build_grid(spec)), group)
    assert [found[choice] for choice in choices] == sides


@pytest.mark.parametrize("name", FUSIONS)
def test_no_fusion_looks_at_other_rows(name):
    """Or `structure_counts.receptive_fields` has to follow it."""
    rows = np.arange(8)
    for arrivals in (1, 2):
        for layer in FUSIONS[name].after(3 * arrivals, 3):
            assert [r.tolist() for r in layer.rows(rows, rows)] == [rows.tolist()] * 2


def test_a_unit_that_sees_the_whole_map_has_no_end(monkeypatch):
    def normed(style, channels_in, channels_out):
        return (GroupNorm(channels_in, 1), *residual(style, channels_in, channels_out))

    monkeypatch.setitem(UNITS["lateral"], "normed", normed)
    shared = {"streams": 2, "columns": "1+1", "base_channels": 2, "classes": 2}
    space = {"units.lateral": ("residual", "normed")}
    found = feasible(shared, space, Budget(min_receptive_field=1))
    assert found.costs["receptive_field"].tolist() == [27, WHOLE_IMAGE]


def test_widths_do_not_matter():
    space = {"base_channels": Range(low=1, high=9), "classes": (1, 7)}
    found = feasible({"streams": 3, "columns": "1+1"}, space, Budget(min_receptive_field=1))
    assert found.costs["receptive_field"].shape == (1, 1)
