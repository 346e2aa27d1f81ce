"""What a grid filled by hand says of itself."""

from typing import Annotated

from pydantic import Field

from gridgen.spec.network import Classes, InChannels, NetworkSpec, SizePolicy
from gridgen.spec.topology import CustomTopology, Name


class DraftSpec(NetworkSpec):
    """A network that only its draft knows: it is counted, drawn and made a module, not stored.

    >>> DraftSpec.of(classes=2, step=4).needs
    'draft needs multiples of 4'
    """

    name: Name = "draft"
    in_channels: InChannels = 3
    classes: Classes
    step: Annotated[int, Field(ge=1, description="What image sides must be multiples of.")] = 1
    smallest: Annotated[int, Field(ge=0, description="The smallest legal side, if larger.")] = 0
    size: SizePolicy = "error"
    topology: CustomTopology | None = None

    @property
    def title(self) -> str:
        """The draft's name."""
        return self.name

    @property
    def multiple(self) -> int:
        """`step`."""
        return self.step

    @property
    def least(self) -> int:
        """`smallest`, or one step."""
        return max(self.smallest, self.step)
