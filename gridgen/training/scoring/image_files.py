"""The image files that paths and folders stand for, without the labels beside them."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gridgen.arguments import PathLike
from gridgen.data.folder.layout import Layout
from gridgen.data.folder.patterns import name_of, path_expression
from gridgen.data.folder.settings import SETTINGS
from gridgen.errors import DataError, SpecError
from gridgen.files import is_file
from gridgen.images.files import SUFFIXES, read_header
from gridgen.names import composed

IMAGE_FOLDERS = frozenset({"images", "JPEGImages", "imagesTr"})
LABEL_FOLDERS = frozenset({"labels", "masks", "SegmentationClass", "labelsTr"})
"""What folders of labels are called beside those of images."""
CHANNEL_FILES = "{name}_{channel}"
"""How nnU-Net calls the files of an image."""
COLOUR = 3
DEEPEST = 4
"""How far above a folder its dataset may begin."""


@dataclass(frozen=True)
class Found:
    """An image, and what files made from it are called: its path below the folder that was given,
    without its ending, and without the number of a channel where it has a file for each.
    """

    files: tuple[Path, ...]
    """One file, or one for each channel."""
    name: str

    @property
    def path(self) -> Path:
        """The first file, by which errors name the image."""
        return self.files[0]


def find_images(given: Sequence[PathLike], out: Path, channels: int) -> list[Found]:
    """The images of files and folders, in the order given, a folder's by name, for a network of so
    many channels.

    Folders are gone through to the bottom; hidden files and folders, links to folders, labels and
    what lies in `out` are passed over. Labels are what the dataset.yaml of the folder, or of one
    above it, calls so, and what lies in `labels`, `masks` and the like beside `images`. Where
    several arguments are given, an image of a folder is called after the folder too. Grey files
    NAME_0000, NAME_0001 ... are one image where that dataset.yaml numbers channels so, or where the
    network takes a number of channels that no grey or colour image can be converted to. Errors:
    `DataError` where a folder holds no image, or where two images have one name.
    """
    if not given:
        raise DataError("no images are given; name files or folders")
    found: list[Found] = []
    for path in map(Path, given):
        if not path.is_dir():
            found.append(Found((path,), path.stem))
            continue
        below = [Found((image,), _name(image, path, len(given))) for image in _walk(path, out)]
        if not below:
            raise DataError(f"{path}: no images in it; they end in {', '.join(SUFFIXES)}")
        found += below
    _require_names_apart(found)
    joined = _joined(found, channels) if channels > 1 else found
    _require_names_apart(joined)
    return joined


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
    layout = _layout_near(folder)
    found = (layout.labels(split, []) for split in layout.splits) if layout else ()
    labels = {path.resolve() for files in found for path in files.values()}
    for place, folders, files in os.walk(folder):
        hidden = LABEL_FOLDERS if IMAGE_FOLDERS & {*folders} else frozenset()
        shown = (name for name in folders if not name.startswith(".") and name not in hidden)
        folders[:] = sorted(name for name in shown if Path(place, name).resolve() != apart)
        for path in (Path(place, name) for name in sorted(files) if not name.startswith(".")):
            if path.suffix.lower() in SUFFIXES and path.resolve() not in labels:
                yield path


def _layout_near(folder: Path) -> Layout | None:
    """That of the dataset that a folder is, or lies in. Errors: `SpecError`, `DataError`.

    A dataset.yaml above the folder that is faulty may be another tool's, and is passed over.
    """
    whole = folder.resolve()
    if is_file(whole / SETTINGS):
        return Layout.of(whole)
    for root in whole.parents[:DEEPEST]:
        with suppress(SpecError, DataError):
            if is_file(root / SETTINGS):
                return Layout.of(root)
    return None


def _joined(found: Sequence[Found], channels: int) -> list[Found]:
    """The images, files of one channel each put together, where the first of them was."""
    expressions: dict[Path, re.Pattern[str] | None] = {}
    parts: dict[tuple[str, str, bool], dict[str, Path]] = {}
    for image in found:
        folder = image.path.parent
        if folder not in expressions:
            expressions[folder] = _channel_expression(folder, channels)
        expression, place = expressions[folder], image.path.with_suffix("").as_posix()
        named = expression.fullmatch(image.name) if expression else None
        lies = expression.fullmatch(place) if expression else None
        if named and lies and _is_grey(image.path):
            name = "/".join(part for part in (named["above"], name_of(named)) if part)
            # Where it lies, whatever its channel: two folders may each have an image of a name.
            place = place[: lies.start("channel")] + place[lies.end("channel") :]
            key, number = (place, name, True), named["channel"]
        else:
            key, number = (place, image.name, False), ""
        parts.setdefault(key, {})[number] = image.path
    return [
        Found(tuple(files[number] for number in sorted(files)), name)
        for (_, name, _), files in parts.items()
    ]


def _channel_expression(folder: Path, channels: int) -> re.Pattern[str] | None:
    """What the paths of files of one channel each match in a folder, in whatever folders `above`;
    None where each file is an image of its own.
    """
    usual = CHANNEL_FILES if channels != COLOUR else "{name}"
    layout = _layout_near(folder)
    pattern = layout.settings.images if layout else usual
    if "{channel}" not in pattern:
        return None
    before, first, rest = re.split(r"({name}|{channel})", pattern, maxsplit=1)
    tail = path_expression(before.rpartition("/")[2] + first + rest)
    return re.compile(f"(?:(?P<above>.*)/)?{tail.pattern}", tail.flags)


def _is_grey(path: Path) -> bool:
    """False for a file that cannot be read too, which is told when all files are checked."""
    try:
        return read_header(path).channels == 1
    except DataError:
        return False


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
