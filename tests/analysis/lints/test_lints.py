"""What holds of all lints, over the registry and over random cases, and of published networks."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.analysis import count
from gridgen.analysis.lints import LINTS, Case, Finding, Fix, lint_case
from gridgen.analysis.lints.layers import placed_layers
from gridgen.analysis.sizes import counted_size
from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.errors import SizeError, TopologyError, UsageError
from gridgen.grid import Draft, Grid, build_grid, prune
from gridgen.grid.layers import BatchNorm, Conv, Deconv
from gridgen.spec import CustomTopology, DraftSpec, GridSpec
from gridgen.testing import check_lint

ROOT = Path(__file__).parents[3]
SHIPPED = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "specs").rglob("*.yaml"))


def case(size=None, batch=4, **fields) -> Case:
    """A small grid free of findings, but for what `fields`, `size` and `batch` bring."""
    plain = {"streams": 3, "columns": "1+1", "base_channels": 2, "classes": 2}
    clean = {"units": {"upsampling": "bilinear"}, "size": "pad"}
    return Case(build_grid(GridSpec(**plain | clean | fields)), size or (64, 64), batch)


def cropped(size) -> Case:
    return Case(build_grid(case().grid.spec.but(size="crop")), size)


FIRING = {
    "checkerboard": lambda: case(units={}),
    "few-values": lambda: case(size=(4, 4)),
    "small-field": lambda: case(size=(512, 512)),
    "dead-ends": lambda: case(columns=["up", "sub", "up"]),
    "lost-stream": lambda: case(topology={"drop": ["*_2_*"]}),
    "cut-signal": lambda: case(
        total_dropout=0.1, residual={"lateral": False}, topology="conv-deconv"
    ),
    "padding": lambda: case(size=(33, 33)),
    "cropping": lambda: cropped((35, 35)),
}
SILENT = {
    "checkerboard": lambda: case(units={"upsampling": "separable"}),
    "few-values": lambda: case(size=(8, 8)),
    "small-field": lambda: case(size=(128, 128)),
    "dead-ends": lambda: case(columns=["sub", "up", "sub", "up"]),
    "lost-stream": lambda: case(topology="resnet"),
    "cut-signal": lambda: case(total_dropout=0.1, topology="conv-deconv"),
    "padding": lambda: case(size=(61, 64)),
    "cropping": lambda: cropped((64, 67)),
}


@pytest.mark.parametrize("name", LINTS)
def test_every_lint_holds_its_contract(name):
    check_lint(LINTS[name], fires=FIRING[name](), silent=SILENT[name]())


def test_the_plain_case_is_free_of_findings():
    assert lint_case(case()) == ()


def is_gone(finding: Finding, before: Case) -> bool:
    """Whether the lint is silent after the fix."""
    return finding.lint not in {other.lint for other in lint_case(before.mended(finding.fix))}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Random grids, pruned by name, by lists, or not; any size that they take, and any batch."""
    spec = draw(specs()).but(size=draw(st.sampled_from(["error", "pad", "crop", "resize"])))
    grid = build_grid(spec)
    names = sorted(connection.name for connection in grid)
    lists = st.builds(
        lambda field, kept: {field: sorted(kept)},
        st.sampled_from(["keep", "drop"]),
        st.sets(st.sampled_from([*names, "lateral_0_*", "sub_*", "up_[01]_*"]), min_size=1),
    )
    topology = draw(st.none() | st.sampled_from(topologies_for(spec)) | lists)
    try:
        grid = build_grid(spec.but(topology=topology))
    except TopologyError:
        assume(False)
    side = st.integers(1, 40) | st.integers(1, 300)
    some = Case(grid, draw(st.none() | st.tuples(side, side)), draw(st.integers(1, 20)))
    try:
        assert some.image
    except SizeError:
        assume(False)
    return some


@pytest.mark.parametrize("name", LINTS)
def test_the_fix_of_each_lint_removes_it_from_all_that_is_found(name):
    some = FIRING[name]()
    for finding in LINTS[name](some):
        assert is_gone(finding, some)


@given(cases())
@settings(max_examples=150)
def test_the_fix_of_a_finding_removes_it(some):
    for finding in lint_case(some):
        assert finding.fix.flags or finding.lint == "small-field", finding
        assert not finding.fix.flags or is_gone(finding, some), finding


@given(cases())
@settings(max_examples=50)
def test_the_same_findings_are_never_told_twice(some):
    found = lint_case(some)
    told = [(finding.lint, finding.fact, finding.fix.words) for finding in found]
    assert len(told) == len(set(told))
    assert all(len(finding.places) == len(set(finding.places)) for finding in found)


