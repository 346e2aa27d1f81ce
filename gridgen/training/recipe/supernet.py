"""The section of a recipe by which sub-networks are trained too, with the weights of the whole."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from gridgen.errors import unknown
from gridgen.grid import GridSpec
from gridgen.space.subnetworks import SAMPLINGS, Subnetworks
from gridgen.spec import Document
from gridgen.spec.facts import shown_value
from gridgen.spec.network import TopologyField

EVERY = "every"
MOST_SAMPLES = 64


def _topologies_kind(value: Any) -> str:
    if isinstance(value, str) and value != EVERY:
        fact = f"{shown_value(value)} is no list of topologies"
        raise ValueError(f"{fact}; give [{value}, ...], or {EVERY}")
    return EVERY if value == EVERY else "list"


Topologies = Annotated[
    Annotated[Literal["every"], Tag(EVERY)]
    | Annotated[tuple[TopologyField, ...], Field(min_length=1, strict=False), Tag("list")],
    Discriminator(_topologies_kind),
]
Width = Annotated[int, Field(ge=1, le=65536)]


class Supernet(Document):
    """Which sub-networks share the weights of the network, and how they are trained with it.

    A step is the whole network, the smallest, and some at random, on the same batch (the sandwich
    rule of Yu and Huang, "Universally slimmable networks", ICCV 2019); gradients are averaged.

    >>> spec = GridSpec(streams=3, columns="2+2", base_channels=8, classes=4)
    >>> Supernet(base_channels=[4, 8]).networks(spec).number
    558
    """

    kind: ClassVar[str] = "supernet"

    topologies: Topologies = Field(
        default="every",
        description="Topologies of the sub-networks, names or lists of connections; every stands "
        "for all sub-topologies of the grid.",
    )
    base_channels: tuple[Width, ...] = Field(
        default=(),
        strict=False,
        description="Widths of the sub-networks, which have the first channels of the whole; the "
        "spec has the widest, and no other is trained if not given.",
    )
    samples: int = Field(
        default=2, ge=1, le=MOST_SAMPLES, description="Sub-networks drawn at random in each step."
    )
    smallest: bool = Field(default=True, description="Whether each step trains the smallest too.")
    sampling: str = Field(
        default="uniform",
        description="How they are drawn: uniform, all alike; cost, as many cheap ones as dear "
        "ones; fair, all connections alike, so that some networks are hardly ever drawn.",
    )
    distillation: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the loss of a sub-network that is its distance from what the whole "
        "network predicts; the rest is that from the labels.",
    )

    recalibration: int = Field(
        default=16,
        ge=1,
        le=10_000,
        description="Batches by which the statistics of batch normalization are made anew for a "
        "sub-network before it is scored or taken away.",
    )

    @field_validator("sampling")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in SAMPLINGS:
            raise ValueError(unknown("sampling", name, SAMPLINGS))
        return name

    @field_validator("base_channels")
    @classmethod
    def _none_twice(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(widths)) < len(widths):
            raise ValueError(f"{list(widths)} has a width twice; remove one")
        return widths

    @property
    def networks_a_step(self) -> int:
        """How many networks a step trains, the whole one among them."""
        return 1 + self.smallest + self.samples

    def networks(self, spec: GridSpec) -> Subnetworks:
        """The sub-networks of a grid. Errors: `SpecError`, `TopologyError`."""
        if self.topologies == EVERY:
            return Subnetworks.every(spec, self.base_channels)
        return Subnetworks.some(spec, self.topologies, self.base_channels)
