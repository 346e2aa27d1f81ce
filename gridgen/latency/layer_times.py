"""A table of layers' times on one device, and what it predicts for whole networks.

The time of a convolution lies between those of a grid of channels and pixels, in logarithms; what
is larger takes as much for each MAC as the largest, what is smaller as long as the smallest. The
sum over all layers is scaled by one number, that of networks which were measured as a whole; others
of these, held out, tell the error.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, log
from statistics import median
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gridgen.analysis.sizes import SizeLike, as_size
from gridgen.arguments import PathLike, checked
from gridgen.errors import SpecError, UsageError
from gridgen.grid import Grid, GridLike, build_grid
from gridgen.grid.building import as_grid
from gridgen.grid.layers import shape_text
from gridgen.grid.tracing import Size
from gridgen.latency.work import CONVOLUTIONS, JOIN, POINTWISE, SUM, Work, work_of
from gridgen.memory.setting import PrecisionField
from gridgen.space.workload import Image, Workload
from gridgen.spec import Document, GridSpec, Source

Seconds = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(strict=False)]
TableAxis = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False, min_length=2)]


AGAIN = "gridgen calibrate --latency measures it again"


class TimedNetwork(Document):
    """A whole network and what it took for an image; `held_out` ones tell the error alone."""

    kind: ClassVar[str] = "timed network"

    spec: GridSpec
    size: Image
    seconds: float = Field(gt=0)
    held_out: bool = False


class LayerTimes(Document):
    """Seconds of layers on one device, of threads and precision."""

    kind: ClassVar[str] = "layer times"

    machine: str = Field(description="The device and torch.")
    device: Literal["cpu", "cuda"]
    threads: int = Field(ge=1)
    precision: PrecisionField = "fp32"
    channels: TableAxis
    pixels: TableAxis
    values: TableAxis
    convolutions: dict[str, Seconds] = Field(
        strict=False, description="By kind: for all channels in, channels out and pixels in turn."
    )
    pointwise: dict[str, Seconds] = Field(strict=False, description="By kind: for all `values`.")
    networks: tuple[TimedNetwork, ...] = Field(min_length=2, strict=False)

    @classmethod
    @checked
    def of_file(cls, path: PathLike) -> Self:
        """The table in a file. Errors: `FileError`; `SpecError` for what is none, or damaged."""
        source = Source.read(path)
        if not isinstance(source.data, dict) or "convolutions" not in source.data:
            fact = f"{path}: this is no table of layer times"
            raise SpecError(f"{fact}; gridgen calibrate --latency writes one")
        return cls.from_source(source)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse a table that lacks something: `work.py` names what is in it."""
        for name in ("channels", "pixels", "values"):
            axis: tuple[int, ...] = getattr(self, name)
            if [*axis] != sorted(set(axis)):
                raise ValueError(f"{name}: they do not grow; {AGAIN}")
        if len({each.held_out for each in self.networks}) < 2:
            raise ValueError(f"networks: none is held out, or all are; {AGAIN}")
        many = len(self.channels) ** 2 * len(self.pixels)
        for field, kinds, wanted in (
            ("convolutions", CONVOLUTIONS.keys(), many),
            ("pointwise", {*POINTWISE, SUM, JOIN}, len(self.values)),
        ):
            table: dict[str, Seconds] = getattr(self, field)
            if table.keys() != kinds or any(len(row) != wanted for row in table.values()):
                raise ValueError(f"{field}: it lacks kinds or times; {AGAIN}")
        return self

    @checked
    def seconds(self, network: GridLike, size: SizeLike, batch: int = 1) -> float:
        """The time that a network is predicted to take for a batch of images of `size`, or of the
        smallest legal one that holds it.

        Errors: `UsageError` for networks of other than two dimensions.
        """
        return self._scale * self._sum(as_grid(network), as_size(size), batch)

    @cached_property
    def predictions(self) -> tuple["TimePrediction", ...]:
        """Of the networks that fitted nothing."""
        held = [each for each in self.networks if each.held_out]
        return tuple(TimePrediction(each, self.seconds(each.spec, each.size)) for each in held)

    @cached_property
    def worst(self) -> float:
        """The greatest error of a held-out network, of either sign, as a positive share."""
        return max(abs(each.error) for each in self.predictions)

    @property
    def trust(self) -> str:
        """How far predictions were wrong, in words."""
        errors = [abs(each.error) for each in self.predictions]
        middle = f"{median(errors):.0%} in the middle, {self.worst:.0%} at most"
        sizes = {shape_text(each.network.size): None for each in self.predictions}
        images = f"for images of {' and '.join(sizes)}"
        return f"{middle}, {images}, of {len(errors)} networks that it was not fitted to"

    @cached_property
    def _scale(self) -> float:
        """Of the sum over layers, so that half of the fitted networks take longer."""
        fitted = [each for each in self.networks if not each.held_out]
        return median(
            each.seconds / self._sum(build_grid(each.spec), each.size, 1) for each in fitted
        )

    def _sum(self, grid: Grid, size: Size | None, batch: int) -> float:
        if grid.spec.dimensions != 2:
            fact = f"{grid.spec.title} has {grid.spec.dimensions} dimensions"
            raise UsageError(f"{fact}; layer times are those of networks of 2")
        image = Workload(size=size).image(grid.spec)
        return sum(self._of(work) for work in work_of(grid, image, batch))

    def _of(self, work: Work) -> float:
        if work.kind in self.pointwise:
            return interpolated((self.values,), self.pointwise[work.kind], (work.pixels,))
        places = (*work.channels, work.pixels)
        axes = (self.channels, self.channels, self.pixels)
        return work.share * interpolated(axes, self.convolutions[work.kind], places)


@dataclass(frozen=True)
class TimePrediction:
    """A network that was timed, and the seconds that it was predicted to take."""

    network: TimedNetwork
    seconds: float

    @property
    def error(self) -> float:
        """Predicted over measured, less one."""
        return self.seconds / self.network.seconds - 1

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        network = self.network
        times = {"measured": network.seconds, "predicted": self.seconds, "error": self.error}
        return {"spec": network.spec.plain(), "size": list(network.size), **times}


def interpolated(axes: Sequence[Sequence[int]], times: Sequence[float], at: Sequence[int]) -> float:
    """The time at a place between those of a table, all in logarithms.

    Beyond the largest number of an axis it grows in proportion, below the least it stays.

    >>> round(interpolated([(10, 100)], (2.0, 8.0), (1000,)), 6)
    80.0
    >>> round(interpolated([(1, 4), (1, 100)], (1.0, 1.0, 4.0, 4.0), (2, 7)), 6)
    2.0
    """
    beyond, corners = 1.0, [(0, 1.0)]
    for axis, place in zip(axes, at, strict=True):
        inside = min(max(place, axis[0]), axis[-1])
        beyond *= max(1.0, place / axis[-1])
        lower = max(bisect_right(axis, inside, hi=len(axis) - 1) - 1, 0)
        share = log(inside / axis[lower]) / log(axis[lower + 1] / axis[lower])
        corners = [
            (corner * len(axis) + lower + step, weight * part)
            for corner, weight in corners
            for step, part in ((0, 1 - share), (1, share))
        ]
    return beyond * exp(sum(weight * log(times[corner]) for corner, weight in corners))
