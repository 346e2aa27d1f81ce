"""What of a training image the network sees, and how it is changed before."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from gridgen.spec import Document

Side = Annotated[int, Field(ge=1, le=16384)]
Part = Annotated[float, Field(ge=0, le=1)]


class Crop(Document):
    """Random squares cut from the training images, resized to one size (section 4)."""

    smallest: Side = Field(description="Least side of the square, in pixels.")
    largest: Side = Field(description="Greatest side of the square, in pixels.")
    size: Side = Field(ge=8, description="Side that the network is given, in pixels.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError(f"smallest {self.smallest} is more than largest {self.largest}")
        return self


class Augmentation(Document):
    """Changes drawn anew for every image of a batch, on the device that trains.

    In this order; each image gets its own. Colours and blur need kornia (the extra `augment`).
    Brightness and contrast are of grey and RGB images, saturation and hue of RGB alone.
    """

    rotation: float = Field(
        default=0.0,
        ge=0,
        le=180,
        description="Turn by -r to r degrees; what comes in from outside is left out of the loss.",
    )
    brightness: Part = Field(default=0.0, description="Values times 1 - b to 1 + b.")
    contrast: Part = Field(
        default=0.0, description="Distance from the image's mean grey times 1 - c to 1 + c."
    )
    saturation: Part = Field(
        default=0.0, description="Distance from each pixel's grey times 1 - s to 1 + s."
    )
    hue: float = Field(default=0.0, ge=0, le=0.5, description="Turn from -h to h, 1 a full one.")
    blur: Part = Field(
        default=0.0, description="Probability of a Gaussian blur of 0.1 to 2 pixels."
    )
    noise: Part = Field(default=0.0, description="Standard deviation of Gaussian noise.")
