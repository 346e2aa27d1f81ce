"""A published network: a spec that fills its own grid."""

from typing import Any, Literal

from pydantic import field_validator

from gridgen.grid.grid import Grid
from gridgen.spec import Classes, CustomTopology, InChannels, NetworkSpec, SizePolicy

COMMON = ("architecture", "dimensions", "size", "topology")
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
    topology: CustomTopology | None = None

    @classmethod
    def settings(cls) -> dict[str, Any]:
        """The network's own settings, and their defaults."""
        fields = {name: field for name, field in cls.model_fields.items() if name not in COMMON}
        return {name: field.default for name, field in fields.items()}

    def fill(self) -> Grid:
        """The whole network as a grid."""
        raise NotImplementedError

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
