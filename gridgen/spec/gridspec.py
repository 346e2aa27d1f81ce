"""The network spec: what a user writes to describe a grid. Says nothing of how one is built."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, field_serializer, model_validator

from gridgen.errors import GridgenError, SpecError
from gridgen.spec.columns import MAX_COLUMNS, Column, Columns, as_written, shorten
from gridgen.spec.document import Document
from gridgen.spec.network import (
    Classes,
    CustomTopology,
    Dimensions,
    InChannels,
    NetworkSpec,
    RegisteredName,
    SizePolicy,
    TopologyField,
)

MAX_STREAMS = 16
MAX_CHANNELS = 65536

STEM_STRIDES = {"strided": 2}
"""Stems that divide the sides of the image, and by what; the head multiplies them again."""

BY_IMAGE = ("instance", "group")
"""Normalizations by the mean and variance of one image."""

Channels = Annotated[int, Field(ge=1, le=MAX_CHANNELS)]


class Units(Document):
    """The unit on each kind of connection; `gridgen list units` names them."""

    lateral: RegisteredName = Field(
        default="residual", description="Unit of the connections along a stream."
    )
    subsampling: RegisteredName = Field(
        default="strided", description="Unit that halves height and width on the way down."
    )
    upsampling: RegisteredName = Field(
        default="deconv", description="Unit that doubles height and width on the way up."
    )


class ResidualFlags(Document):
    """Where the identity is added to what the unit computes (paper, section 4.1 and table 1)."""

    lateral: bool = Field(default=True, description="Identity along the streams.")
    vertical: bool = Field(
        default=False,
        description="Identity between streams: a 1x1 convolution projects it to the channels "
        "(stride 2 on the way down, nearest upsampling after it on the way up).",
    )


class GridSpec(NetworkSpec):
    """A grid of feature maps: streams (resolutions) by columns (sub- and upsampling).

    >>> GridSpec.load("specs/gridnet.yaml").shape
    '5 streams, 3+3 columns, F0 = 16'
    >>> spec = GridSpec(streams=3, columns="2+2", base_channels=8, classes=4)
    >>> spec.columns, spec.stream_channels
    (('sub', 'sub', 'up', 'up'), (8, 16, 32))
    """

    if TYPE_CHECKING:  # what is accepted, of which the fields below hold one form

        def __init__(
            self,
            *,
            streams: int,
            columns: str | Sequence[str],
            base_channels: int | None = None,
            channels: Sequence[int] | None = None,
            in_channels: int = 3,
            classes: int,
            dimensions: int = 2,
            units: Units | Mapping[str, str] = ...,
            fusion: str = "sum",
            residual: ResidualFlags | Mapping[str, bool] = ...,
            norm: str = "batch",
            activation: str = "relu",
            total_dropout: float = 0.0,
            stem: str = "conv",
            head: str = "deconv",
            side_channels: Sequence[int] | None = None,
            size: str = "error",
            topology: str | CustomTopology | Mapping[str, Sequence[str]] | None = None,
        ) -> None: ...

    streams: int = Field(
        ge=1,
        le=MAX_STREAMS,
        description="Number of resolutions N_S; stream i works at 1/2^i of the image's, or half of "
        "that with stem: strided.",
    )
    columns: Columns = Field(
        strict=False,
        min_length=1,
        max_length=MAX_COLUMNS,
        description="Sequence of sub (subsampling) and up (upsampling) columns; "
        "'3+3' is three sub columns, then three up columns.",
    )
    base_channels: Channels | None = Field(
        default=None, description="Channels F_0 of stream 0; each further stream has twice as many."
    )
    channels: tuple[Channels, ...] | None = Field(
        default=None, strict=False, description="Channels of each stream, instead of base_channels."
    )
    in_channels: InChannels = 3
    classes: Classes
    dimensions: Dimensions = 2
    units: Units = Field(default=Units(), description="The unit on each kind of connection.")
    fusion: RegisteredName = Field(
        default="sum", description="How the connections that arrive at a feature map are joined."
    )
    residual: ResidualFlags = Field(
        default=ResidualFlags(), description="Where the identity is added."
    )
    norm: RegisteredName = Field(
        default="batch",
        description="Normalization of the maps; with batch, of the image and the logits too.",
    )
    activation: RegisteredName = Field(
        default="relu", description="Activation after each normalization."
    )
    total_dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Probability that a training step drops a lateral unit (the paper's 1 - p).",
    )
    stem: RegisteredName = Field(
        default="conv",
        description="Layers before the grid; strided halves height and width, as all heads undo.",
    )
    head: RegisteredName = Field(default="deconv", description="Layers after the grid.")
    side_channels: tuple[Channels, ...] | None = Field(
        default=None,
        strict=False,
        description="Channels of features that may enter beside the image, one number for each "
        "stream below stream 0: at X(i, 0), of that map's size. None where not given.",
    )
    size: SizePolicy = "error"
    topology: TopologyField | None = Field(
        default=None,
        description="The connections that are kept: a name from `gridgen list topologies`, "
        "or lists of connections. All are kept where this is not given.",
    )

    @model_validator(mode="after")
    def _fields_fit(self) -> Self:
        """The rules that span fields."""
        channels_of_streams(self.streams, self.base_channels, self.channels)
        require_sides(self.streams, self.columns, self.fusion, self.side_channels)
        return self

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        # Against the order of the rooms: the tables of names stand beside what the names make.
        from gridgen.grid.building import require_names

        require_names(self)
        return self

    @field_serializer("columns")
    def _short_form(self, columns: tuple[Column, ...]) -> str | list[Column]:
        return as_written(columns)

    @cached_property
    def stream_channels(self) -> tuple[int, ...]:
        """F_i, the channels of each stream (section 3: F_{i+1} = 2 F_i unless given)."""
        return channels_of_streams(self.streams, self.base_channels, self.channels)

    @property
    def doubling(self) -> bool:
        """Whether channels double from stream to stream, as in the paper."""
        channels = self.stream_channels
        return channels == tuple(channels[0] << i for i in range(self.streams))

    def by_base_channels(self) -> Self:
        """The same network, its channels told by base_channels where they double.

        >>> GridSpec(streams=2, columns="1+1", channels=[4, 8], classes=3).by_base_channels()
        GridSpec(streams=2, columns='1+1', base_channels=4, classes=3)
        """
        if self.channels is None or not self.doubling:
            return self
        kept = {name: value for name, value in self.plain().items() if name != "channels"}
        return type(self)(**kept | {"base_channels": self.channels[0]})

    @cached_property
    def sub_columns(self) -> int:
        """N_Cs, the number of subsampling columns."""
        return self.columns.count("sub")

    @cached_property
    def up_columns(self) -> int:
        """N_Cu, the number of upsampling columns."""
        return self.columns.count("up")

    @cached_property
    def descends_once(self) -> bool:
        """Whether all sub columns come before all up columns."""
        return self.columns == ("sub",) * self.sub_columns + ("up",) * self.up_columns

    @property
    def stride(self) -> int:
        """What the stem divides the sides of the image by."""
        return STEM_STRIDES.get(self.stem, 1)

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of: 2^(N_S - 1), times the stem's stride."""
        return self.stride << (self.streams - 1)

    @property
    def needs(self) -> str:
        """Which sizes are legal, in words."""
        after = f" after a stem of stride {self.stride}" if self.stride > 1 else ""
        return f"{self.streams} streams{after} need {self.legal_sides}"

    @property
    def least(self) -> int:
        """The smallest legal side: two multiples where each image is normalized by itself."""
        # One place of the lowest stream alone has no variance, and torch refuses it.
        return self.multiple * (2 if self.norm in BY_IMAGE else 1)

    def _repr_svg_(self) -> str | None:
        # Against the order of the rooms: a notebook asks the spec for the picture of its grid.
        from gridgen.grid.building import build_grid

        try:
            return build_grid(self)._repr_svg_()
        except GridgenError:  # a topology may leave no path
            return None

    @property
    def title(self) -> str:
        """What the topology is called: its name, `gridnet` for all, or `custom`."""
        if self.topology is None:
            return "gridnet"
        return self.topology if isinstance(self.topology, str) else "custom"

    @property
    def shape(self) -> str:
        """The grid in a few words, such as `5 streams, 3+3 columns, F0 = 16`."""
        channels = self.stream_channels
        width = (
            f"F0 = {channels[0]}" if self.doubling else f"channels {'/'.join(map(str, channels))}"
        )
        streams = f"{self.streams} stream{'s' if self.streams > 1 else ''}"
        sides = f", {self.dimensions}-d" if self.dimensions != 2 else ""
        return f"{streams}, {shorten(self.columns)} columns, {width}{sides}"


