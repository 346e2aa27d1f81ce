import pytest
from hypothesis import given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.analysis import count
from gridgen.analysis.differences import diff
from gridgen.architectures import spec_of
from gridgen.architectures.bifpn import Bifpn
from gridgen.architectures.fpn import Fpn
from gridgen.architectures.panet import Panet
from gridgen.errors import SizeError
from gridgen.grid import build_grid, prune
from gridgen.spec import GridSpec


def paper_family(columns="3+3", streams=5, base_channels=16, **fields):
    fields = {"classes": 19} | fields
    spec = GridSpec(streams=streams, columns=columns, base_channels=base_channels, **fields)
    return build_grid(spec)


def test_what_pruning_to_a_unet_saves():
    full = paper_family()
    difference = diff(full, prune(full, "unet"))
    assert difference.size == (400, 400)
    assert len(difference.only_in_a) == 16
    assert difference.only_in_b == difference.changed == difference.changed_maps == ()
    assert {change.what: (change.a, change.b) for change in difference.costs} == {
        "parameters": (13_181_097, 9_647_337),
        "activations": (309_440_000, 223_040_000),
        "MACs": (33_098_400_000, 24_251_040_000),
        "connections": (49, 33),
        "maps": (30, 30),
        "paths": (371, 5),
    }
    assert difference.costs[0].difference == -3_533_760


def test_a_pruned_grid_inherits_all_its_weights():
    full = paper_family()
    difference = diff(full, prune(full, "unet"))
    assert difference.inherited_parameters == 9_647_337
    assert difference.inherited_share == 1
    assert difference.inherited[0] == "stem"
    assert difference.inherited[-1] == "head"
    assert len(difference.inherited) == 33 + 2


def test_a_grown_grid_inherits_what_it_was_grown_from():
    full = paper_family()
    difference = diff(prune(full, "unet"), full)
    assert difference.inherited_parameters == 9_647_337
    assert difference.inherited_share == 9_647_337 / 13_181_097


def test_another_number_of_classes_costs_the_head():
    difference = diff(paper_family(classes=19), paper_family(classes=2))
    assert "head" not in difference.inherited
    assert difference.inherited_parameters == difference.count_b.parameters.total - sum(
        layer.parameters for layer in paper_family(classes=2).head
    )


def test_another_unit_is_changed_and_not_inherited():
    a, b = paper_family(), paper_family(units={"lateral": "bottleneck"})
    difference = diff(a, b)
    assert len(difference.changed) == 25
    assert not any("lateral" in name for name in difference.inherited)
    ends = difference.count_b.parameters.stem + difference.count_b.parameters.head
    vertical = sum(c.parameters for c in b if c.kind != "lateral")
    assert difference.inherited_parameters == ends + vertical


def test_dropout_changes_connections_but_no_weights():
    difference = diff(paper_family(), paper_family(total_dropout=0.5))
    assert len(difference.changed) == 25
    assert difference.inherited_share == 1


def test_what_is_learnt_about_several_arrivals_holds_for_these_alone():
    full = paper_family("1+1", 3, fusion="weighted")
    one_path = prune(full, "conv-deconv")
    assert diff(full, one_path).inherited_share == 1
    assert not any(name.startswith("weights") for name in diff(one_path, full).inherited)
    assert {"weights.map_0_1", "weights.map_1_1"} <= set(diff(full, full).inherited)
    summed = paper_family("1+1", 3)
    assert diff(summed, full).inherited_parameters == count(summed).parameters.total


def test_projections_and_reductions_are_parts_of_their_own():
    a = paper_family("1+1", 3, residual={"vertical": True}, fusion="concat")
    names = diff(a, a).inherited
    assert {"shortcuts.sub_1_0", "shortcuts.up_0_1", "fusions.map_0_1"} <= set(names)
    assert "shortcuts.lateral_0_1" not in names
    assert diff(a, a).inherited_share == 1
    plain = diff(paper_family("1+1", 3), a)
    assert plain.inherited_parameters == count(paper_family("1+1", 3)).parameters.total


def test_blocks_of_features_beside_the_image_are_parts_too():
    fed = paper_family("1+1", 3, side_channels=[2, 2])
    assert {"sides.map_1_0", "sides.map_2_0"} <= set(diff(fed, fed).inherited)
    assert diff(fed, fed).inherited_share == 1


def test_panet_inherits_all_of_fpn_and_bifpn_its_backbone():
    fpn = build_grid(Fpn(architecture="fpn"))
    panet = diff(fpn, build_grid(Panet(architecture="panet")))
    assert panet.inherited_parameters == panet.count_a.parameters.total == 28_478_675
    bifpn = diff(fpn, build_grid(Bifpn(architecture="bifpn")))
    assert bifpn.inherited == ("stem", "units.sub_1_0", "units.sub_2_0", "units.sub_3_0")
    assert bifpn.inherited_parameters == 23_508_032


def test_the_unet_of_2015_and_a_grid_share_no_weights():
    difference = diff(build_grid(spec_of({"architecture": "unet-2015"})), paper_family())
    assert (difference.inherited, difference.inherited_parameters) == ((), 0)
    assert difference.inherited_share == 0


@pytest.mark.parametrize(("streams", "side"), [(5, 416), (7, 448)])
def test_both_are_counted_at_the_smallest_size_that_both_can_take(streams, side):
    fpn, grid = build_grid(Fpn(architecture="fpn", depth=18)), paper_family(streams=streams)
    difference = diff(fpn, grid)
    assert difference.size == (side, side)
    assert difference.count_a == count(fpn, (side, side))
    assert difference.count_b == count(grid, (side, side))


def test_a_size_that_one_of_both_cannot_take_is_refused():
    small, large = paper_family(streams=2), paper_family(streams=5)
    assert diff(small, small, (6, 10)).size == (6, 10)
    with pytest.raises(SizeError) as caught:
        diff(small, large, (24, 32))
    assert str(caught.value).startswith("Image is 24x32; 5 streams need multiples of 16.")


@settings(max_examples=60)
@given(specs(), st.data())
def test_differences_turn_around(spec, data):
    a = build_grid(spec)
    b = prune(a, data.draw(st.sampled_from(topologies_for(spec))))
    there, back = diff(a, b), diff(b, a)
    assert there.only_in_a == back.only_in_b
    assert set(there.inherited) == set(back.inherited)
    assert there.inherited_parameters == back.inherited_parameters
    assert [c.difference for c in there.costs] == [-c.difference for c in back.costs]
    assert diff(a, a).inherited_parameters == count(a).parameters.total
