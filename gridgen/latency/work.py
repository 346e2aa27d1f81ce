"""What a forward pass computes, layer by layer, as a table of layer times knows it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod

from gridgen.grid import Grid
from gridgen.grid.layers import (
    GELU,
    AveragePool,
    BatchNorm,
    Conv,
    Deconv,
    GroupNorm,
    Layer,
    LeakyReLU,
    MaxPool,
    PReLU,
    ReLU,
    Residual,
    SiLU,
    Upsample,
)
from gridgen.grid.tracing import Size
from gridgen.memory.layers import Recorder
from gridgen.memory.operations import Map
from gridgen.memory.recording import recording_of
from gridgen.memory.setting import Setting
from gridgen.memory.tape import TapeValue
from gridgen.program import compile_program

CONVOLUTIONS: dict[str, Callable[[int, int], Layer]] = {
    "conv 1x1": lambda given, made: Conv(given, made, kernel=1),
    "conv 3x3": Conv,
    "conv 3x3, stride 2": lambda given, made: Conv(given, made, stride=2),
    "deconv 3x3": Deconv,
    "deconv 3x3, stride 2": lambda given, made: Deconv(given, made, stride=2),
}
"""By channels of input and output. Others are told by the MACs of one that is like them."""
SUM, JOIN = "sum", "concatenation"
POINTWISE: dict[str, Callable[[int], Layer]] = {
    "BatchNorm": BatchNorm,
    "GroupNorm": lambda channels: GroupNorm(channels, 4),
    "ReLU": lambda channels: ReLU(),
    "LeakyReLU": lambda channels: LeakyReLU(),
    "PReLU": lambda channels: PReLU(),
    "GELU": lambda channels: GELU(),
    "SiLU": lambda channels: SiLU(),
    "MaxPool": lambda channels: MaxPool(),
    "AveragePool": lambda channels: AveragePool(1),
    "nearest": lambda channels: Upsample(),
    "bilinear": lambda channels: Upsample("bilinear"),
}
"""By channels; beside them there are the sum of two maps, and what joins two."""
LIKE = {"ImagenetNorm": "BatchNorm", "Resize": "bilinear", "MaxUnpool": "MaxPool"}
ANY = "SiLU"
"""For a layer that is neither measured nor like one that is: it computes a little of each value."""


@dataclass(frozen=True, slots=True)
class Work:
    """`share` times the work of a layer of `kind` for a batch.

    Of a convolution `pixels` are those of all images where its kernel is applied: of its output, of
    a deconvolution's input. Of anything else channels are (1, 1), and `pixels` are values.
    """

    kind: str
    pixels: int
    channels: tuple[int, int] = (1, 1)
    share: float = 1.0


def work_of(grid: Grid, size: Size, batch: int = 1) -> tuple[Work, ...]:
    """The work of a forward pass in evaluation on images of `size`. Errors: `SizeError`.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=1, columns="1+1", base_channels=4, classes=2)
    >>> work_of(build_grid(spec), (8, 8))[1]
    Work(kind='conv 3x3', pixels=64, channels=(3, 4), share=1.0)
    """
    recorder = _WorkRecorder(Setting(batch=batch), training=False)
    recording = recording_of(grid, size, recorder)
    recording.run(compile_program(grid, training=False).operations)
    return tuple(recorder.work)


@dataclass
class _WorkRecorder(Recorder):
    """Notes the work of what is recorded, in the order of computation."""

    work: list[Work] = field(default_factory=list)

    def layer(self, layer: Layer, x: Map, fresh: bool, auxiliary: Map | None) -> Map:
        y = super().layer(layer, x, fresh, auxiliary)
        batch = self.setting.batch
        if isinstance(layer, Conv | Deconv):
            at = y if isinstance(layer, Conv) else x
            self.work.append(_convolution(layer, batch * prod(at.shape[1:])))
        elif not isinstance(layer, Residual):  # which is recorded by its parts
            larger = max(prod(x.shape), prod(y.shape))
            self.work.append(Work(_pointwise(layer), batch * larger))
        return y

    def added(self, x: Map, y: Map, over: Map | None = None) -> Map:
        self.work.append(Work(SUM, x.value.elements))
        return super().added(x, y, over)

    def concatenated(self, parts: list[Map]) -> Map:  # type: ignore[override]
        made = super().concatenated(parts)
        self.work.append(Work(JOIN, made.value.elements))
        return made

    def scaled(self, x: Map, share: TapeValue) -> Map:
        self.work.append(Work(SUM, x.value.elements))
        return super().scaled(x, share)


def _convolution(layer: Conv | Deconv, pixels: int) -> Work:
    """A layer, as one that is measured and has as many MACs."""
    name = "conv" if isinstance(layer, Conv) else "deconv"
    if name == "conv" and layer.kernel == 1 and layer.stride == 1:
        kind, kernel = "conv 1x1", 1
    else:
        kind, kernel = f"{name} 3x3{', stride 2' if layer.stride > 1 else ''}", 3
    macs = layer.kernel**layer.dimensions / getattr(layer, "groups", 1)
    share = macs / kernel**2
    return Work(kind, pixels, (layer.channels_in, layer.channels_out), share)


def _pointwise(layer: Layer) -> str:
    """The kind that is measured, or one that is like it."""
    if isinstance(layer, Upsample):
        return layer.mode
    name = type(layer).__name__
    return name if name in POINTWISE else LIKE.get(name, ANY)
