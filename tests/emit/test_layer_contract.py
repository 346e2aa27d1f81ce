"""Every kind of layer record says what its module does.

Weights, buffers, shape, channels, the rows on which an output depends, what autograd keeps.
"""

from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from gridgen.emit.lowering import lower
from gridgen.errors import GridError
from gridgen.grid.layers import (
    GELU,
    WHOLE,
    AveragePool,
    BatchNorm,
    Conv,
    Deconv,
    GroupNorm,
    ImagenetNorm,
    Layer,
    LeakyReLU,
    MaxPool,
    MaxUnpool,
    PReLU,
    ReLU,
    Residual,
    Resize,
    Shape,
    SiLU,
    Upsample,
    rows_before,
)
from gridgen.memory.layers import Recorder
from gridgen.memory.replay import Replay
from gridgen.memory.setting import Setting
from gridgen.testing.oracles import kept_by_autograd

EXAMPLES: tuple[Layer, ...] = (
    Conv(4, 6, stride=2),
    Conv(4, 6, kernel=1, groups=2, bias=False),
    Deconv(4, 6, stride=2),
    BatchNorm(4),
    GroupNorm(4, 2),
    ReLU(),
    LeakyReLU(),
    GELU(),
    SiLU(),
    PReLU(),
    PReLU(4),
    MaxPool(),
    MaxUnpool("sub_1_0"),
    AveragePool(3),
    Upsample(),
    Resize("bilinear"),
    ImagenetNorm(),
    Residual((Conv(4, 6), BatchNorm(6)), (Conv(4, 6, kernel=1),)),
)
"""At least one of each kind, for maps of 4 channels. Add one for a new kind."""
SHAPE, AUXILIARY = (4, 6, 10), (12, 20)


def shape_for(layer: Layer) -> Shape:
    """A map that the layer takes."""
    return (3, *SHAPE[1:]) if isinstance(layer, ImagenetNorm) else SHAPE


every_example = pytest.mark.parametrize("layer", EXAMPLES, ids=str)


def module_of(layer: Layer) -> nn.Module:
    return lower((layer,))[0].eval()


def applied(layer: Layer, channels: int) -> Tensor:
    """The module's output for one image of `channels`."""
    # Not on the meta device: there, a transposed convolution takes any number of channels.
    x = torch.zeros(1, channels, *SHAPE[1:])
    further = [torch.zeros(1, channels, *AUXILIARY)] if layer.needs_auxiliary else []
    output: Tensor = module_of(layer)(x, *further)
    return output


def test_every_kind_of_layer_has_an_example():
    assert {type(layer) for layer in EXAMPLES} == set(get_args(Layer))


@every_example
def test_the_tensors_are_the_modules_parameters(layer):
    found = {name: tuple(tensor.shape) for name, tensor in module_of(layer).named_parameters()}
    assert dict(layer.tensors) == found
    assert [name for name, _ in layer.tensors] == list(found)


@every_example
def test_the_buffers_are_the_modules_buffers(layer):
    found = [(name, tuple(tensor.shape)) for name, tensor in module_of(layer).named_buffers()]
    assert list(layer.buffers) == found


@every_example
def test_the_output_has_the_shape_of_the_modules(layer):
    auxiliary = (SHAPE[0], *AUXILIARY) if layer.needs_auxiliary else None
    shape = tuple(applied(layer, shape_for(layer)[0]).shape[1:])
    assert layer.out(shape_for(layer), auxiliary) == shape
    assert layer.output_channels(shape_for(layer)[0]) == shape[0]


@every_example
def test_channels_that_the_module_refuses_are_refused(layer):
    channels = shape_for(layer)[0] + 2
    try:
        applied(layer, channels)
    except (RuntimeError, ValueError):
        with pytest.raises(GridError):
            layer.output_channels(channels)
    else:
        layer.output_channels(channels)


@every_example
def test_no_output_depends_on_rows_outside_of_those_named(layer):
    """By the gradient of each output row; a layer that sees the whole image names no rows."""
    x = torch.rand(1, *shape_for(layer), dtype=torch.float64, requires_grad=True)
    further = [torch.rand(1, SHAPE[0], *AUXILIARY).double()] if layer.needs_auxiliary else []
    y = module_of(layer).double()(x, *further)
    for row in range(y.shape[2]):
        (gradient,) = torch.autograd.grad(y[:, :, row].square().sum(), x, retain_graph=True)
        touched = gradient.abs().amax(dim=(0, 1, 3)).nonzero().flatten().tolist()
        named = rows_before((layer,), (row, row))
        if named is not WHOLE and touched:
            assert named[0] <= min(touched)
            assert max(touched) <= named[1]


@every_example
def test_autograd_keeps_what_the_memory_model_says(layer):
    """A convolution comes first, since nothing is kept for images, which need no gradient."""
    channels = shape_for(layer)[0]
    layers = Conv(channels, channels, kernel=1), layer
    module, batch = lower(layers).train(), 2
    shapes = [SHAPE, (SHAPE[0], *AUXILIARY)] if layer.needs_auxiliary else [shape_for(layer)]
    inputs = [torch.rand(batch, *shape) for shape in shapes]
    held = *module.parameters(), *module.buffers()
    _output, kept = kept_by_autograd(lambda: module(*inputs), held)
    recorder = Recorder(Setting(batch=batch, device="cpu"), training=True)
    recorder.sequence(layers, *map(recorder.given, shapes))
    replay = Replay(recorder.tape)
    replay.forward(keeping=True)
    assert replay.saved == kept


def test_words_tell_kinds_of_layers_apart():
    words = {layer.words: type(layer) for layer in EXAMPLES}
    assert "" not in words
    assert set(words.values()) == set(get_args(Layer))
