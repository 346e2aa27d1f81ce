"""What every network spec says, be it of the paper's family or of a published network."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gridgen.spec.document import Document
from gridgen.spec.topology import CustomTopology

InChannels = Annotated[int, Field(ge=1, le=4096, description="Channels of the image.")]
Classes = Annotated[
    int,
    Field(
        ge=1,
        le=4096,
        description="Number K of what the head predicts: classes, or output channels of a network "
        "that restores images.",
    ),
]
SizePolicy = Annotated[
    Literal["error", "pad", "crop", "resize"],
    Field(
        description="For image sides that the network cannot take: refuse them (error); extend "
        "the image by its border and crop the prediction (pad); predict the middle that fits, "
        "its border values beyond (crop); or resize the image and the prediction back (resize).",
    ),
]


class NetworkSpec(Document):
    """A document from which a grid can be built. Its kinds say how; all say what stands here."""

    kind: ClassVar[str] = "spec"

    if TYPE_CHECKING:  # declared by each kind, which orders its own fields
        in_channels: InChannels
        classes: Classes
        size: SizePolicy
        topology: str | CustomTopology | None

    @property
    def title(self) -> str:
        """What the network is called in pictures, reports and file names."""
        raise NotImplementedError

    @property
    def shape(self) -> str:
        """The network's measures in a few words: channels in and classes, if it has no others."""
        plural = "s" if self.in_channels > 1 else ""
        return f"{self.in_channels} channel{plural}, {self.classes} classes"

    @property
    def multiple(self) -> int:
        """What height and width must be multiples of."""
        raise NotImplementedError

    @property
    def least(self) -> int:
        """The smallest legal height and width."""
        return self.multiple

    @property
    def needs(self) -> str:
        """Which sizes are legal, in words."""
        least = f", {self.least} at least" if self.least > self.multiple else ""
        return f"{self.title} needs multiples of {self.multiple}{least}"
