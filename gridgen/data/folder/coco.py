"""Labels that are drawn from COCO annotations: a JSON file of images, categories and objects.

Format: https://cocodataset.org/#format-data. How an outline becomes pixels: `outlines.py`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from os.path import normpath
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from pydantic import BaseModel, PositiveInt, ValidationError

from gridgen.data.dataset import IGNORE
from gridgen.data.folder.classes import ClassList
from gridgen.data.folder.labels import UNLISTED, StoredLabel
from gridgen.data.folder.layout import Layout, SampleFiles
from gridgen.data.folder.outlines import outlined
from gridgen.errors import DataError
from gridgen.files import is_file, read_bytes
from gridgen.images import Window
from gridgen.images.files import read_header
from gridgen.memory.host import host_memory
from gridgen.names import composed
from gridgen.text import brief

BACKGROUND = "background"
"""The class of pixels that belong to no object; without a class of that name they are ignored."""
Id = int | str


class CocoImage(BaseModel):
    """An image as the file describes it."""

    id: Id
    file_name: str
    height: PositiveInt
    width: PositiveInt


class CocoAnnotation(BaseModel):
    """An object: polygons, or run lengths of {size, counts}; `iscrowd` marks a group of many."""

    id: Id = "?"
    image_id: Id
    category_id: Id
    iscrowd: bool = False
    segmentation: Any = None


class CocoCategory(BaseModel):
    """A category, which the class of its name stands for."""

    id: Id
    name: str

    @property
    def class_name(self) -> str:
        """The name of its class in classes.txt."""
        return composed(self.name.strip())


class CocoFile(BaseModel):
    """The parts of the file that labels need."""

    images: list[CocoImage]
    annotations: list[CocoAnnotation]
    categories: list[CocoCategory]


def read_coco(path: Path) -> CocoFile:
    """The annotations in a file, read once while it stays the same. Errors: `DataError`."""
    try:
        status = path.stat()
        return _parsed(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; it holds the annotations") from error


@lru_cache(maxsize=4)
def _parsed(path: Path, size: int, time: int) -> CocoFile:
    try:
        # What is read takes several times as much memory as the file.
        return CocoFile.model_validate_json(read_bytes(path, host_memory() // 4))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        fact = f"{place} is missing" if first["type"] == "missing" else first["msg"]
        where = f"{place}: " if place and first["type"] != "missing" else ""
        raise DataError(f"{path}: {where}{fact}; COCO annotations are wanted") from error


@dataclass(frozen=True)
class _Drawing:
    """An image of the file and its objects, the topmost one last."""

    image: CocoImage
    objects: list[CocoAnnotation]


class CocoLabels:
    """Labels that are drawn from the annotations of the split's JSON file.

    Objects are drawn in the order of the file, later ones on top, with the class of their
    category's name. What is marked `iscrowd` is ignored.
    """

    def __init__(
        self, layout: Layout, split: str, listed: ClassList, faults: list[DataError]
    ) -> None:
        self._path = layout.place(split, layout.settings.labels)
        _require_pycocotools(self._path)
        content = read_coco(self._path)
        ids = {line.name: line.id if line.role == "class" else IGNORE for line in listed.lines}
        self._names = {category.id: category.class_name for category in content.categories}
        self._labels = {key: ids.get(name, UNLISTED) for key, name in self._names.items()}
        self._background = ids.get(BACKGROUND, IGNORE)
        drawings = {image.id: _Drawing(image, []) for image in content.images}
        for fault in _misplaced(content, drawings, self._names):
            faults.append(DataError(f"{self._path}: {fault}"))
        for annotation in content.annotations:
            if annotation.image_id in drawings and annotation.category_id in self._names:
                drawings[annotation.image_id].objects.append(annotation)
        self._drawings: dict[Path, _Drawing] = {}
        self.files: dict[str, Path] = {}
        self._match(layout, split, drawings, faults)

    def _match(
        self, layout: Layout, split: str, drawings: dict[Id, _Drawing], faults: list[DataError]
    ) -> None:
        """Find the file of each image. A `file_name` begins at the folder of the split's images,
        or at that of the dataset.
        """
        folders = (layout.place(split, layout.settings.images), layout.root)
        names = {files[0]: name for name, files in layout.images(split).items()}
        by_path = {composed(normpath(path)): path for path in names}
        for drawing in drawings.values():
            inside = PurePosixPath(drawing.image.file_name.replace("\\", "/"))
            # Of one file there may be entries with a/../ in them and without.
            places = [Path(normpath(folder / inside)) for folder in folders]
            found = [by_path[key] for p in places if (key := composed(str(p))) in by_path]
            other = self._drawings.get(found[0]) if found else None
            if other and other.image.file_name != drawing.image.file_name:
                fact = f"images {other.image.file_name!r} and {drawing.image.file_name!r}"
                fact = f"{fact} are one file, {found[0]}; merge them"
                faults.append(DataError(f"{self._path}: {fact}"))
            elif found:
                self.files[names[found[0]]] = self._path
                self._drawings[found[0]] = drawing
            # A file that is there may belong to another split.
            elif not any(map(is_file, places)):
                fact = f"image {drawing.image.file_name!r} is not in {folders[0]}"
                faults.append(DataError(f"{self._path}: {fact}"))

    def read(self, sample: SampleFiles, window: Window | None = None) -> StoredLabel:
        """As `LabelSource.read`. Errors: `DataError`."""
        drawing = self._drawings[sample.images[0]]
        size = drawing.image.height, drawing.image.width
        # Before anything of that size is made.
        if (of_file := read_header(sample.images[0]).size) != size:
            said, found = ("x".join(map(str, each)) for each in (size, of_file))
            fact = f"image {drawing.image.file_name!r} has {said} pixels there, and {found} itself"
            raise DataError(f"{self._path}: {fact}")
        label = np.full(size, self._background, np.int64)
        for annotation in drawing.objects:
            try:
                mask = outlined(annotation.segmentation, *size)
            except ValueError as error:
                raise DataError(f"{self._path}: annotation {annotation.id}: {error}") from error
            label[mask] = IGNORE if annotation.iscrowd else self._labels[annotation.category_id]
        part = label if window is None else label[window.rows, window.columns]
        return StoredLabel(part, None)

    def unlisted(self, sample: SampleFiles) -> str | None:
        """As `LabelSource.unlisted`."""
        drawing = self._drawings[sample.images[0]]
        missing = Counter(
            self._names[each.category_id]
            for each in drawing.objects
            if self._labels[each.category_id] == UNLISTED
        )
        if not missing:
            return None
        shown = [f"{name} ({number:,} in {sample.name})" for name, number in missing.items()]
        fact = f"categories that classes.txt has not: {brief(shown, 5)}"
        return f"{self._path}: {fact}; list them there, perhaps with the role ignore"


def _misplaced(
    content: CocoFile, drawings: dict[Id, _Drawing], names: dict[Id, str]
) -> Iterator[str]:
    """What refers to nothing, or is there twice."""
    for what, several in (
        ("image id", [image.id for image in content.images]),
        ("file_name", [image.file_name for image in content.images]),
        ("category id", [category.id for category in content.categories]),
    ):
        for key, number in Counter(several).items():
            if number > 1:
                yield f"{what} {key!r} stands there {number} times"
    for annotation in content.annotations:
        if annotation.image_id not in drawings:
            yield f"annotation {annotation.id} is of image {annotation.image_id}, which is missing"
        elif annotation.category_id not in names:
            fact = f"annotation {annotation.id} is of category {annotation.category_id}"
            yield f"{fact}, which is missing"


def _require_pycocotools(path: Path) -> None:
    try:
        import pycocotools.mask  # noqa: F401 - only these labels need it
    except ImportError as error:
        fact = f"{path}: COCO annotations need pycocotools, which is not installed"
        raise DataError(f"{fact}; pip install 'gridgen[coco]'") from error
