import pytest
from hypothesis import given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.analysis.relations import relate
from gridgen.architectures import load_spec, spec_of
from gridgen.architectures.bifpn import Bifpn
from gridgen.architectures.fpn import Fpn
from gridgen.architectures.names import ARCHITECTURES
from gridgen.architectures.panet import Panet
from gridgen.grid import Draft, build_grid, keep, prune
from gridgen.grid.fusions import CONCAT, WEIGHTED
from gridgen.grid.layers import Conv, MaxPool, MaxUnpool
from gridgen.spec import GridSpec

NAMED = ("conv-deconv", "unet", "frrn", "resnet")
KEPT = {"3+3": (13, 33, None, 5), "4+4": (15, 31, 34, 7)}


def paper_family(columns="3+3", streams=5, base_channels=16, **fields):
    fields = {"classes": 19} | fields
    spec = GridSpec(streams=streams, columns=columns, base_channels=base_channels, **fields)
    return build_grid(spec)


def unet_2015():
    return build_grid(spec_of({"architecture": "unet-2015"}))


def fpn():
    return build_grid(Fpn(architecture="fpn", depth=18))


@pytest.mark.parametrize("columns", ["3+3", "4+4"])
@pytest.mark.parametrize("name", NAMED)
def test_a_named_topology_is_a_subgraph_with_exactly_the_connections_kept(columns, name):
    full = paper_family(columns)
    pruned = prune(full, name)
    relation = relate(pruned, full)
    assert relation.subgraph
    assert relation.connections_subset
    assert relation.units_equal
    assert relation.fusions_equal
    assert relation.ends_equal
    assert relation.common == tuple(c.name for c in pruned)
    assert set(relation.only_in_b) == {c.name for c in full} - {c.name for c in pruned}
    assert relation.only_in_a == relation.differing == relation.differing_maps == ()
    assert relation.needs == ()


@pytest.mark.parametrize("columns", KEPT)
def test_the_subgraphs_have_the_papers_numbers_of_connections(columns):
    full = paper_family(columns)
    for name, kept in zip(NAMED, KEPT[columns], strict=True):
        relation = relate(prune(full, name), full)
        assert kept in (None, len(relation.common))
        assert len(relation.common) + len(relation.only_in_b) == len(full.connections)


@pytest.mark.parametrize("columns", ["3+3", "4+4"])
@pytest.mark.parametrize("name", NAMED)
def test_the_full_grid_is_no_subgraph_of_a_named_topology(columns, name):
    full = paper_family(columns)
    relation = relate(full, prune(full, name))
    assert not relation.subgraph
    assert not relation.connections_subset
    assert relation.units_equal
    assert relation.fusions_equal
    assert relation.ends_equal
    assert relation.needs


def test_what_the_full_grid_has_beyond_conv_deconv():
    full = paper_family()
    assert relate(full, prune(full, "conv-deconv")).needs == (
        "20 more lateral connections",
        "8 more subsampling connections",
        "8 more upsampling connections",
    )


def test_the_unet_of_2015_needs_more_than_the_papers_grid():
    relation = relate(unet_2015(), paper_family())
    assert not relation.subgraph
    assert not relation.units_equal
    assert not relation.fusions_equal
    assert not relation.ends_equal
    assert "concatenation at 4 maps" in relation.needs
    assert "max-pooling in 4 subsampling connections" in relation.needs
    assert "4 lateral connections without a unit" in relation.needs


def test_all_that_the_unet_of_2015_needs_beyond_its_own_columns():
    one_plus_one = paper_family("1+1", base_channels=64, in_channels=1, classes=2)
    relation = relate(unet_2015(), one_plus_one)
    assert relation.only_in_a == ("up_3_1_from_4_0",)
    assert relation.only_in_b == ("lateral_4_1", "up_3_1")
    assert relation.differing_maps == ("map_3_1", "map_2_1", "map_1_1", "map_0_1")
    assert relation.needs == (
        "concatenation at 4 maps",
        "layers after the fusion at 4 maps",
        "max-pooling in 4 subsampling connections",
        "4 subsampling connections without BN",
        "4 lateral connections without a unit",
        "2x2 transposed convolution of stride 2 in 4 upsampling connections",
        "4 upsampling connections without BN",
        "1 diagonal connection",
        "another stem",
        "another head",
    )


