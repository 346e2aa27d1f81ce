"""What is asked of a feasible set, named facts; and spaces that cannot be counted."""

import numpy as np
import pytest

from gridgen.analysis import count
from gridgen.errors import SpecError
from gridgen.grid import build_grid
from gridgen.space import Budget, Range, feasible
from gridgen.space.choices import described
from gridgen.space.spec_array import SpecArray
from gridgen.spec import GridSpec
from tests.work import calls

SHARED = {"classes": 3, "columns": "1+1"}
SPACE = {
    "streams": (2, 3),
    "base_channels": Range(low=2, high=8, step=2),
    "total_dropout": (0, 0.1),
}


def test_fields_that_cost_nothing_multiply_points_and_not_cells():
    found = feasible(SHARED, SPACE, Budget(parameters="15k"))
    assert (found.points, found.within.shape) == (16, (2, 4, 1))
    assert found.within[..., 0].tolist() == [[True, True, True, True], [True, True, False, False]]
    assert found.feasible == 12
    assert found.broken == {"parameters": 4}


def test_the_papers_network_in_a_space():
    space = {"base_channels": (15, 16, 17), "topology": (None, "gridnet", "unet")}
    shared = {"streams": 5, "columns": "3+3", "classes": 19}
    found = feasible(shared, space, Budget(parameters=13_181_097))
    assert found.counts["parameters"][1].tolist() == [13_181_097, 13_181_097, 9_647_337]
    assert found.within.tolist() == [[True] * 3, [True] * 3, [False, False, True]]


def test_the_papers_approximation_knows_no_topology():
    space = {"topology": ("gridnet", "unet"), "channels": ([16, 32], [16, 31]), "streams": (2,)}
    budget = Budget(parameters=1, bound="paper")
    found = feasible({"columns": "3+3", "classes": 19}, space, budget)
    costs, counts = found.costs["parameters"][..., 0], found.counts["parameters"][..., 0]
    assert costs[0, 0] == costs[1, 0] != counts[0, 0]
    assert costs[:, 1].tolist() == counts[:, 1].tolist()


def test_counts_wider_than_64_bits_are_exact():
    space = {"base_channels": (1, 65536)}
    shared = {"streams": 1, "columns": "1+1", "classes": 1}
    budget = Budget(macs="1TMAC", size=(65536, 65536))
    found = feasible(shared, space, budget)
    grid = build_grid(GridSpec(**shared, base_channels=65536))
    assert found.counts["macs"][1] == budget.cost(grid)["macs"] > 1 << 63
    assert found.within.tolist() == [True, False]


def test_what_makes_no_grid_is_counted_apart_with_its_reason():
    space = {"topology": ("gridnet", "unet"), "columns": (["sub", "up", "sub", "up"], "1+1")}
    found = feasible({"classes": 3, "streams": 2, "base_channels": 2}, space, Budget())
    assert found.feasible == 3
    assert found.invalid() == {
        "topology: conv-deconv, unet and frrn go down and up once; columns 1+1+1+1 are not sub "
        "columns, then up columns": 1
    }


def test_spread_goes_from_the_smallest_to_the_largest():
    found = feasible(SHARED, SPACE, Budget(parameters="15k"))
    for many in (1, 2, 4, 12, 20):
        points = found.spread(many)
        parameters = found.at("parameters", points).tolist()
        assert len(set(points)) == len(points) == min(many, 12)
        assert parameters == sorted(parameters)
    assert found.at("parameters", found.spread(2)).tolist() == [1017, 13_401]
    assert found.spread(0) == []


def test_what_a_list_of_channels_says_too_is_the_same_network():
    """Nor do channels of streams that the topology leaves out make another one."""
    shared = {"streams": 2, "columns": "1+1", "classes": 2}
    widths = {"base_channels": (None, 4), "channels": (None, [4, 8], [4, 9])}
    space = {**widths, "topology": ("gridnet", "unet", "resnet")}
    found = feasible(shared, space, Budget())
    assert (found.many(found.valid), found.networks) == (9, 3)
    one, other = (found.of_topology(name) for name in ("gridnet", "resnet"))
    assert (found.different(one), found.different(other)) == (2, 1)


FIRST = "gridnet, 2 streams, 1+1 columns, F0 = 2, total_dropout 0.0"


def test_the_nearest_breaks_its_worst_limit_least_and_every_one_it_breaks_is_named():
    found = feasible(SHARED, SPACE, Budget(parameters=500, min_receptive_field=30))
    assert str(found.nearest()) == (
        f"{FIRST}: 1,017 parameters are more than 500 (2.03 times); "
        "27 pixels of receptive field are less than 30 (1.11 times)"
    )
    far = feasible(SHARED, SPACE, Budget(min_receptive_field=100))
    assert str(far.nearest()) == (
        "gridnet, 3 streams, 1+1 columns, F0 = 2, total_dropout 0.0: 55 pixels of receptive field "
        "are less than 100 (1.82 times)"
    )
    assert feasible(SHARED, SPACE, Budget()).nearest() is None


