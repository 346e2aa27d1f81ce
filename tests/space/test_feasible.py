"""The feasible set, against grids that are built one by one."""

from itertools import pairwise, product

import numpy as np
from hypothesis import given, settings, strategies as st

from gridgen.analysis import count
from gridgen.errors import SpecError
from gridgen.grid import FUSIONS, TOPOLOGIES, UNITS, build_grid
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.styles import ACTIVATIONS, NORMS
from gridgen.space import Budget, Range, feasible
from gridgen.space.choices import members
from gridgen.space.networks import network_numbers
from gridgen.space.quantities import QUANTITIES
from gridgen.space.structure_counts import WHOLE_IMAGE
from gridgen.spec import CustomTopology, GridSpec
from gridgen.spec.gridspec import Units
from gridgen.spec.network import merged
from gridgen.text import LEAST_MEMORY

CHANNELS = st.integers(1, 9)
COLUMNS = ["1+1", "2+1", "1+3", "2+2", ["up", "sub"], ["sub", "up", "sub", "up"], ["up"]]
TOPOLOGY = [*sorted(TOPOLOGIES), None, {"drop": ["up_0_1"]}, {"keep": ["lateral_*", "sub_*"]}]
FIELDS = {
    "streams": st.integers(1, 4),
    "columns": st.sampled_from(COLUMNS),
    "topology": st.sampled_from(TOPOLOGY),
    "base_channels": st.sampled_from([*range(1, 10), 65536]),
    "channels": st.sampled_from([None, [3], [2, 5], [4, 2, 3]]),
    "side_channels": st.sampled_from([None, [], [3], [2, 4]]),
    "classes": CHANNELS,
    "in_channels": CHANNELS,
    "units.lateral": st.sampled_from(sorted(UNITS["lateral"])),
    "units.subsampling": st.sampled_from(sorted(UNITS["subsampling"])),
    "units.upsampling": st.sampled_from(sorted(UNITS["upsampling"])),
    "fusion": st.sampled_from(sorted(FUSIONS)),
    "residual": st.fixed_dictionaries({"lateral": st.booleans(), "vertical": st.booleans()}),
    "norm": st.sampled_from(sorted(NORMS)),
    "activation": st.sampled_from(sorted(ACTIVATIONS)),
    "stem": st.sampled_from(sorted(STEMS)),
    "head": st.sampled_from(sorted(HEADS)),
    "total_dropout": st.sampled_from([0, 0.1, 0.2]),
    "size": st.sampled_from(["error", "pad", "crop", "resize"]),
}
OLDER = {
    "units.lateral": st.sampled_from(["residual", "residual-prelu"]),
    "stem": st.sampled_from(["residual", "prelu", "strided"]),
    "head": st.sampled_from(["residual", "prelu"]),
    "norm": st.sampled_from(["none", "group", "instance"]),
    "activation": st.sampled_from(["relu", "prelu"]),
}
"""Names of older files, and what they stand for."""
MORE = FIELDS | OLDER | {"dimensions": st.sampled_from([1, 2, 3])}
RARE = ("channels", "side_channels")
"""Fields that make most specs impossible where all share them."""
LOOSE = {q.field: 1 if q.least else (1 << 63) - 1 for q in QUANTITIES.values() if q.over}
"""A limit on every quantity that has a table."""
ALL = LOOSE | {q.field: (1 << 63) - 1 for q in QUANTITIES.values() if not q.over}


def test_every_field_of_a_spec_varies_in_these_tests():
    """A new one has to be told apart by `networks`, and counted by `part_costs`."""
    assert {name.split(".")[0] for name in MORE} == set(GridSpec.model_fields)


def distinct(values):
    return st.lists(values, min_size=1, max_size=3, unique_by=str).map(tuple)


@st.composite
def spaces(draw, fields=FIELDS):
    """What all share, and up to five fields that vary; every point may be a spec or none."""
    varied = draw(st.sets(st.sampled_from(sorted(fields)), min_size=2, max_size=5))
    shared = {"streams": 2, "columns": "1+1", "base_channels": 2, "classes": 2}
    varied -= {"channels"} if draw(st.integers(0, 3)) else {"base_channels"}
    for name in sorted(fields.keys() - varied):
        if name not in RARE and "." not in name and draw(st.booleans()):
            shared[name] = draw(fields[name])
    space = {name: draw(distinct(fields[name])) for name in sorted(varied)}
    if "base_channels" in varied and draw(st.booleans()):
        space["base_channels"] = Range(low=2, high=6, step=draw(st.sampled_from([1, 2])))
    if "channels" in space:
        shared["base_channels"] = None
    return {name: value for name, value in shared.items() if name not in space}, space


def every_point(space):
    """The points in the order of the arrays."""
    for values in product(*map(members, space.values())):
        yield dict(zip(space, values, strict=True))


def built(spec, params):
    """The grid of a point, or why there is none."""
    try:
        return build_grid(GridSpec(**merged(spec, params)))
    except SpecError as error:
        return str(error).splitlines()[0]


def everywhere(found, table):
    return np.broadcast_to(table, found.specs.shape).ravel().tolist()


