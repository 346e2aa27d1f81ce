"""Every reader of every layer record agrees with torch: a new record is tested by an example here.

Readers are the record itself (tensors, buffers, channels, shape, activations, MACs, rows, words),
the lowering to torch, and the memory model's account of what autograd keeps.
"""

from typing import get_args

import pytest
import torch
from torch import nn

from gridgen.emit.lowering import lower
from gridgen.errors import GridError
from gridgen.grid.layers import (
    WHOLE,
    AveragePool,
    BatchNorm,
    Conv,
    Deconv,
    GroupNorm,
    Layer,
    MaxPool,
    MaxUnpool,
    PReLU,
    ReLU,
    Residual,
    Resize,
    SiLU,
    Upsample,
    buffers_of,
    cost,
    rows_before,
    tensors_of,
)
from gridgen.memory.layers import Recorder
from gridgen.memory.replay import Replay
from gridgen.memory.setting import Setting
from tests.oracles.measuring import measured

SHAPE = 4, 6, 10
BATCH = 2
AUXILIARY = 4, 12, 20
EXAMPLES: list[Layer] = [
    Conv(4, 6),
    Conv(4, 6, kernel=5, stride=2, groups=2, bias=False),
    Conv(4, 6, kernel=1, stride=2),
    Deconv(4, 6, stride=2),
    BatchNorm(4),
    GroupNorm(4, 2),
    ReLU(),
    SiLU(),
    PReLU(4),
    MaxPool(),
    MaxPool(3, 2),
    MaxUnpool("sub_1_0"),
    AveragePool(3),
    Upsample("bilinear"),
    Resize("nearest"),
    Residual((Conv(4, 6), BatchNorm(6), ReLU()), (Conv(4, 6, kernel=1),)),
]

every_record = pytest.mark.parametrize("layer", EXAMPLES, ids=str)


def inputs(layer: Layer, device: str = "cpu") -> list[torch.Tensor]:
    shapes = [SHAPE, AUXILIARY] if layer.needs_auxiliary else [SHAPE]
    torch.manual_seed(0)
    return [torch.rand(BATCH, *shape, device=device) for shape in shapes]


def auxiliary_of(layer: Layer) -> tuple[int, int, int] | None:
    return AUXILIARY if layer.needs_auxiliary else None


def module_of(layer: Layer, device: str = "cpu") -> nn.Module:
    with torch.device(device):
        return lower((layer,))


def test_every_member_of_the_union_has_an_example():
    assert {type(layer) for layer in EXAMPLES} == set(get_args(Layer))


@every_record
def test_its_tensors_and_buffers_are_those_of_the_module(layer):
    module = module_of(layer, "meta")
    parameters = tuple((name, tuple(p.shape)) for name, p in module.named_parameters())
    buffers = tuple((name, tuple(b.shape)) for name, b in module.named_buffers())
    assert tensors_of((layer,)) == parameters
    assert buffers_of((layer,)) == buffers
    assert layer.parameters == sum(p.numel() for p in module.parameters())


@every_record
def test_its_shape_activations_and_macs_are_those_of_the_module(layer):
    module = module_of(layer, "meta").eval()
    given = [x[:1] for x in inputs(layer, "meta")]
    shape = layer.out(SHAPE, auxiliary_of(layer))
    assert shape == tuple(module(*given).shape[1:])
    assert layer.output_channels(SHAPE[0]) == shape[0]
    found = layer.activations(SHAPE, auxiliary_of(layer)), layer.macs(SHAPE)
    assert found == measured(module, *given)
    spent = cost((layer,), SHAPE, auxiliary_of(layer))
    assert (spent.shape, spent.activations, spent.macs) == (shape, *found)


@every_record
def test_it_refuses_other_channels_where_the_module_does(layer):
    def torch_refuses() -> bool:
        try:
            module_of(layer)(torch.rand(BATCH, 5, *SHAPE[1:]))
        except RuntimeError:
            return True
        return False

    if layer.needs_auxiliary or not torch_refuses():
        assert layer.output_channels(5) == 5
    else:
        with pytest.raises(GridError):
            layer.output_channels(5)


@every_record
def test_no_output_depends_on_rows_outside_of_those_named(layer):
    """By the gradient of each output row, in float64; for a GroupNorm all rows are named."""
    module = module_of(layer).double().eval()
    x, *further = [x.double().requires_grad_() for x in inputs(layer)]
    y = module(x, *further)
    for row in range(y.shape[2]):
        (gradient,) = torch.autograd.grad(y[:, :, row].square().sum(), x, retain_graph=True)
        touched = gradient.abs().amax(dim=(0, 1, 3)).nonzero().flatten()
        rows = rows_before((layer,), (row, row))
        if rows is not WHOLE and len(touched):
            assert rows[0] <= int(touched.min())
            assert int(touched.max()) <= rows[1]


@every_record
def test_autograd_keeps_what_the_memory_model_says(layer):
    """Storages that a training step saves for its backward pass, besides weights and buffers.

    A convolution comes first, as nothing is saved for images, which need no gradient.
    """
    layers = Conv(4, 4, kernel=1), layer
    module, kept = lower(layers).train(), {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = module(*inputs(layer))
    for held in (*module.parameters(), *module.buffers()):
        kept.pop(held.untyped_storage().data_ptr(), None)
    recorder = Recorder(Setting(batch=BATCH, device="cpu"), training=True)
    shapes = [SHAPE, AUXILIARY] if layer.needs_auxiliary else [SHAPE]
    recorder.sequence(layers, *map(recorder.given, shapes))
    replay = Replay(recorder.tape)
    replay.forward(keeping=True)
    assert replay.saved == sum(kept.values())
    del output


def test_words_tell_kinds_of_layers_apart():
    described = {layer.words for layer in EXAMPLES}
    assert len(described) == len(EXAMPLES)
    assert "" not in described