def test_a_limit_that_nothing_was_looked_at_for_is_named_too():
    workload = {"size": (512, 512), "batch": 8}
    limits = {"training_memory": "1MB", "inference_memory": "2MB"}
    found = feasible(SHARED, SPACE, Budget(**limits, **workload))
    assert found.cell_costs["inference_memory"] == {}
    nearest = found.nearest()
    assert nearest.words == FIRST
    assert [verdict.quantity for verdict in nearest.broken] == [*limits]


def test_memory_is_told_where_it_is_limited_alone():
    budget = Budget(parameters="15k", training_memory="1GB", size=(32, 32))
    found = feasible(SHARED, SPACE, budget)
    grid = build_grid(found.spec(0))
    assert found.memory(0) == {"training_memory": budget.cost(grid)["training_memory"]}
    assert feasible(SHARED, SPACE, Budget(parameters="15k")).memory(0) == {}


def test_lists_are_choices_too():
    found = feasible(SHARED, {"streams": [2, 3], "base_channels": [2]}, Budget())
    assert found.points == found.feasible == 2


def test_a_size_policy_that_varies_costs_what_it_makes_of_the_image():
    space = {"size": ("error", "pad", "crop", "resize"), "base_channels": (2, 4)}
    shared = {"streams": 3, "columns": "1+1", "classes": 2}
    found = feasible(shared, space, Budget(macs=1, size=(33, 30)))
    assert found.counts["macs"][:, 0].tolist() == [
        count(build_grid(GridSpec(**shared, base_channels=2)), size).macs.total
        for size in ((36, 32), (36, 32), (32, 28), (32, 32))
    ]


def test_what_no_shape_says_tells_candidates_apart():
    space = {
        "units.upsampling": ("deconv", "bilinear"),
        "topology": ("unet", {"keep": ["lateral_*"]}),
        "base_channels": (2, 4),
        "in_channels": (3,),
        "total_dropout": Range(low=0.0, high=0.2),
    }
    spec = GridSpec(streams=1, columns="1+1", base_channels=2, classes=2, topology="unet")
    assert described(spec, space) == (
        "unet, 1 stream, 1+1 columns, F0 = 2, units.upsampling deconv, total_dropout 0.0"
    )
    custom = spec.but(topology={"keep": ["lateral_*"]}, units={"upsampling": "bilinear"})
    assert described(custom, space) == (
        "custom, 1 stream, 1+1 columns, F0 = 2, units.upsampling bilinear, "
        'topology {"keep": ["lateral_*"]}, total_dropout 0.0'
    )


def test_custom_topologies_are_told_apart():
    customs = [{"keep": ["lateral_*"]}, {"drop": ["lateral_0_1"]}]
    space = {"topology": ("unet", *customs), "base_channels": (2, 4)}
    found = feasible({"classes": 2, "streams": 1, "columns": "2+2"}, space, Budget())
    assert found.names() == ["custom 1", "custom 2", "unet"]
    for place, name in ((1, "custom 1"), (2, "custom 2"), (0, "unet")):
        assert set(np.argwhere(found.of_topology(name))[:, 0]) <= {place}


def test_a_topology_has_its_cells():
    space = {"topology": ("unet", None, {"keep": ["lateral_*"]}), "base_channels": (2, 4)}
    found = feasible({"classes": 2, "streams": 1, "columns": "2+2"}, space, Budget())
    assert found.names() == ["custom", "gridnet", "unet"]
    assert [np.argwhere(found.of_topology(name))[:, 0].tolist() for name in found.names()] == [
        [2, 2],
        [1, 1],
        [0, 0],
    ]


@pytest.mark.parametrize(
    ("space", "fact", "field"),
    [
        (
            {"total_dropout": Range(low=0.0, high=0.5)},
            "numbers from 0.0 to 0.5 without steps cannot be counted; give step, or a list of "
            "values",
            ("space", "total_dropout"),
        ),
        (
            {
                "base_channels": Range(low=1, high=8192),
                "classes": Range(low=1, high=4096, log=True),
            },
            "33,554,432 specs, of which 20,000,000 at most are counted; give fewer values, or a "
            "larger step",
            ("space",),
        ),
    ],
)
def test_a_space_that_cannot_be_counted_is_refused(space, fact, field):
    with pytest.raises(SpecError) as caught:
        feasible({}, space, Budget())
    assert (str(caught.value), caught.value.field) == (fact, field)


