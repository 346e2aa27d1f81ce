"""`dataset.yaml`: where the files of a folder lie, and what the numbers in them mean."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gridgen.errors import SpecError
from gridgen.images.files import SUFFIXES
from gridgen.images.scale import ScaleFields

SETTINGS = "dataset.yaml"
CLASSES = "classes.txt"
PLACEHOLDERS = ("split", "folder", "name", "channel")
IMAGES, LABELS = "{split}/images/{name}", "{split}/labels/{name}"


def _pattern(text: str) -> str:
    """A path below the folder, with one `{name}`. Errors: `ValueError`."""
    unknown = set(re.findall(r"{(.*?)}", text)) - set(PLACEHOLDERS)
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"{text!r} has the unknown part {{{min(unknown)}}}; known: {known}")
    if text.startswith("/") or ".." in Path(text).parts:
        raise ValueError(f"{text!r} leads out of the folder; write a path below it")
    if text.endswith(".json"):
        return text
    if text.count("{name}") != 1:
        raise ValueError(f"{text!r} has not one {{name}}; write one, such as {IMAGES}")
    if text.count("{split}") > 1 or "{split}" in Path(text).name:
        raise ValueError(f"{text!r}: {{split}} is not in the name of one folder; write {IMAGES}")
    if "{folder}" in text and "{folder}" not in Path(text).parent.parts:
        raise ValueError(f"{text!r}: {{folder}} is not a folder of its own; write {{folder}}/...")
    place = Path(text)
    return str(place.with_suffix("")) if place.suffix.lower() in SUFFIXES else text


PathPattern = Annotated[str, AfterValidator(_pattern)]
MOST_STORED = 2**63 - 1
"""The largest number of a label: of 64 bits with a sign."""
# Keys of YAML are read as text.
StoredNumber = Annotated[int, Field(strict=False, ge=-MOST_STORED - 1, le=MOST_STORED)]
Meaning = int | Literal["ignore"]


class FolderSettings(ScaleFields):
    """Settings of a dataset folder. All have defaults, so the file may be absent.

    >>> FolderSettings.parse("white: 4095").white
    4095.0
    """

    kind: ClassVar[str] = "dataset"

    images: PathPattern = IMAGES
    """Where images lie, without their endings: `{name}` pairs them with labels and may hold
    folders, `{split}` is the folder of a split or part of its name, `{folder}` a folder that both
    have, `{channel}` numbers files of one channel each.
    """
    labels: PathPattern = LABELS
    """Where labels lie, without their endings; or a JSON file of COCO annotations."""
    splits: Annotated[Mapping[str, str], Field(min_length=1)] | None = None
    """The folder that `{split}` stands for, of each split; without `{split}` in the patterns, a
    text file with a name in each line. Left out, every folder is a split, or all are train.
    """
    values: Annotated[Mapping[StoredNumber, Meaning], Field(min_length=1)] | None = None
    """The id in classes.txt that each number in labels stands for, or `ignore`."""

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if ("{split}" in self.images) != ("{split}" in self.labels):
            raise SpecError("images and labels differ in {split}; write it in both", ("labels",))
        if self.images.endswith(".json"):
            raise SpecError("images are files; write a pattern with {name}", ("images",))
        if self.values and self.labels.endswith(".json"):
            fact = "COCO annotations hold categories, which classes.txt lists by name; leave it out"
            raise SpecError(fact, ("values",))
        if self.images == self.labels:
            raise SpecError("labels lie where images lie; write another pattern", ("labels",))
        if ("{folder}" in self.images) != ("{folder}" in self.labels):
            raise SpecError("images and labels differ in {folder}; write it in both", ("labels",))
        if "{channel}" in self.labels:
            raise SpecError("a label is one file; leave {channel} out", ("labels",))
        if self.splits and self.has_lists:
            for split, place in self.splits.items():
                if not place.endswith(".txt"):
                    fact = f"{place!r} is no list; name a .txt file, or write {{split}} in images"
                    raise SpecError(fact, ("splits", split))
        places: dict[Path, str] = {}
        for split, place in (self.splits or {}).items():
            if place.startswith("/") or ".." in Path(place).parts:
                fact = f"{place!r} leads out of the folder; write a path below it"
                raise SpecError(fact, ("splits", split))
            if (other := places.setdefault(Path(place), split)) != split:
                fact = f"{place!r} is {other} too; what is trained on does not score itself"
                raise SpecError(fact, ("splits", split))
        return self

    @property
    def has_lists(self) -> bool:
        """Whether splits are lists of names, since the paths do not tell them."""
        return "{split}" not in self.images


def read_settings(root: Path) -> FolderSettings:
    """The settings of the folder, or the defaults. Errors: `SpecError` with file and line."""
    path = root / SETTINGS
    return FolderSettings.load(path) if path.exists() else FolderSettings()
