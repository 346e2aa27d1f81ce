"""What was seen of one split, and what is wrong with it. Reads no file."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from gridgen.data.frequencies import Counts
from gridgen.data.likeness import details

Size = tuple[int, int]


@dataclass(frozen=True)
class Finding:
    """Something wrong or odd: its kind in a word, and in a line what and where."""

    kind: str
    text: str

    def as_json(self) -> dict[str, str]:
        """The same as JSON types."""
        return {"kind": self.kind, "text": self.text}


@dataclass
class Split:
    """What images and labels came to so far. `counts` are those of the labels."""

    name: str
    counts: Counts
    images: int = 0
    labels: int = 0
    label_pixels: int = 0
    names: list[str] = field(default_factory=list)
    sizes: Counter[Size] = field(default_factory=Counter)
    depths: Counter[tuple[int, int | None]] = field(default_factory=Counter)
    """How many images have so many channels of so many bits, None where no file says."""
    details: list[Tensor] = field(default_factory=list)
    """Of each image, in the order of `names`."""
    blank: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    """Files beside the images and labels that are neither."""
    faults: list[Finding] = field(default_factory=list)

    def add_image(self, name: str, image: Tensor, bits: int | None) -> None:
        """Take in an image (channels, H, W)."""
        self.images += 1
        self.names.append(name)
        height, width = image.shape[1:]
        self.sizes[height, width] += 1
        self.depths[len(image), bits] += 1
        self.details.append(details(image))
        if image.amin() == image.amax():
            self.blank.append(name)

    def add_label(self, label: Tensor) -> None:
        """Take in a label (H, W)."""
        self.labels += 1
        self.label_pixels += label.numel()
        self.counts.add(label)

    @property
    def ignored(self) -> float:
        """The share of label pixels that are of no class."""
        return 1 - sum(self.counts.frequencies().pixels) / max(self.label_pixels, 1)

    def fault(self, kind: str, text: object) -> None:
        """Note what is wrong."""
        self.faults.append(Finding(kind, str(text)))

    def as_json(self) -> dict[str, Any]:
        """The same as JSON types."""
        found = self.counts.frequencies()
        return {
            "images": self.images,
            "sizes": {f"{width}x{height}": n for (height, width), n in self.sizes.most_common()},
            "depths": [
                {"channels": channels, "bits": bits, "images": number}
                for (channels, bits), number in self.depths.most_common()
            ],
            "pixels": list(found.pixels),
            "images_with_class": list(found.images),
            "ignored_pixels": self.label_pixels - sum(found.pixels),
            "median_frequency_weights": list(found.weights),
        }