@pytest.mark.parametrize(
    ("spec", "space", "fact"),
    [
        ({}, {"units.lateral": ("residul",)}, "units.lateral: unknown lateral unit 'residul'"),
        ({"stem": "cnv"}, {"streams": (2,)}, "stem: unknown stem 'cnv'"),
        ({}, {"strems": (2, 3)}, "unknown spec field 'strems'"),
        ({}, {"units": ({},), "units.lateral": ("residual",)}, "units varies as a whole already"),
        ({"classes": 0}, {"streams": (2, 3)}, "classes: 0 is less than 1"),
        ({}, {"norm": ("batch", "bach")}, "norm: unknown norm 'bach'"),
        ({}, {"size": ("pad", "padd")}, "size: 'padd' is not one of"),
        ({}, {"total_dropout": (0, 1.5)}, "total_dropout: 1.5 is not less than 1"),
        ({}, {"base_channels": ("low", "high")}, "base_channels: 'low' is not a whole number"),
        ({"strems": 3}, {"base_channels": (2, 4)}, "unknown spec field 'strems'"),
        ({}, {"in_channels": (3, "x")}, "in_channels: 'x' is not a whole number"),
    ],
)
def test_what_fits_no_spec_is_an_error_and_not_a_point_without_a_grid(spec, space, fact):
    shared = {"streams": 2, "columns": "1+1", "base_channels": 2, "classes": 2, **spec}
    with pytest.raises(SpecError) as caught:
        feasible({name: v for name, v in shared.items() if name not in space}, space, Budget())
    assert fact in str(caught.value)


def test_a_field_that_is_missing_is_an_error_and_not_a_space_without_grids():
    with pytest.raises(SpecError) as caught:
        feasible({"classes": 2, "columns": "1+1"}, {"base_channels": (2, 4)}, Budget())
    assert str(caught.value) == "spec: streams: this field is missing; add it"


def test_a_point_that_is_no_spec_is_cheap():
    """Whether fields fit one another is arithmetic, not a spec that is made and refused."""

    def refused(many):
        sides = tuple([width] * 2 for width in range(1, many + 1))
        space = {"streams": (2, 4, 5, 6), "side_channels": sides, "fusion": ("sum", "concat")}
        shared = {"classes": 2, "columns": "1+1", "base_channels": 4}
        assert feasible(shared, space, Budget()).feasible == 0

    refused(1)
    assert (calls(lambda: refused(60)) - calls(lambda: refused(10))) / (8 * 50) < 40


def test_why_a_point_is_no_spec_is_said_as_its_spec_says_it():
    space = {
        "streams": (0, 2),
        "base_channels": (None, 4),
        "channels": (None, [], [3], [2, 3], [1] * 20, ["x"]),
        "side_channels": (None, [2], [2] * 20, [0]),
        "columns": ("1+1", ["up"], "x"),
        "fusion": ("sum", "concat"),
    }
    found = feasible({"classes": 2}, space, Budget())
    reasons = np.broadcast_to(found.reasons, found.specs.shape)
    for index in np.ndindex(*found.specs.shape):
        if reasons[index]:
            with pytest.raises(SpecError) as caught:
                build_grid(found.specs.spec_at(index))
            assert str(caught.value).splitlines()[0] == reasons[index]
        else:
            assert build_grid(found.specs.spec_at(index))


def test_a_table_is_long_along_the_fields_it_depends_on_alone():
    space = {"units.lateral": ("residual", "bottleneck"), "units.upsampling": ("deconv",) * 2}
    specs = SpecArray({}, {**space, "residual": ({"lateral": True}, {"vertical": True})})
    assert specs.shape == (2, 1, 2)
    assert specs.reads("units.lateral").shape == (2, 1, 1)
    assert specs.reads("residual.vertical").ravel().tolist() == [False, True]


def test_every_point_has_a_spec():
    found = feasible(SHARED, SPACE, Budget())
    specs = [found.spec(point) for point in range(found.points)]
    assert len({spec.model_dump_json() for spec in specs}) == 16
    assert [spec.total_dropout for spec in specs] == [0.0, 0.1] * 8
    parameters = found.at("parameters", range(16)).tolist()
    for spec, counted in zip(specs, parameters, strict=True):
        assert Budget(parameters=1).cost(build_grid(spec)) == {"parameters": counted}


def test_ranges_of_very_many_steps_have_their_exact_number():
    assert Range(low=0.0, high=0.5, step=1e-30).size == 5 * 10**29 + 1
    assert Range(low=1, high=10**400).size == 10**400
    assert Range(low=1e-4, high=1e25, step=1e-4).size == 10**29
    with pytest.raises(SpecError, match=r"do not reach high 0\.5; the last is 0\.4"):
        Range(low=0, high=0.5, step=0.2)
    with pytest.raises(SpecError, match="of which 20,000,000 at most are counted"):
        feasible(SHARED, {"total_dropout": Range(low=0.0, high=0.5, step=1e-30)}, Budget())
