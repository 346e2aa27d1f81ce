"""The labels of a folder, wherever they come from: `raster.py` has image files, `coco.py` JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gridgen.data.folder.layout import SampleFiles
from gridgen.errors import DataError
from gridgen.images import Window
from gridgen.images.header import Header

Labels = npt.NDArray[np.int64]
"""(H, W): ids of classes, `IGNORE`, or `UNLISTED`."""

UNLISTED = -1


class StoredLabel(NamedTuple):
    """The label of a sample as it was read."""

    labels: Labels
    """With `UNLISTED` for what no class is known for."""
    header: Header | None
    """That of its image file; None where it was drawn."""


class LabelSource(Protocol):
    """Where the labels of a split come from."""

    @property
    def files(self) -> Mapping[str, Path]:
        """The file that holds the label of each image, by the name that both share."""

    def read(self, sample: SampleFiles, window: Window | None = None) -> StoredLabel:
        """The label of a sample, or its part."""

    def unlisted(self, sample: SampleFiles) -> str | None:
        """What a label stores that no class is known for, in words; None for nothing."""


def labels_in(source: LabelSource, sample: SampleFiles, window: Window | None = None) -> Labels:
    """(H, W): the label of each pixel, or of those in `window`.

    Errors: `DataError` that names the file and what classes.txt does not have.
    """
    labels = source.read(sample, window).labels
    if (labels == UNLISTED).any() and (fault := source.unlisted(sample)):
        raise DataError(fault)
    return labels
