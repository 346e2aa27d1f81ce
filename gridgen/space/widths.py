"""The widths of a grid, and what one of its parts costs at them: parameters, activations, MACs.

The costs are those of the layer records that `trace` sums and the module is lowered from.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from gridgen.analysis.sizes import legal_size
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.fusions import FUSIONS
from gridgen.grid.layers import Layers, Shape, cost
from gridgen.grid.tracing import Size
from gridgen.grid.units import SHORTCUTS, UNITS, Kind
from gridgen.spec import GridSpec

SOURCE: dict[Kind, int] = {"lateral": 0, "subsampling": -1, "upsampling": 1}
"""From the stream that a connection leads to, to the one that it comes from."""

Measures = tuple[int, int, int]
"""Parameters, activations, MACs."""
NOTHING: Measures = (0, 0, 0)
OfPart = Callable[..., Measures]


class Width(NamedTuple):
    """Channels of every stream, and the size of the image."""

    channels: tuple[int, ...]
    size: Size

    @classmethod
    def of(cls, spec: GridSpec, size: Size) -> "Width":
        """That of `spec` at what its size policy makes of `size`. Errors: `SizeError`."""
        return cls(spec.stream_channels, legal_size(spec, size))

    def has(self, stream: int) -> bool:
        """Whether there is such a stream."""
        return 0 <= stream < len(self.channels)

    def shape(self, stream: int) -> Shape:
        """Of the maps of `stream`."""
        return (self.channels[stream], *self.image(stream))

    def image(self, stream: int) -> Size:
        """Height and width of `stream`."""
        height, width = self.size
        return height >> stream, width >> stream


def stem(width: Any, name: str, in_channels: int) -> Measures:
    """Of the stem."""
    if not isinstance(width, Width):
        return NOTHING
    return _end("stem", name, (in_channels, *width.size), width.channels[0])


def head(width: Any, name: str, classes: int) -> Measures:
    """Of the head."""
    return _end("head", name, width.shape(0), classes) if isinstance(width, Width) else NOTHING


def connection(kind: Kind, stream: int) -> OfPart:
    """Of one connection that leads to `stream`: a function of width, unit and identity."""
    source = stream + SOURCE[kind]

    def of(width: Any, unit: str, identity: bool) -> Measures:
        if not (isinstance(width, Width) and width.has(source) and width.has(stream)):
            return NOTHING
        return _connection(kind, unit, identity, width.shape(source), width.channels[stream])

    return of


def fusion(stream: int, arrivals: int) -> OfPart:
    """Of the fusion at one map of `stream`: a function of width and fusion."""

    def of(width: Any, name: str) -> Measures:
        if not (isinstance(width, Width) and width.has(stream)):
            return NOTHING
        return _fusion(name, arrivals, width.shape(stream))

    return of


def side(stream: int) -> OfPart:
    """Of features that enter at `stream`: a function of width, stem and their channels."""

    def of(width: Any, name: str, channels: Any) -> Measures:
        if not (isinstance(width, Width) and width.has(stream) and isinstance(channels, tuple)):
            return NOTHING
        if len(channels) < stream:
            return NOTHING
        entering = (channels[stream - 1], *width.image(stream))
        return _end("stem", name, entering, width.channels[stream])

    return of


@lru_cache(1 << 16)
def _end(what: str, name: str, shape: Shape, channels: int) -> Measures:
    ends = STEMS if what == "stem" else HEADS
    return _sums(ends[name](shape[0], channels), shape)


@lru_cache(1 << 16)
def _connection(kind: Kind, unit: str, identity: bool, shape: Shape, channels: int) -> Measures:
    ends = shape[0], channels
    layers = _sums(UNITS[kind][unit](*ends), shape)
    added = _sums(SHORTCUTS[kind](*ends), shape) if identity else NOTHING
    return layers[0] + added[0], layers[1] + added[1], layers[2] + added[2]


@lru_cache(1 << 16)
def _fusion(name: str, arrivals: int, shape: Shape) -> Measures:
    channels, *size = shape
    fused = FUSIONS[name]
    joined = arrivals * channels if fused.join == "concat" else channels
    layers = fused.after(joined, channels) if arrivals else ()
    parameters, activations, macs = _sums(layers, (joined, size[0], size[1]))
    return parameters + fused.weights(arrivals), activations, macs


def _sums(layers: Layers, shape: Shape) -> Measures:
    summed = cost(layers, shape)
    return summed.parameters, summed.activations, summed.macs