def channels_of_streams(
    streams: int, base_channels: int | None, channels: tuple[int, ...] | None
) -> tuple[int, ...]:
    """F_i of every stream. Errors: `SpecError` where the three fields do not fit.

    >>> channels_of_streams(3, 8, None)
    (8, 16, 32)
    """
    if (base_channels is None) == (channels is None):
        if channels is None:
            raise SpecError("base_channels or channels is missing; add one of them")
        fact = "given beside base_channels; leave one of the two out, or null"
        raise SpecError(fact, ("channels",))
    if channels is not None and len(channels) != streams:
        fact = f"{len(channels)} values for {streams} streams; give one per stream"
        raise SpecError(fact, ("channels",))
    every = channels or tuple((base_channels or 0) << i for i in range(streams))
    if max(every) > MAX_CHANNELS:
        raise SpecError(
            f"{base_channels} at {streams} streams makes {max(every)} channels; "
            f"{MAX_CHANNELS} at most",
            ("base_channels",),
        )
    return every


def require_sides(
    streams: int, columns: tuple[Column, ...], fusion: str, side_channels: tuple[int, ...] | None
) -> None:
    """Features may enter at every stream below stream 0. Errors: `SpecError`."""
    if side_channels is None:
        return
    field, given = ("side_channels",), len(side_channels)
    if given != streams - 1:
        fact = f"{given} values, but {streams - 1} streams below stream 0; give one for each"
        raise SpecError(fact, field)
    if fusion != "sum":
        raise SpecError(f"features are added; set fusion: sum, not {fusion}", field)
    if columns[0] != "sub":
        raise SpecError("no lower stream begins in an up column; begin with sub", field)
