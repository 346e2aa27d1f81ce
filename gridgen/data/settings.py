"""The file `dataset.yaml` that a dataset folder may have: what its pixels mean."""

from pathlib import Path
from typing import ClassVar

from pydantic import PositiveFloat

from gridgen.spec import Document

FILE = "dataset.yaml"


class FolderSettings(Document):
    """Settings of a dataset folder. All have defaults, so the file may be absent.

    >>> FolderSettings.parse("white: 4095").white
    4095.0
    """

    kind: ClassVar[str] = "dataset"

    white: PositiveFloat | None = None
    """The value that becomes 1 in images of more than 8 bits; 4095 of a 12-bit camera. Without it
    each channel of each file is stretched on its own (`read_image`).
    """


def read_settings(root: Path) -> FolderSettings:
    """What the folder's file says. Errors: `SpecError` with file and line."""
    path = root / FILE
    return FolderSettings.load(path) if path.exists() else FolderSettings()
