"""The memory of each layer kind: its allocations, and the tensors that autograd saves.

What autograd keeps is read from the derivatives that torch documents in `derivatives.yaml`; which
layers autocast computes in what precision, from torch's list of autocast operations.
"""

from itertools import pairwise
from math import prod
from typing import assert_never

from gridgen.grid import layers as records
from gridgen.grid.layers import Layer, Layers
from gridgen.memory.operations import Map, Operations
from gridgen.memory.setting import FP32, INT64
from gridgen.memory.tape import Op


class Recorder(Operations):
    """Writes the operations of layers."""

    def sequence(self, layers: Layers, x: Map, auxiliary: Map | None = None) -> Map:
        """`nn.Sequential`: each output is let go once the next layer has read it, `x` never.

        What comes out has a name of its own, be it `x` itself.
        """
        if not layers:
            self.tape.name(x.value)
            return x
        y = self.layer(layers[0], x, False, auxiliary)
        for before, layer in pairwise(layers):
            x = y
            y = self.layer(layer, x, before.output_unsaved, auxiliary)
            if y.value.storage != x.value.storage:
                self.tape.drop(x.value)
        return y

    def layer(self, layer: Layer, x: Map, fresh: bool, auxiliary: Map | None) -> Map:
        """One layer; `fresh` says that nobody else reads `x`."""
        match layer:
            case records.Deconv(stride=1) if self.training and self.setting.device == "cpu":
                return self._flipped(layer, x)
            case records.Conv() | records.Deconv():
                return self._convolution(layer, x)
            case records.BatchNorm(channels):
                return self._norm(layer, x, 2 * channels)
            case records.GroupNorm(_, groups):
                return self._norm(layer, x, 2 * groups * self.setting.batch)
            case records.ImagenetNorm():
                return self._imagenet_norm(x)
            case records.ReLU():
                over = self.write_over if fresh else self.new
                return over(x, keeps_output=True)
            case records.LeakyReLU():
                # Written over its input, it keeps its output; otherwise its input.
                if fresh:
                    return self.write_over(x, keeps_output=True)
                return self.new(x, keeps=(x.value.storage,))
            case records.GELU():
                return self.new(x, keeps=(x.value.storage,))
            case records.SiLU():
                return self._silu(x, fresh)
            case records.PReLU():
                return self._prelu(layer, x)
            case records.MaxPool():
                return self._max_pool(layer, x)
            case records.MaxUnpool():
                assert auxiliary is not None
                return self._max_unpool(layer, x, auxiliary)
            case records.AveragePool(bins):
                keeps = () if bins == 1 else (x.value.storage,)  # one bin is torch's mean
                return self.new(x, shape=layer.out(x.shape), keeps=keeps)
            case records.Upsample():
                return self.new(x, shape=layer.out(x.shape))
            case records.Resize():
                assert auxiliary is not None
                return self.new(x, shape=(x.shape[0], *auxiliary.shape[1:]))
            case records.Residual():
                return self._block(layer, x)
        assert_never(layer)

    def _convolution(self, layer: records.Conv | records.Deconv, x: Map) -> Map:
        """Keeps its input and its kernel, which autocast copies."""
        biases = layer.bias * layer.channels_out
        kept = self.copy_of(layer.parameters - biases)
        if biases:
            self.copy_of(biases)
        low = self.cast(x, self.width)
        y = self.new(
            low,
            shape=layer.out(x.shape),
            keeps=(low.value.storage, *kept),
            weights=layer.parameters,
            later=(self.width + FP32) * layer.parameters if kept else 0,
        )
        self.tape.drop(low.value)
        return y

    def _flipped(self, layer: records.Deconv, x: Map) -> Map:
        """Keeps its input and a flipped copy of its kernel, in the precision of computing."""
        biases = layer.bias * layer.channels_out
        kernel = self.flipped(layer.parameters - biases)
        if biases:
            self.copy_of(biases)
        low = self.cast(x, self.width)
        y = self.new(
            low,
            shape=layer.out(x.shape),
            keeps=(low.value.storage, kernel.storage),
            weights=layer.parameters,
            # Of the gradient of the flipped kernel one is made that is flipped back.
            later=FP32 * layer.parameters,
        )
        self.tape.drop(low.value)
        self.tape.drop(kernel)
        return y

    def _norm(self, layer: records.BatchNorm | records.GroupNorm, x: Map, statistics: int) -> Map:
        """Keeps its input, and mean and deviation in fp32; in evaluation a BN has no own."""
        # GroupNorm is on the list of CUDA operations that autocast runs in fp32; not so on a CPU.
        single = isinstance(layer, records.GroupNorm) and self.setting.device == "cuda"
        x = self.cast(x, FP32 if single else x.value.width)
        y = self.new(
            x,
            keeps=(x.value.storage,),
            beside=FP32 * statistics if self.training else None,
            weights=layer.parameters,
        )
        self.tape.drop(x.value)
        return y

    def _imagenet_norm(self, x: Map) -> Map:
        """A difference, then a quotient; nothing of either is trained."""
        shifted = self.new(x)
        y = self.new(shifted)
        self.tape.drop(shifted.value)
        return y

    def _silu(self, x: Map, fresh: bool) -> Map:
        """Keeps its input: a copy of it where it is written over."""
        if not fresh:
            return self.new(x, keeps=(x.value.storage,))
        return self.write_over(x, beside=x.value.bytes if self.training else None)

    def _prelu(self, layer: records.PReLU, x: Map) -> Map:
        """Keeps its input; the gradient of its slopes is as large as that before it is summed."""
        low = self.cast(x, self.width)
        kept = self.copy_of(layer.slopes)
        y = self.new(
            low,
            keeps=(low.value.storage, *kept),
            weights=layer.slopes,
            scratch=low.value.bytes,
            later=(self.width + FP32) * layer.slopes if kept else 0,
        )
        self.tape.drop(low.value)
        return y

    def _max_pool(self, layer: records.MaxPool, x: Map) -> Map:
        """Keeps its input, and where the maxima were as 64-bit numbers."""
        shape = layer.out(x.shape)
        # Indices of maxima are 64-bit integers in torch, so they outweigh the map itself.
        places = INT64 * self.setting.batch * prod(shape)
        return self.new(x, shape=shape, keeps=(x.value.storage,), beside=places)

    def _max_unpool(self, layer: records.MaxUnpool, x: Map, auxiliary: Map) -> Map:
        """Finds the maxima of `auxiliary` again and keeps where they were."""
        tape = self.tape
        values = tape.storage(x.value.elements * auxiliary.value.width)
        places = tape.storage(INT64 * x.value.elements)
        found = tape.value(places, x.value.elements, INT64, trained=False)
        tape.events.append(Op((), found, (places, values)))
        shape = layer.out(x.shape)
        y = self.new(x, shape=shape, keeps=(places,))
        tape.drop(found)
        return y

    def _block(self, block: records.Residual, x: Map) -> Map:
        """The identity first, then the layers, then their sum beside both."""
        # The module computes the identity first too: it is alive while the layers run.
        identity = self.sequence(block.shortcut, x)
        y = self.sequence(block.layers, x)
        total = self.added(y, identity)
        self.tape.drop(y.value)
        self.tape.drop(identity.value)
        return total