def test_a_list_of_connections_is_a_subgraph():
    listed = paper_family(topology={"drop": ["lateral_1_*", "up_2_4"]})
    relation = relate(listed, paper_family())
    assert relation.subgraph
    assert set(relation.only_in_b) == {*(f"lateral_1_{j}" for j in range(1, 6)), "up_2_4"}
    assert not relate(listed, prune(paper_family(), "unet")).connections_subset


def test_more_columns_turn_some_of_them_around():
    relation = relate(paper_family("4+4"), paper_family("3+3"))
    assert relation.units_equal
    assert not relation.ends_equal
    assert relation.needs == (
        "4 subsampling connections in columns that go up",
        "10 more lateral connections",
        "8 more upsampling connections",
        "the head after map_0_7",
    )


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({"fusion": "concat"}, ("concatenation at 2 maps",)),
        ({"fusion": "weighted"}, ("weighted fusion at 2 maps",)),
        ({"units": {"lateral": "bottleneck"}}, ("1x1 convolution in 3 lateral connections",)),
        (
            {"units": {"upsampling": "bilinear"}},
            (
                "bilinear upsampling in 2 upsampling connections",
                "3x3 convolution in 2 upsampling connections",
            ),
        ),
        ({"residual": {"lateral": False}}, ("3 lateral connections without the identity",)),
        (
            {"residual": {"vertical": True}},
            (
                "a projected identity in 2 subsampling connections",
                "a projected identity in 2 upsampling connections",
            ),
        ),
        ({"total_dropout": 0.5}, ("total dropout of 0.5 in 3 lateral connections",)),
        ({"base_channels": 8}, ("other channels at 6 maps", "another stem", "another head")),
        ({"classes": 3}, ("another head",)),
    ],
)
def test_a_field_of_the_spec_makes_one_need(fields, needs):
    plain, other = (paper_family("1+1", 3, **({"base_channels": 4} | f)) for f in ({}, fields))
    relation = relate(other, plain)
    assert relation.needs == needs
    assert not relation.subgraph
    assert relation.connections_subset


def test_each_fact_fails_alone():
    plain = paper_family("1+1", 3, 4)
    facts = {}
    for field, value in (
        ("total_dropout", 0.5),
        ("fusion", "weighted"),
        ("classes", 3),
        ("in_channels", 1),
        ("side_channels", [2, 2]),
    ):
        relation = relate(paper_family("1+1", 3, 4, **{field: value}), plain)
        facts[field] = relation.units_equal, relation.fusions_equal, relation.ends_equal
    assert facts == {
        "total_dropout": (False, True, True),
        "fusion": (True, False, True),
        "classes": (True, True, False),
        "in_channels": (True, True, False),
        "side_channels": (True, True, False),
    }


def test_features_that_enter_are_part_of_the_ends():
    plain, fed = (paper_family("1+1", 3, 4, **f) for f in ({}, {"side_channels": [2, 2]}))
    assert relate(fed, plain).needs == ("features that enter at 2 maps",)
    assert relate(plain, fed).needs == ("no features at 2 maps",)
    assert relate(prune(fed, "resnet"), fed).subgraph


def test_where_one_connection_arrives_the_fusion_is_of_no_matter():
    summed = prune(paper_family(), "resnet")
    for fusion in ("weighted", "concat"):
        assert relate(summed, paper_family(fusion=fusion)).subgraph
    assert not relate(prune(paper_family(), "unet"), paper_family(fusion="concat")).fusions_equal


def test_every_connection_of_fpn_is_in_panet_whose_maps_have_layers_of_their_own():
    panet = build_grid(Panet(architecture="panet", depth=18))
    relation = relate(fpn(), panet)
    assert relation.connections_subset
    assert relation.units_equal
    assert relation.ends_equal
    assert relation.differing_maps == ("map_1_2", "map_2_2", "map_3_2")
    assert relation.needs == ("3 maps without layers after the fusion",)


def test_bifpn_needs_weights_and_connections_that_skip_columns():
    needs = relate(build_grid(Bifpn(architecture="bifpn", depth=18)), fpn()).needs
    assert "weighted fusion at 20 maps" in needs
    assert "6 connections that skip columns" in needs
    assert "3x3 max-pooling in 9 subsampling connections" in needs
    assert "1 more stream" in needs


