from math import prod

import pytest
from hypothesis import given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.analysis import count, count_paths, legal_size
from gridgen.errors import SizeError
from gridgen.grid import TOPOLOGIES, build_grid, prune
from gridgen.grid.layers import BatchNorm, Conv, Deconv, Residual
from gridgen.spec import GridSpec


def paper_family(streams=5, columns="3+3", base_channels=16, **fields) -> GridSpec:
    fields = {"classes": 19} | fields
    return GridSpec(streams=streams, columns=columns, base_channels=base_channels, **fields)


def all_layers(grid):
    units = [layer for connection in grid for layer in connection.unit]
    return [*grid.stem, *units, *grid.head]


def weights(layers) -> int:
    return sum(
        layer.parameters - layer.channels_out
        for layer in layers
        if isinstance(layer, Conv | Deconv)
    )


def test_the_papers_network_has_13_181_097_parameters(paper_grid):
    parameters = count(paper_grid, (400, 400)).parameters
    assert parameters.total == 13_181_097
    assert parameters.grid == 13_172_160
    assert parameters.stem == 9 * 3 * 16 + 9 * 16**2 + 6 * 16 + 2 * 3
    assert parameters.head == 9 * 16 * 19 + 9 * 19**2 + 6 * 19
    assert parameters.total == parameters.stem + parameters.grid + parameters.head


def test_the_papers_network_by_kind_of_parameter(paper_grid):
    units = [layer for connection in paper_grid for layer in connection.unit]
    assert weights(units) == 13_144_320
    layers = all_layers(paper_grid)
    biases = sum(layer.channels_out for layer in layers if isinstance(layer, Conv | Deconv))
    norms = sum(2 * layer.channels for layer in layers if isinstance(layer, BatchNorm))
    assert weights(layers) + norms == 13_171_747
    assert weights(layers) + norms + biases == 13_181_097


def test_the_papers_approximation_is_three_quarters_of_the_truth(paper_grid):
    parameters = count(paper_grid).parameters
    assert parameters.paper == 10_027_008
    assert round(parameters.paper / parameters.total, 3) == 0.761
    assert round(parameters.paper / 13_144_320, 3) == 0.763
    assert parameters.paper_ratio == parameters.paper / parameters.grid


def test_a_budget_of_ten_million_by_the_paper_admits_14_8_million():
    found = count(build_grid(paper_family(columns="2+5"))).parameters
    assert (found.paper, found.total) == (9_437_184, 14_756_841)


@pytest.mark.parametrize(
    ("columns", "topology", "total"),
    [
        ("4+4", "conv-deconv", 3_733_833),
        ("4+4", "unet", 4_377_897),
        ("4+4", "frrn", 4_329_801),
        ("4+4", "gridnet", 18_096_585),
        ("3+3", "conv-deconv", 7_681_737),
        ("3+3", "unet", 9_647_337),
        ("3+3", "gridnet", 13_181_097),
        ("1+1", "gridnet", 3_350_121),
        ("2+2", "gridnet", 8_265_609),
    ],
)
def test_parameters_at_five_streams(columns, topology, total):
    grid = build_grid(paper_family(columns=columns, topology=topology))
    assert count(grid).parameters.total == total


