"""A published network: a spec that fills its own grid."""

from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from gridgen.errors import SpecError
from gridgen.grid.grid import Grid
from gridgen.grid.layers import RGB, ImagenetNorm
from gridgen.spec import Classes, CustomTopology, InChannels, NetworkSpec, SizePolicy

COMMON = ("architecture", "dimensions", "normalize", "size", "topology")
"""Fields that say nothing about the network itself."""


class Architecture(NetworkSpec):
    """A network of its own shape, by name, with the few parameters that it has.

    Subclasses are the files of `gridgen/architectures/`: each adds its parameters as fields and
    says in `fill` how the network is laid out. `topology` lists connections to keep or to drop.
    """

    architecture: str
    in_channels: InChannels = 3
    classes: Classes = 19
    dimensions: Literal[2] = 2
    size: SizePolicy = "error"
    normalize: Literal["none", "imagenet"] = Field(
        default="none",
        description="Images as they are, or less ImageNet's mean and over its deviation, as "
        "weights trained there expect.",
    )
    topology: CustomTopology | None = None

    @classmethod
    def settings(cls) -> dict[str, Any]:
        """The network's own settings, and their defaults."""
        fields = {name: field for name, field in cls.model_fields.items() if name not in COMMON}
        return {name: field.default for name, field in fields.items()}

    def fill(self) -> Grid:
        """The whole network as a grid."""
        raise NotImplementedError

    def whole(self) -> Grid:
        """The whole network, with the normalization of images before its stem where it has one."""
        grid = self.fill()
        if self.normalize == "none":
            return grid
        return replace(grid, stem=(ImagenetNorm(), *grid.stem))

    @model_validator(mode="after")
    def _has_colours(self) -> Self:
        if self.normalize == "imagenet" and self.in_channels != RGB:
            fact = f"imagenet has means of {RGB} colours, in_channels is {self.in_channels}"
            raise SpecError(f"{fact}; change one of them", ("normalize",))
        return self

    @field_validator("topology", mode="before")
    @classmethod
    def _has_no_topology_of_the_grid(cls, value: Any) -> Any:
        if isinstance(value, str):
            fact = f"{value!r} is for the paper's grid; this is a network of its own"
            raise ValueError(f"{fact}; give {{keep: [...]}} or {{drop: [...]}}")
        return value

    @property
    def title(self) -> str:
        """The name in the list of architectures."""
        return self.architecture

    @property
    def shape(self) -> str:
        """Channels in and classes, and the network's own parameters."""
        own = [name for name in type(self).model_fields if name not in Architecture.model_fields]
        given = [f"{name.replace('_', ' ')} {getattr(self, name)}" for name in own]
        return ", ".join([super().shape, *given])
