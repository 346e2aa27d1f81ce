import pytest
import torch
from torch.nn.functional import conv_transpose2d

from gridgen.analysis import count
from gridgen.analysis.lints import Case, lint_case
from gridgen.analysis.lints.layers import checkerboard
from gridgen.emit import GridNetwork
from gridgen.grid import UNITS, Draft, build_grid
from gridgen.grid.layers import Conv, Deconv, MaxPool, Residual
from gridgen.grid.styles import Style
from gridgen.spec import DraftSpec


def grid_with(layer: Deconv, wrap=lambda layer: layer):
    draft = Draft()
    draft.connect((0, 0), (1, 0), (MaxPool(layer.stride, layer.stride),))
    draft.connect((1, 0), (0, 1), (wrap(layer),))
    return draft.grid(
        DraftSpec(classes=1, step=layer.stride), stem=(Conv(3, 1),), head=(Conv(1, 1),)
    )


def reached(layer: Deconv) -> list[int]:
    """How many weights reach an output, of all outputs far from the border."""
    ones = torch.ones(1, 1, 12, 12)
    weight = torch.ones(1, 1, layer.kernel, layer.kernel)
    out = conv_transpose2d(ones, weight, None, layer.stride, layer.padding, layer.output_padding)
    far = 4 * layer.stride
    return sorted(set(out[0, 0, far:-far, far:-far].flatten().int().tolist()))


KERNELS = {1: (1, 3, 5, 7), 2: range(1, 9), 3: range(2, 9), 4: range(3, 9)}


@pytest.mark.parametrize(
    ("stride", "kernel"), [(stride, kernel) for stride, some in KERNELS.items() for kernel in some]
)
def test_it_counts_the_weights_that_torch_brings_to_an_output(kernel, stride):
    layer = Deconv(1, 1, stride, kernel)
    found = list(checkerboard(Case(grid_with(layer), (24, 24))))
    weights = reached(layer)
    if len(weights) == 1:
        assert found == []
        return
    *some, last = map(str, weights)
    [finding] = found
    assert finding.places == ("up_0_1_from_1_0",)
    assert finding.fact == (
        f"a {kernel}x{kernel} transposed convolution of stride {stride} reaches outputs with "
        f"{', '.join(some)} or {last} weights"
    )


def test_it_looks_into_residual_blocks():
    grid = grid_with(Deconv(1, 1, 1), lambda layer: Residual((layer,)))
    assert list(checkerboard(Case(grid, (24, 24)))) == []
    inside = Residual((Conv(1, 1),), (Conv(1, 1, kernel=1),))
    blocks = Residual((Deconv(1, 1, 2), inside), (Deconv(1, 1, 2, kernel=2),))
    grid = grid_with(Deconv(1, 1, 2), lambda _: blocks)
    [finding] = checkerboard(Case(grid, (24, 24)))
    assert finding.places == ("up_0_1_from_1_0",)


def test_what_no_setting_changes_is_said_in_words():
    [finding] = lint_case(Case(grid_with(Deconv(1, 1, 2)), (24, 24)))
    assert finding.fix.flags == ()
    assert finding.fix.words == ("interpolate, then convolve; no setting of draft does it")


@pytest.mark.parametrize("name", ["bilinear", "separable"])
def test_the_other_upsampling_units_are_free_of_it(name, paper_spec):
    grid = build_grid(paper_spec.but(units={"upsampling": name}))
    assert list(checkerboard(Case(grid))) == []


def pattern(unit: str) -> float:
    """The share of a fresh unit's variance that is in the means of the four places of 2x2."""
    draft = Draft()
    draft.connect((0, 0), (1, 0), (MaxPool(), Conv(3, 16, kernel=1)))
    draft.connect((1, 0), (0, 1), UNITS["upsampling"][unit](Style(), 16, 8))
    grid = draft.grid(DraftSpec(classes=8, step=2), stem=(Conv(3, 3),), head=())
    torch.manual_seed(0)
    with torch.no_grad():
        out = GridNetwork(grid).train()(torch.rand(4, 3, 64, 64))[:, :, 8:-8, 8:-8]
    places = [out[:, :, i::2, j::2].mean((0, 2, 3)) for i in (0, 1) for j in (0, 1)]
    return float((torch.stack(places).var(0) / out.var((0, 2, 3))).mean())


def test_the_fix_takes_the_pattern_from_a_fresh_unit():
    assert pattern("deconv") > 0.1
    assert pattern("bilinear") < 0.01


def test_the_fix_of_the_paper_network_costs_no_parameters(paper_grid):
    some = Case(paper_grid, (400, 400))
    [finding] = checkerboard_of(some)
    mended = some.mended(finding.fix).grid
    before, after = count(paper_grid, some.size), count(mended, some.size)
    assert after.parameters.total == before.parameters.total == 13_181_097
    assert (before.macs.total, after.macs.total) == (33_098_400_000, 39_733_920_000)


def checkerboard_of(some: Case):
    return [finding for finding in lint_case(some) if finding.lint == "checkerboard"]