def test_macs_of_the_papers_network_at_400(paper_grid):
    macs = count(paper_grid, (400, 400)).macs
    assert macs.grid == 16**2 * 400 * 400 * (18 * 5 * 5 + 27 * 4 * 6 // 2) == 31_703_040_000
    ends = 9 * (3 * 16 + 16 * 16 + 16 * 19 + 19 * 19) * 400 * 400
    assert macs.total - macs.grid == ends == 1_395_360_000


def test_activations_of_the_papers_network_at_400(paper_grid):
    activations = count(paper_grid, (400, 400)).activations
    assert activations.grid == 278_400_000
    assert activations.total == 309_440_000
    assert activations.paper == 291_840_000
    assert activations.paper_ratio == 291_840_000 / 278_400_000


PARAMETER_RATIOS = {
    1: (1.469, 1.633, 1.665, 1.679, 1.692),
    2: (0.623, 0.823, 0.872, 0.894, 0.915),
    3: (0.548, 0.735, 0.783, 0.804, 0.824),
    5: (0.530, 0.714, 0.761, 0.783, 0.803),
    7: (0.529, 0.714, 0.761, 0.782, 0.802),
}


@pytest.mark.parametrize("streams", PARAMETER_RATIOS)
def test_the_papers_parameters_over_the_exact_ones(streams):
    ratios = [
        count(build_grid(paper_family(streams, f"{n}+{n}"))).parameters.paper_ratio
        for n in (1, 2, 3, 4, 6)
    ]
    assert [round(ratio, 3) for ratio in ratios] == list(PARAMETER_RATIOS[streams])


# The formula's 114 A0 over 6 (2 - 2^(1-N)) 5 + (2 - 2^(2-N)) 27 at 3+3 columns.
ACTIVATION_RATIOS = {1: 3.8, 2: 1.583, 3: 1.226, 4: 1.101, 5: 1.048, 6: 1.024, 7: 1.012}


@pytest.mark.parametrize("streams", ACTIVATION_RATIOS)
def test_the_papers_activations_over_the_exact_ones(streams):
    ratio = count(build_grid(paper_family(streams))).activations.paper_ratio
    assert round(ratio, 3) == ACTIVATION_RATIOS[streams]
    exact = 30 * (2 - 2 ** (1 - streams)) + 27 * (2 - 2 ** (2 - streams))
    assert ratio == pytest.approx(114 / exact, rel=1e-12)


def test_the_paper_says_nothing_where_channels_do_not_double():
    spec = GridSpec(streams=3, columns="3+3", channels=[32, 64, 96], classes=19)
    counted = count(build_grid(spec))
    assert counted.parameters.paper is None
    assert counted.parameters.paper_ratio is None
    assert counted.activations.paper is None
    assert counted.activations.paper_ratio is None
    spec = GridSpec(streams=3, columns="3+3", channels=[32, 64, 128], classes=19)
    assert count(build_grid(spec)).parameters.paper is not None


def test_there_is_no_ratio_to_an_empty_grid():
    counted = count(build_grid(paper_family(streams=1, columns="1+0")))
    assert (counted.parameters.grid, counted.parameters.paper_ratio) == (0, None)
    assert (counted.activations.grid, counted.activations.paper_ratio) == (0, None)
    assert (counted.macs.grid, counted.connections.kept, counted.maps, counted.paths) == (
        0,
        0,
        1,
        1,
    )


def test_json_has_these_keys_and_plain_numbers(paper_grid):
    # Per A0: laterals 6 * 5 * (2 - 1/16), one column down 4 * 15/8, one up 5 * 15/8.
    activations, macs = 75 * 16 * 400 * 400, (18 * 25 + 27 * 8 // 2) * 16 * 16 * 400 * 400
    assert count(prune(paper_grid, "unet"), (400, 400)).as_json() == {
        "parameters": {
            "total": 9_647_337,
            "grid": 9_638_400,
            "stem": 2_838,
            "head": 6_099,
            "paper": 10_027_008,
            "paper_ratio": 10_027_008 / 9_638_400,
        },
        "activations": {
            "total": activations + 31_040_000,
            "grid": activations,
            "paper": 291_840_000,
            "paper_ratio": 291_840_000 / activations,
        },
        "macs": {"total": macs + 1_395_360_000, "grid": macs},
        "connections": {"kept": 33, "full": 49},
        "maps": 30,
        "paths": 5,
        "size": (400, 400),
    }


def test_without_a_size_the_smallest_legal_one_that_holds_400_is_counted():
    for streams, side in [(1, 400), (5, 400), (6, 416), (7, 448)]:
        grid = build_grid(paper_family(streams, base_channels=2))
        assert count(grid) == count(grid, (side, side))


def test_a_padded_image_is_counted_at_the_size_that_the_grid_works_on():
    refusing, padding = (build_grid(paper_family(size=size)) for size in ("error", "pad"))
    assert count(padding, (360, 480)) == count(refusing, (368, 480))
    assert count(padding, (368, 480)) == count(refusing, (368, 480))
    assert count(padding, (1, 1)) == count(refusing, (16, 16))
    assert count(padding, (360, 480)) != count(refusing, (384, 480))


@pytest.mark.parametrize(
    ("size", "fix"),
    [
        ((360, 480), "Pad to 368x480, crop to 352x480"),
        ((480, 360), "Pad to 480x368, crop to 480x352"),
        ((1, 17), "Pad to 16x32"),
    ],
)
def test_an_image_that_the_streams_do_not_divide_is_refused(paper_grid, size, fix):
    with pytest.raises(SizeError) as caught:
        count(paper_grid, size)
    assert str(caught.value) == (
        f"Image is {size[0]}x{size[1]}; 5 streams need multiples of 16. {fix}, or set size: pad."
    )


@pytest.mark.parametrize("policy", ["error", "pad"])
@pytest.mark.parametrize("size", [(0, 400), (400, 0), (-16, 16), (65537, 16), (16, 10**12)])
def test_a_size_that_no_image_has_is_refused(policy, size):
    with pytest.raises(SizeError) as caught:
        legal_size(paper_family(size=policy), size)
    assert str(caught.value) == (
        f"Image is {size[0]}x{size[1]}; each side must be from 1 to 65536."
    )


@settings(max_examples=200)
@given(st.integers(1, 16), st.integers(1, 65536), st.integers(1, 65536))
def test_a_padded_size_is_the_smallest_that_holds_the_image(streams, height, width):
    spec = GridSpec(streams=streams, columns="1+1", base_channels=1, classes=2, size="pad")
    for side, legal in zip((height, width), legal_size(spec, (height, width)), strict=True):
        assert legal % 2 ** (streams - 1) == 0
        assert 0 <= legal - side < 2 ** (streams - 1)


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_a_topology_costs_no_more_than_the_full_grid(name, paper_grid):
    full, kept = count(paper_grid), count(prune(paper_grid, name))
    assert kept.parameters.total <= full.parameters.total
    assert kept.activations.total <= full.activations.total
    assert kept.macs.total <= full.macs.total
    assert (kept.parameters.stem, kept.parameters.head) == (
        full.parameters.stem,
        full.parameters.head,
    )
    assert kept.connections.full == full.connections.kept == 49


@settings(max_examples=200)
@given(specs(), st.data())
def test_counts_are_the_sums_over_the_layers_walked_one_by_one(spec, data):
    """Shapes come from walking the grid, not from the streams' formulas."""
    grid = prune(build_grid(spec), data.draw(st.sampled_from(topologies_for(spec))))
    side = spec.least * data.draw(st.integers(1, 3))
    parameters = activations = macs = 0

    def walk(layers, shape):
        nonlocal parameters, activations, macs
        for layer in layers:
            if isinstance(layer, Residual):
                walk(layer.shortcut, shape)
                shape = walk(layer.layers, shape)
                continue
            parameters += layer.parameters
            macs += layer.macs(shape)
            shape = layer.out(shape)
            activations += prod(shape)
        return shape

    shapes = {grid.input: walk(grid.stem, (spec.in_channels, side, side))}
    for target in grid.maps:
        arrivals = [
            (walk(c.unit, shapes[c.source]), walk(c.shortcut or (), shapes[c.source]))
            for c in grid.into(target)
        ]
        if arrivals:
            channels, *size = arrivals[0][0]
            joined = channels * (len(arrivals) if spec.fusion == "concat" else 1)
            shapes[target] = walk(grid.fusion_layers(target), (joined, *size))
            parameters += len(arrivals) if spec.fusion == "weighted" and len(arrivals) > 1 else 0
    walk(grid.head, shapes[grid.output])

    counted = count(grid, (side, side))
    assert counted.parameters.total == parameters
    assert counted.activations.total == activations
    assert counted.macs.total == macs
    assert counted.maps == len(grid.maps)
    assert counted.paths == count_paths(grid)
    assert counted.connections.kept == len(grid.connections)
    assert counted.connections.full == len(grid.full.connections)
    ends = counted.parameters.stem + counted.parameters.head
    assert counted.parameters.total == counted.parameters.grid + ends


def test_vertical_identities_and_concat_cost_their_projections():
    plain = count(build_grid(paper_family(3, "1+1", 4)))
    vertical = count(build_grid(paper_family(3, "1+1", 4, residual={"vertical": True})))
    projections = (4 + 1) * 8 + (8 + 1) * 16 + (16 + 1) * 8 + (8 + 1) * 4
    assert vertical.parameters.grid - plain.parameters.grid == projections
    concat = count(build_grid(paper_family(3, "1+1", 4, fusion="concat")))
    reductions = (2 * 4 + 1) * 4 + (2 * 8 + 1) * 8
    assert concat.parameters.grid - plain.parameters.grid == reductions