@settings(deadline=None, max_examples=60)
@given(spaces(), st.sampled_from(["exact", "paper"]))
def test_every_point_costs_what_its_grid_costs(drawn, bound):
    """Every unit, fusion, end, topology and lattice; what makes no grid says why as it does."""
    spec, space = drawn
    budget = Budget(**LOOSE, size=(20, 30), bound=bound, batch=2)
    found = feasible(spec, space, budget)
    reasons = everywhere(found, found.reasons)
    costs = {name: everywhere(found, table) for name, table in found.costs.items()}
    counts = {name: everywhere(found, table) for name, table in found.counts.items()}
    for index, params in enumerate(every_point(space)):
        grid = built(spec, params)
        if isinstance(grid, str):
            assert reasons[index] == grid
            continue
        assert reasons[index] == ""
        assert {name: cost[index] for name, cost in costs.items()} == budget.cost(grid), params
        counted = count(grid, budget.image(grid.spec))
        exact = {name: getattr(counted, name).total for name in counts}
        assert {name: table[index] for name, table in counts.items()} == exact


@settings(deadline=None, max_examples=30)
@given(spaces(), st.data())
def test_feasible_are_the_points_whose_grids_meet_the_budget(drawn, data):
    """Each limit is what some point costs, so the limit itself is allowed."""
    spec, space = drawn
    workload = {"size": (20, 30), "batch": 64}
    grids = [built(spec, params) for params in every_point(space)]
    valid = [grid for grid in grids if not isinstance(grid, str)]
    costs = [Budget(**ALL, **workload).cost(grid) for grid in valid] or [{}]
    pivot = data.draw(st.sampled_from(costs))
    chosen = data.draw(st.sets(st.sampled_from(sorted(QUANTITIES)), max_size=3))
    least = {name: LEAST_MEMORY if name.endswith("memory") else 1 for name in QUANTITIES}
    known = chosen & {name for name, cost in pivot.items() if cost != WHOLE_IMAGE}
    limits = {QUANTITIES[name].field: max(pivot[name], least[name]) for name in known}
    budget = Budget(**limits, **workload)
    found = feasible(spec, space, budget)
    kept = everywhere(found, found.within)
    assert kept == [
        not isinstance(grid, str) and all(verdict.within for verdict in budget.verdict(grid))
        for grid in grids
    ]
    assert (found.points, found.feasible) == (len(grids), sum(kept))
    assert sum(found.invalid().values()) == len(grids) - len(valid)
    for limit in budget.limits():
        if QUANTITIES[limit.quantity].over:
            over = [not limit.met(budget.cost(grid)[limit.quantity]) for grid in valid]
            assert found.broken[limit.quantity] == sum(over)


@settings(deadline=None, max_examples=150)
@given(spaces(MORE), st.data())
def test_points_are_one_network_where_their_grids_are(drawn, data):
    spec, space = drawn
    found = feasible(spec, space, Budget())
    grids = [built(spec, params) for params in every_point(space)]
    numbers = everywhere(found, network_numbers(found.tables))
    known = {
        (grid.fingerprint, number)
        for grid, number in zip(grids, numbers, strict=True)
        if not isinstance(grid, str)
    }
    assert len({print_ for print_, _ in known}) == len({number for _, number in known})
    assert len(known) == len({number for _, number in known}) == found.networks
    # Of points that are one network, a budget allows all or none.
    parameters = [count(g).parameters.total for g in grids if not isinstance(g, str)] or [1]
    few = feasible(spec, space, Budget(parameters=data.draw(st.sampled_from(parameters))))
    assert few.networks == len(
        {
            grid.fingerprint
            for grid, kept in zip(grids, everywhere(few, few.within), strict=True)
            if kept
        }
    )
    listed = few.spread(few.points)
    assert len(listed) == few.feasible
    changes = [not few.same_network(*pair) for pair in pairwise(listed)]
    assert sum(changes) + bool(listed) == few.networks


def test_the_least_legal_side_of_a_normalization_by_image_is_heeded():
    """A crop of 20x30 fits four streams after a strided stem with BN; groups need sides of 32."""
    shared = {"columns": "1+1", "base_channels": 2, "classes": 2, "size": "crop", "stem": "strided"}
    space = {"norm": ("batch", "group"), "streams": (3, 4)}
    budget = Budget(macs=(1 << 63) - 1, size=(20, 30))
    found = feasible(shared, space, budget)
    costs = [budget.cost(build_grid(found.specs.spec_at(at)))["macs"] for at in np.ndindex(2, 2)]
    assert everywhere(found, found.costs["macs"]) == costs


def test_numbers_of_numpy_and_documents_are_choices_as_those_of_python_are():
    shared = {"streams": np.int64(2), "columns": "1+1", "classes": 3}
    keep, units = CustomTopology(keep=["lateral_*"]), Units(lateral="bottleneck")
    space = {
        "channels": np.array([[4, 8], [6, 6]]),
        "total_dropout": [np.float32(0.5), 0.25],
        "in_channels": {"low": np.int32(1), "high": np.int64(3)},
        "topology": [keep, "gridnet"],
        "units": [units],
    }
    plain = {
        "channels": [[4, 8], [6, 6]],
        "total_dropout": [0.5, 0.25],
        "in_channels": {"low": 1, "high": 3},
        "topology": [keep.plain(), "gridnet"],
        "units": [units.plain()],
    }
    found, wanted = feasible(shared, space), feasible({**shared, "streams": 2}, plain)
    assert found.points == wanted.points == 24
    assert [found.spec(point) for point in range(24)] == [wanted.spec(p) for p in range(24)]
    assert (found.within == wanted.within).all()