@given(cases())
@settings(max_examples=25)
def test_findings_are_plain_json(some):
    found = [finding.as_json() for finding in lint_case(some)]
    assert json.loads(json.dumps(found)) == found


def grids() -> dict[str, Grid]:
    return {name: build_grid(load_spec(name)) for name in ARCHITECTURES} | {
        name: build_grid(load_spec(ROOT / name)) for name in SHIPPED
    }


GRIDS = grids()


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("batch", [1, 4])
def test_published_and_shipped_networks_are_linted_and_mended(name, scale, batch):
    grid = GRIDS[name]
    height, width = counted_size(grid.spec, None)
    for size in (None, (grid.spec.least, grid.spec.least), (scale * height, 2 * scale * width)):
        some = Case(grid, size, batch)
        for finding in lint_case(some):
            assert not finding.fix.flags or is_gone(finding, some), finding


KNOWN = {
    "preact-resnet": {"small-field"},
    "neural-fabric": {"checkerboard"},
    "pspnet": {"few-values"},
    "specs/custom.yaml": {"checkerboard", "small-field"},
    "specs/restoration-small.yaml": {"small-field"},
    "specs/gridnet.yaml": {"checkerboard"},
    "specs/nuclei.yaml": {"checkerboard"},
    "specs/camvid-small.yaml": {"checkerboard"},
    **{name: {"checkerboard"} for name in SHIPPED if "table1" in name},
}


@pytest.mark.parametrize("name", GRIDS)
def test_what_is_known_of_published_and_shipped_networks_is_all_that_is_found(name):
    found = {finding.lint for finding in lint_case(Case(GRIDS[name]))}
    assert found == KNOWN.get(name, set())


def test_the_paper_network_has_a_checkerboard_in_every_upsampling_unit(paper_grid):
    [finding] = lint_case(Case(paper_grid, size=(400, 400)))
    ups = {connection.name for connection in paper_grid if connection.kind == "upsampling"}
    assert (finding.lint, set(finding.places)) == ("checkerboard", ups)
    assert finding.fix.flags == ("--set", "units.upsampling=bilinear")


@given(specs(), st.data())
@settings(max_examples=50)
def test_every_layer_has_its_place(spec, data):
    topology = data.draw(st.sampled_from(topologies_for(spec)))
    require_all_layers(prune(build_grid(spec), topology))


@pytest.mark.parametrize("name", GRIDS)
def test_every_layer_of_a_published_network_has_its_place(name):
    require_all_layers(GRIDS[name])


def require_all_layers(grid: Grid) -> None:
    size = counted_size(grid.spec, None)
    counted = count(grid, size)
    placed = list(placed_layers(grid, size))
    weights = sum(grid.fusion_of(x).weights(len(grid.into(x))) for x in grid.maps)
    sides = sum(x.layer.parameters for x in placed if x.place.startswith("sides."))
    parameters = sum(x.layer.parameters for x in placed)
    assert parameters + weights == counted.parameters.total
    assert sides == sum(layer.parameters for side in grid.sides for layer in side.layers)
    assert sum(x.layer.macs(x.shape) for x in placed) == counted.macs.total


def test_a_grid_filled_by_hand_is_linted_and_pruned_again():
    draft = Draft()
    draft.connect((0, 0), (1, 0), (Conv(2, 2, stride=2), BatchNorm(2)))
    draft.connect((1, 0), (0, 1), (Deconv(2, 2, stride=2),))
    draft.connect((0, 0), (0, 1))
    grid = draft.grid(DraftSpec(classes=2, step=2), stem=(Conv(3, 2),), head=(Conv(2, 2),))
    found = lint_case(Case(grid, (400, 400)))
    assert [finding.lint for finding in found] == ["checkerboard", "small-field"]
    cut = Case(prune(grid, CustomTopology(drop=("up_0_1*",))), (2, 2))
    found = {finding.lint: finding for finding in lint_case(cut)}
    assert set(found) == {"dead-ends", "lost-stream"}
    assert all(is_gone(finding, cut) for finding in found.values())


def test_a_batch_has_an_image():
    with pytest.raises(UsageError) as caught:
        Case(build_grid(case().grid.spec), batch=0)
    assert str(caught.value) == "batch is 0; give 1 image at least"


def test_a_size_that_the_network_cannot_take_is_refused():
    spec = case().grid.spec.but(size="error")
    with pytest.raises(SizeError) as caught:
        lint_case(Case(build_grid(spec), size=(10, 8)))
    assert str(caught.value) == (
        "Image is 10x8; 3 streams need multiples of 4. Pad to 12x8, crop to 8x8, or set size: pad."
    )


def test_a_case_without_a_change_is_mended_to_itself(paper_grid):
    some = Case(paper_grid, (400, 400), 2)
    assert some.mended(Fix("nothing")) == some
