"""Predicted memory against what torch allocates and keeps."""

import pytest
from hypothesis import given, settings, strategies as st
from small import small_grid
from strategies import specs, topologies_for

from gridgen.analysis import count
from gridgen.analysis.sizes import larger_size
from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.errors import SizeError
from gridgen.grid import TOPOLOGIES, UNITS, build_grid, prune
from gridgen.memory import Setting, count_memory
from gridgen.memory.accounting import weights
from gridgen.spec import GridSpec
from gridgen.testing import check_saved_bytes
from gridgen.testing.oracles import network_on_meta
from tests.oracles.tracking import DEVICE, tracked

SAVED, PEAK = 0.01, 0.05
PRECISIONS, OPTIMIZERS = ("fp32", "bf16"), ("sgd", "adam", "adamw")
SMALL = {"streams": 3, "columns": "2+2", "base_channels": 8, "classes": 5}
FAMILIES = {
    "paper": {},
    "concat": {"fusion": "concat", "total_dropout": 0.1, "size": "pad"},
}


def setting(**fields) -> Setting:
    return Setting(batch=2, device=DEVICE, **fields)


def require_as_torch(grid, size, setting, saved=SAVED, peak=PEAK) -> None:
    predicted, truth = count_memory(grid, size, setting), tracked(grid, size, setting)
    assert predicted.saved == pytest.approx(truth.saved, rel=saved)
    assert predicted.peak_training == pytest.approx(truth.peak_training, rel=peak)
    assert predicted.peak_inference == pytest.approx(truth.peak_inference, rel=peak)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_sixty_settings_need_what_torch_allocates(family, topology, precision, optimizer):
    """The equality is nearly exact: torch's fake BN keeps statistics of bf16 maps in bf16."""
    grid = build_grid(GridSpec(**SMALL, **FAMILIES[family], topology=topology))
    size = (30, 33) if grid.spec.size == "pad" else (32, 32)
    chosen = setting(precision=precision, optimizer=optimizer)
    close = 1e-5 if precision == "fp32" else 1e-2
    require_as_torch(grid, size, chosen, close, close)


