"""The image files that paths and folders stand for, without the labels beside them."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridgen.data.folder.layout import Layout
from gridgen.data.folder.settings import SETTINGS
from gridgen.errors import DataError
from gridgen.files import is_file
from gridgen.images.files import SUFFIXES
from gridgen.names import composed

IMAGE_FOLDERS = frozenset({"images", "JPEGImages", "imagesTr"})
LABEL_FOLDERS = frozenset({"labels", "masks", "SegmentationClass", "labelsTr"})
"""What folders of labels are called beside those of images."""
DEEPEST = 3
"""How far above a folder its dataset may begin."""


@dataclass(frozen=True)
class Found:
    """An image file, and what files made from it are called: its path below the folder that was
    given, without its ending.
    """

    path: Path
    name: str


def find_images(given: Sequence[str | Path], out: Path) -> list[Found]:
    """The images of files and folders, in the order given, a folder's by name.

    Folders are gone through to the bottom; hidden files and folders, links to folders, labels and
    what lies in `out` are passed over. Labels are what the dataset.yaml of the folder, or of one
    above it, calls so, and what lies in `labels`, `masks` and the like beside `images`. Where
    several arguments are given, an image of a folder is called after the folder too. Errors:
    `DataError` where a folder holds no image, or where two images have one name.
    """
    if not given:
        raise DataError("no images are given; name files or folders")
    found: list[Found] = []
    for path in map(Path, given):
        if not path.is_dir():
            found.append(Found(path, path.stem))
            continue
        below = [Found(image, _name(image, path, len(given))) for image in _walk(path, out)]
        if not below:
            raise DataError(f"{path}: no images in it; they end in {', '.join(SUFFIXES)}")
        found += below
    _require_names_apart(found)
    return found


def require_apart(images: Sequence[Path], written: Sequence[Path]) -> None:
    """Refuse to overwrite an image of the user's by a picture, or a picture by another."""
    given, before = {path.resolve() for path in images}, set()
    for path in written:
        if path.resolve() in given:
            raise DataError(f"{path}: would overwrite an image; name another folder with -o")
        if path in before:
            raise DataError(f"{path}: two images would be written there; rename one of them")
        before.add(path)


def _walk(folder: Path, out: Path) -> Iterator[Path]:
    apart = out.resolve() if out.resolve() != folder.resolve() else None
    labels = _labels_near(folder)
    for place, folders, files in os.walk(folder):
        hidden = LABEL_FOLDERS if IMAGE_FOLDERS & {*folders} else frozenset()
        shown = (name for name in folders if not name.startswith(".") and name not in hidden)
        folders[:] = sorted(name for name in shown if Path(place, name).resolve() != apart)
        for path in (Path(place, name) for name in sorted(files) if not name.startswith(".")):
            if path.suffix.lower() in SUFFIXES and path.resolve() not in labels:
                yield path


def _labels_near(folder: Path) -> frozenset[Path]:
    """The label files of the dataset that a folder is, or lies in. Errors: `SpecError`."""
    whole = folder.resolve()
    for root in (whole, *whole.parents[:DEEPEST]):
        if is_file(root / SETTINGS):
            layout = Layout.of(root)
            found = (layout.labels(split, []) for split in layout.splits)
            return frozenset(path.resolve() for files in found for path in files.values())
    return frozenset()


def _name(image: Path, folder: Path, arguments: int) -> str:
    below = image.relative_to(folder).with_suffix("")
    return str(below if arguments == 1 else Path(folder.resolve().name) / below)


def _require_names_apart(found: Sequence[Found]) -> None:
    """Refuse two images of one name, which would overwrite each other."""
    named: dict[str, Path] = {}
    for image in found:
        # Some file systems take two ways of writing an umlaut for one name.
        if (name := composed(image.name)) in named:
            fact = f"{named[name]} and {image.path} are both called {name}"
            raise DataError(f"{fact}; predict them into two folders")
        named[name] = image.path