def test_fpn_works_at_other_resolutions_than_the_papers_grid():
    needs = relate(fpn(), paper_family()).needs
    assert "streams 0, 1, 2, 3 at 1/4, 1/8, 1/16, 1/32 of the image's size" in needs
    assert "3 diagonal connections" in needs
    assert "2 connections that skip streams" in needs
    assert "residual blocks in 3 subsampling connections" in needs


def test_unpooling_and_single_connections_read_as_sentences():
    plain = paper_family("1+2", 2, 4, in_channels=1, classes=2)
    draft = Draft()
    draft.connect((0, 0), (1, 0), (MaxPool(), Conv(4, 8)))
    draft.connect((1, 0), (0, 1), (Conv(8, 4), MaxUnpool("sub_1_0")), auxiliary=(0, 0))
    draft.connect((0, 1), (0, 2), (Conv(4, 4, dilation=2),))
    draft.connect((0, 0), (0, 2))
    draft.fuse((0, 2), WEIGHTED)
    grid = draft.grid(plain.spec, stem=plain.stem, head=plain.head)
    assert relate(grid, plain).needs == (
        "weighted fusion at 1 map",
        "max-pooling in 1 subsampling connection",
        "1 subsampling connection without BN",
        "3x3 convolution in 1 upsampling connection",
        "max-unpooling in 1 upsampling connection",
        "1 upsampling connection without BN",
        "a look at a further map in 1 upsampling connection",
        "1 lateral connection without a unit",
        "3x3 convolution of dilation 2 in 1 lateral connection",
        "1 lateral connection without BN",
        "1 lateral connection without the identity",
        "1 diagonal connection",
        "1 connection that skips columns",
    )


def test_the_same_layers_in_another_order_are_another_unit():
    def chain(unit):
        draft = Draft()
        draft.connect((0, 0), (0, 1), unit)
        spec = GridSpec(streams=1, columns="1+1", base_channels=4, classes=2)
        return draft.grid(spec, stem=(Conv(3, 4),), head=(Conv(4, 2),))

    one, other = chain((Conv(4, 8), Conv(8, 4, 1))), chain((Conv(4, 8, 1), Conv(8, 4)))
    assert relate(one, other).needs == ("another unit in 1 lateral connection",)


def test_another_concatenation_is_another_fusion():
    def joined(draft, reduced):
        draft.connect((0, 0), (0, 1), (Conv(4, 4),))
        draft.connect((0, 0), (0, 2), (Conv(4, 4),))
        draft.connect((0, 1), (0, 2), (Conv(4, 4),))
        draft.fuse((0, 2), CONCAT, (Conv(8, 4, reduced),))
        spec = GridSpec(streams=1, columns="1+2", base_channels=4, classes=2)
        return draft.grid(spec, stem=(Conv(3, 4),), head=(Conv(4, 2),))

    assert relate(joined(Draft(), 1), joined(Draft(), 3)).needs == ("another fusion at 1 map",)


@settings(max_examples=100)
@given(specs(), specs(), st.data())
def test_it_is_a_subgraph_exactly_where_nothing_is_needed(one, other, data):
    a = prune(build_grid(one), data.draw(st.sampled_from(topologies_for(one))))
    for b in (a, a.full, build_grid(other)):
        for relation in (relate(a, b), relate(b, a)):
            assert relation.subgraph == (relation.needs == ())
    assert relate(a, a.full).subgraph
    assert relate(a, a).only_in_b == ()


@settings(max_examples=50)
@given(specs(), st.randoms(use_true_random=False))
def test_what_is_kept_of_a_grid_is_a_subgraph_of_it(spec, random):
    full = build_grid(spec)
    first = {c.name for c in prune(full, "resnet")}
    kept = keep(full, lambda c: c.name in first or random.random() < 0.7)
    relation = relate(kept, full)
    assert relation.subgraph
    assert relation.common == tuple(c.name for c in kept)


def test_of_published_networks_too_a_subgraph_needs_nothing_and_nothing_else_does():
    grids = [build_grid(load_spec(name)) for name in ARCHITECTURES]
    for a in grids:
        for b in grids:
            relation = relate(a, b)
            assert relation.subgraph == (relation.needs == ()) == (a is b)
