"""The numbers of docs/counting.md are those of the code, and its picture is what its script draws.

Its blocks of Python are run by `test_docs.py`.
"""

import importlib.util
import math
import re
from pathlib import Path

import matplotlib
import pytest

from gridgen.analysis import count
from gridgen.analysis.counting import Count
from gridgen.grid import Grid, build_grid, prune
from gridgen.grid.layers import BatchNorm, Conv, Cost, Deconv
from gridgen.grid.styles import Style
from gridgen.grid.tracing import trace
from gridgen.grid.units import unit_layers
from gridgen.spec import GridSpec
from tests.oracles import closed_form

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "counting.md").read_text("utf-8")
SIZE = (400, 400)
WORDS = " ".join(PAGE.split())


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("counting", DOCS / "counting.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(heading: str) -> dict[str, list[str]]:
    """The rows below the one table whose heading begins so: cells by their first."""
    lines = PAGE.splitlines()
    [start] = [i for i, line in enumerate(lines) if line.startswith(f"| {heading}")]
    rows = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        first, *others = (cell.strip() for cell in line.strip("|").split("|"))
        rows[first] = others
    return rows


def grid_of(columns: str, topology: str = "gridnet") -> Grid:
    spec = GridSpec(streams=5, columns=columns, base_channels=16, classes=19)
    return prune(build_grid(spec), topology)


@pytest.mark.parametrize(
    ("row", "kind", "name", "ends"),
    [
        ("residual, F_i", "lateral", "residual", (1, 1)),
        ("subsampling, from F_i", "subsampling", "strided", (1, 2)),
        ("upsampling, to F_i", "upsampling", "deconv", (2, 1)),
    ],
)
def test_the_table_of_units(row, kind, name, ends):
    _, weights, biases, norms = table("unit |")[row]
    layers = unit_layers(kind, name, Style(), *ends)
    convolutions = [layer for layer in layers if isinstance(layer, Conv | Deconv)]
    found = (
        [layer.parameters - layer.channels_out for layer in convolutions],
        [layer.channels_out for layer in convolutions],
        [layer.parameters for layer in layers if isinstance(layer, BatchNorm)],
    )
    factors = "F_i^2", "F_i", "F_i"
    for cell, parts, factor in zip((weights, biases, norms), found, factors, strict=True):
        assert cell == f"{' + '.join(map(str, parts))} = {sum(parts)} {factor}"


def test_the_table_of_parts():
    rows = table("the paper's network")
    family = {"streams": 5, "base_channels": 16, "sub": 3, "up": 3}
    parts = {
        "grid": (closed_form.grid_parameters, family),
        "stem": (closed_form.stem_parameters, {"base_channels": 16, "in_channels": 3}),
        "head": (closed_form.head_parameters, {"base_channels": 16, "classes": 19}),
        "network": (closed_form.parameters, family | {"in_channels": 3, "classes": 19}),
    }
    assert set(rows) == set(parts)
    for name, (formula, given) in parts.items():
        weights = formula(**given, biases=False, norms=False)
        found = (
            weights,
            formula(**given, norms=False) - weights,
            formula(**given, biases=False) - weights,
            formula(**given),
        )
        assert rows[name] == [f"{value:,}" for value in found]


def test_the_table_of_ratios(script):
    rows = table("paper / exact")
    for what in ("parameter", "activation"):
        ratios = getattr(script, f"{what}_ratios")()
        for (columns,), found in zip(script.COLUMNS, ratios, strict=True):
            written = rows.pop(f"{what}s, {columns}+{columns} columns", None)
            assert written in (None, [f"{ratio:.3f}" for ratio in found])
    assert rows == {}


def test_the_table_of_topologies():
    rows = table("topology, F = 16")
    assert len(rows) == 10
    for row, cells in rows.items():
        topology, columns = row.split(", ")
        found, full = (count(grid_of(columns, name), SIZE) for name in (topology, "gridnet"))
        assert cells == topology_cells(found, full)


def topology_cells(found: Count, full: Count) -> list[str]:
    return [
        str(found.connections.kept),
        f"{found.parameters.total:,}",
        f"{found.parameters.total / full.parameters.total:.3f}",
        f"{found.activations.total:,}",
        f"{found.macs.total / 1e9:.2f}",
    ]


FAMILIES = [(5, 16, 3, 3), (4, 8, 1, 2), (3, 6, 2, 1), (6, 4, 2, 3)]
"""Too few columns for a staircase, so that topologies are ladders."""


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("topology", "formula"),
    [
        ("resnet", "18 F^2 L + 6 F L"),
        ("conv-deconv", "F^2 [ 18 M L + 27 (M - 1) ] + F [ 6 T L + 18 (T - 1) ]"),
        ("unet", "F^2 [ 6 (4M - 1) L + 27 (M - 1) ] + F [ 6 (2^N - 1) L + 18 (T - 1) ]"),
    ],
)
def test_the_formulas_of_topologies(topology, formula, family):
    assert f"{topology} {formula}" in WORDS
    found = count(prune(full_of(family), topology), SIDES).parameters.grid
    assert found == evaluated(formula, family)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_formulas_of_the_full_grid(family):
    counted = count(full_of(family), SIDES)
    plain = closed_form.grid_parameters(*family, biases=False, norms=False)
    biases = closed_form.grid_parameters(*family, norms=False) - plain
    ends = sum(end.activations for end in ends_of(family)), sum(end.macs for end in ends_of(family))
    for formulas, found in {
        ("18 L F^2 (4M-1)/3 + (54 s + 27 u) F^2 (M-1)/3",): plain,
        ("F^2 [ 6 L (4M - 1) + (18 s + 9 u) (M - 1) ]",): plain,
        ("F [ 2 L (2^N - 1) + (4 s + 2 u) (T - 1) ]",): biases,
        ("F [ 4 L (2^N - 1) + (6 s + 6 u) (T - 1) ]",): counted.parameters.grid - plain - biases,
        ("9 n F + 9 F^2 + 2 F + (2 n + 4 F)",): counted.parameters.stem,
        ("9 F K + 9 K^2 + 2 K + 4 K",): counted.parameters.head,
        ("A [ 6 L (2 - 1/T) + (4 s + 5 u) (2 - 2/T) ]",): counted.activations.grid,
        ("H W (n + 6 F)", "5 H W K"): ends[0],
        ("Q [ 18 N L + 13.5 (N - 1) (s + u) ]",): counted.macs.grid,
        ("9 H W F (n + F)", "9 H W K (F + K)"): ends[1],
        ("6 A (3 s + 4 u - 2)",): closed_form.paper_activations(*family[1:], *SIDES),
    }.items():
        assert sum(evaluated(formula, family) for formula in formulas) == found
        assert all(formula in WORDS for formula in formulas)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_leading_term_of_the_parameters(family):
    ours, theirs = "F^2 M [ 24 L + 18 s + 9 u ]", "18 M F^2 (7/3 s + 11/6 u - 4/3)"
    assert f"{ours} = {theirs}" in WORDS
    assert evaluated(ours, family) == pytest.approx(evaluated(theirs, family), rel=1e-12)