@pytest.mark.parametrize(
    "fields",
    [
        {"fusion": "weighted"},
        {"fusion": "weighted", "head": "residual", "units": {"upsampling": "bilinear"}},
        {"residual": {"vertical": True}},
        {"residual": {"lateral": False}},
        {"size": "crop"},
        {"size": "resize"},
        {"units": {"lateral": "bottleneck", "subsampling": "max-pool", "upsampling": "bilinear"}},
        {
            "units": {"upsampling": "bilinear"},
            "norm": "none",
            "activation": "prelu",
            "stem": "residual",
            "head": "residual",
        },
        {"units": dict.fromkeys(UNITS, "separable"), "activation": "gelu"},
        {"norm": "group", "activation": "silu"},
        {"norm": "instance", "activation": "leaky-relu"},
        {"stem": "strided", "head": "bilinear"},
        {"head": "conv", "columns": ["sub", "up", "sub", "up"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_kind_of_grid_needs_what_torch_allocates(fields, precision):
    grid = build_grid(GridSpec(**{**SMALL, **fields}))
    size = (33, 38) if "size" in fields else (32,) * grid.spec.dimensions
    require_as_torch(grid, size, setting(precision=precision), peak=0.01)


@pytest.mark.parametrize("dimensions", [1, 3])
def test_signals_and_volumes_need_what_torch_allocates(dimensions):
    units = {"subsampling": "max-pool", "upsampling": "bilinear"}
    grid = build_grid(GridSpec(**SMALL, units=units, dimensions=dimensions))
    require_as_torch(grid, (32,) * dimensions, setting(), peak=0.01)


def test_fp16_is_as_wide_as_bf16():
    grid = build_grid(GridSpec(**SMALL))
    require_as_torch(grid, (32, 32), setting(precision="fp16"), peak=0.01)
    assert count_memory(grid, (32, 32), setting(precision="fp16")) == count_memory(
        grid, (32, 32), setting(precision="bf16")
    )


@pytest.mark.parametrize("recompute", ["unit", "column"])
@pytest.mark.parametrize("topology", ["gridnet", "conv-deconv", "frrn"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_recomputed_is_not_kept(recompute, topology, precision):
    grid = build_grid(GridSpec(**SMALL, total_dropout=0.1, topology=topology))
    chosen = setting(precision=precision, recompute=recompute)
    require_as_torch(grid, (32, 32), chosen, peak=0.01)
    kept = count_memory(grid, (32, 32), setting(precision=precision))
    assert count_memory(grid, (32, 32), chosen).peak_training < kept.peak_training


@pytest.mark.parametrize("recompute", ["unit", "column"])
@pytest.mark.parametrize("fields", [{"streams": 1, "residual": {"lateral": False}}, {}], ids=str)
def test_what_is_copied_in_place_is_recomputed_too(recompute, fields):
    """A SiLU that is written over its input keeps a copy of that."""
    grid = build_grid(GridSpec(**SMALL | {"head": "bilinear", "activation": "silu"} | fields))
    require_as_torch(grid, (32, 32), setting(recompute=recompute), peak=0.001)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_update_that_is_not_fused_passes_through_memory(optimizer):
    """At a size so small that the update is the peak."""
    grid = build_grid(GridSpec(**SMALL))
    for fused in (True, False):
        require_as_torch(grid, (4, 4), setting(optimizer=optimizer, fused=fused), 1e-3, 1e-3)


# Torch's own bookkeeping takes minutes for these; all ways are compared in the long run alone.
DEEP = ("deeplab-trellis", "hrnet", "neural-fabric", "stacked-hourglass")
LONG = settings.default.max_examples >= 1000
WAYS = [
    (name, recompute)
    for name in ARCHITECTURES
    for recompute in ("none", "unit", "column")
    if LONG or name not in DEEP or recompute == "unit"
]


@pytest.mark.parametrize(("name", "recompute"), WAYS)
def test_published_networks_need_what_torch_allocates(name, recompute):
    """Columns of dense networks are computed again a little earlier than is predicted."""
    grid = small_grid(name)
    chosen = setting(recompute=recompute)
    close = 0.03 if recompute == "column" else 0.001
    require_as_torch(grid, larger_size(grid.spec, (64, 64)), chosen, 0.001, close)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_are_the_parameters_that_are_counted(name):
    for grid in (small_grid(name), build_grid(load_spec(name))):
        assert weights(grid).values == count(grid).parameters.total


@settings(max_examples=100)
@given(specs())
def test_weights_are_those_of_the_module(spec):
    grid = build_grid(spec)
    network = network_on_meta(grid)
    held = weights(grid)
    sizes = [parameter.numel() for parameter in network.parameters()]
    assert (held.values, held.tensors, held.largest) == (sum(sizes), len(sizes), max(sizes))
    assert held.buffers == sum(buffer.nbytes for buffer in network.buffers())
    assert held.values == count(grid).parameters.total


@settings(max_examples=40)
@given(specs(max_streams=4, dimensions=(1, 2, 3)), st.data())
def test_autograd_keeps_exactly_what_is_predicted(spec, data):
    """In a forward pass that really runs; torch also keeps the number of labelled pixels."""
    grid = prune(build_grid(spec), data.draw(st.sampled_from(topologies_for(spec))))
    size = (spec.multiple * data.draw(st.integers(2, 3)),) * spec.dimensions
    recompute = data.draw(st.sampled_from(["none", "unit", "column"]))
    check_saved_bytes(grid, size, Setting(batch=2, device="cpu", recompute=recompute))


@pytest.mark.parametrize(
    ("size", "fact"),
    [
        ("30", "30 is no size for 2 dimensions; give height, width: 360x480."),
        (
            (30, 32),
            "Image is 30x32; 3 streams need multiples of 4. Pad to 32x32, crop to 28x32, or set "
            "size: pad.",
        ),
    ],
)
def test_a_size_that_is_none_is_refused(size, fact):
    with pytest.raises(SizeError) as caught:
        count_memory(build_grid(GridSpec(**SMALL)), size)
    assert str(caught.value) == fact


def test_averaged_weights_are_one_more_copy_of_the_network_while_it_is_trained():
    grid = build_grid(GridSpec(**SMALL))
    plain, averaged = (
        count_memory(grid, (32, 32), setting(averaged=kept)) for kept in (False, True)
    )
    held = weights(grid)
    assert averaged.peak_training - plain.peak_training == 4 * held.values + held.buffers
    assert averaged.peak_inference == plain.peak_inference
