"""The images that files and folders name, each with a name of its own."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridgen.data.images import SUFFIXES
from gridgen.errors import DataError


@dataclass(frozen=True)
class Found:
    """An image file, and what files made from it are called: its path below the folder that was
    given, without its ending.
    """

    path: Path
    name: str


def find_images(given: Sequence[str | Path], out: Path) -> list[Found]:
    """The images of files and folders, in the order given, a folder's by name.

    Folders are gone through to the bottom; hidden files and folders, links to folders, `labels`
    beside `images`, and what lies in `out`, are passed over. Where several arguments are given, an
    image of a folder is called after the folder too. Errors: `DataError` where a folder holds no
    image, or where two images have one name.
    """
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
    """No image of the user's is overwritten by a picture of ours, and no picture by another."""
    given, before = {path.resolve() for path in images}, set()
    for path in written:
        if path.resolve() in given:
            raise DataError(f"{path}: would overwrite an image; name another folder with -o")
        if path in before:
            raise DataError(f"{path}: two images would be written there; rename one of them")
        before.add(path)


def _walk(folder: Path, out: Path) -> Iterator[Path]:
    apart = out.resolve() if out.resolve() != folder.resolve() else None
    for place, folders, files in os.walk(folder):
        hidden = "labels" if "images" in folders else "."
        shown = (name for name in folders if not name.startswith(".") and name != hidden)
        folders[:] = sorted(name for name in shown if Path(place, name).resolve() != apart)
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(place, name)


def _name(image: Path, folder: Path, arguments: int) -> str:
    below = image.relative_to(folder).with_suffix("")
    return str(below if arguments == 1 else Path(folder.resolve().name) / below)


def _require_names_apart(found: Sequence[Found]) -> None:
    """Two images of one name would overwrite each other."""
    named: dict[str, Path] = {}
    for image in found:
        if image.name in named:
            fact = f"{named[image.name]} and {image.path} are both called {image.name}"
            raise DataError(f"{fact}; predict them into two folders")
        named[image.name] = image.path