SIDES = (64, 96)
IN_CHANNELS, CLASSES = 3, 7


def full_of(family: tuple[int, int, int, int]) -> Grid:
    streams, base, sub, up = family
    return build_grid(
        GridSpec(
            streams=streams,
            columns=f"{sub}+{up}",
            base_channels=base,
            in_channels=IN_CHANNELS,
            classes=CLASSES,
        )
    )


def ends_of(family: tuple[int, int, int, int]) -> tuple[Cost, Cost]:
    traced = trace(full_of(family), SIDES)
    return traced.stem, traced.head


def evaluated(formula: str, family: tuple[int, int, int, int]) -> float:
    """A formula of the page, in its notation: products are spaces, powers ^, brackets as well."""
    (n, f, s, u), (h, w) = family, SIDES
    values = {"N": n, "F": f, "s": s, "u": u, "H": h, "W": w, "L": s + u - 1}
    values |= {"A": f * h * w, "Q": f * f * h * w, "M": 4 ** (n - 1), "T": 2 ** (n - 1)}
    values |= {"n": IN_CHANNELS, "K": CLASSES}
    python = formula.translate({ord("["): "(", ord("]"): ")", ord("^"): "**"})
    python = re.sub(r"(\d)([A-Z])", r"\1 \2", python).replace("( ", "(").replace(" )", ")")
    return eval(re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", python), {}, values)


def test_the_numbers_in_the_text(paper_grid):
    counted, family = count(paper_grid, SIZE), (5, 16, 3, 3)
    weights = closed_form.grid_parameters(*family, biases=False, norms=False)
    sums = sum(math.prod(shape) for x, shape in trace(paper_grid, SIZE).shapes.items() if x.column)
    wasted = 3 * sum(layer.macs(shape) for layer, shape in strided_deconvs(paper_grid))
    by_paper = closed_form.paper_parameters(*family)
    for said in (
        f"{sums:,} values in the paper's network",
        f"{counted.activations.grid:,} in the grid and {counted.activations.total:,} in all",
        f"grid {counted.macs.grid:,}, network {counted.macs.total:,}",
        f"need {wasted:,} MACs ({100 * wasted / counted.macs.total:.1f} %) more",
        f"{by_paper:,} parameters ({by_paper / counted.parameters.grid:.3f} of the grid's, "
        f"{by_paper / weights:.3f} of its weights)",
        f"{counted.activations.paper:,} activations ({counted.activations.paper_ratio:.3f})",
    ):
        assert said in WORDS


def strided_deconvs(grid: Grid) -> list[tuple[Deconv, tuple[int, int, int]]]:
    """The transposed convolutions of stride 2 and the shape that each is given."""
    shapes = trace(grid, SIZE).shapes
    return [
        (layer, shapes[connection.source])
        for connection in grid
        for layer in connection.unit
        if isinstance(layer, Deconv) and layer.stride == 2
    ]


def test_the_picture_is_what_its_script_draws(script):
    written = script.PICTURE.read_bytes()
    if f"Matplotlib v{matplotlib.__version__}".encode() not in written:
        pytest.skip("drawn by another version of matplotlib")
    assert written == script.drawn(), "run python -m docs.counting"
