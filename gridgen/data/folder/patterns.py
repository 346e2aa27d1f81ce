"""What a pattern of dataset.yaml says of paths, and the files below a folder."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gridgen.names import composed

FOLDERS = {
    "images": ("image", "imgs", "img"),
    "masks": ("mask",),
    "labels": ("label", "annotations", "annotation", "groundtruth", "ground_truth", "gt"),
}
"""Other names that people give to folders of known layouts."""
MOST = 4
"""Folders and kinds of files that a message names."""
CHANNEL = r"(?P<channel>\d{4})"


def literal_folders(pattern: str) -> str:
    """The folders of a pattern before its first placeholder.

    >>> literal_folders("imagesTr/{name}_{channel}"), literal_folders("{name}")
    ('imagesTr', '')
    """
    return pattern.split("{")[0].rpartition("/")[0]


def path_expression(pattern: str) -> re.Pattern[str]:
    """What matches a path without its ending."""
    parts = re.split(r"({folder}|{name}|{channel})", pattern)
    found = {"{folder}": "(?P<folder>[^/]+)", "{name}": "(?P<name>.+)", "{channel}": CHANNEL}
    # A name may hold a newline.
    return re.compile("".join(found.get(part, re.escape(part)) for part in parts), re.DOTALL)


def name_of(match: re.Match[str]) -> str:
    """The name that images and labels share: what `{folder}` and `{name}` stand for."""
    folder = match.groupdict().get("folder")
    return composed(match["name"] if folder is None else f"{folder}/{match['name']}")


def path_of(pattern: str, name: str) -> str:
    """The path without its ending that a pattern has for a name."""
    if "{folder}" in pattern:
        folder, _, name = name.partition("/")
        pattern = pattern.replace("{folder}", folder)
    return pattern.replace("{name}", name)


def visible_files(folder: Path) -> Iterator[Path]:
    """All visible files in a folder and below, in the order of their names.

    Linked folders are followed, but not into one in which the link itself lies.
    """
    for place, folders, files in os.walk(folder, followlinks=True):
        above = {os.path.realpath(each) for each in (Path(place), *Path(place).parents)}
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(os.path.join(place, name)) not in above
        )
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))


def spelt(root: Path, pattern: str) -> str:
    """A pattern with its folders as they are called in `root`: in capitals, or by another name.

    The pattern itself where there are no such folders.
    """
    places, found = [root], []
    *folders, file = pattern.split("/")
    for folder in folders:
        below = {name for place in places for name in _subfolders(place)}
        names = below if "{" in folder else _called(folder, below)
        if not names:
            return pattern
        places = [place / name for place in places for name in names if (place / name).is_dir()]
        found.append(folder if "{" in folder else min(names))
    return "/".join([*found, file])


def _called(folder: str, names: set[str]) -> set[str]:
    """The name in `names` that is most like this one, or none."""
    for wanted in (folder, *FOLDERS.get(folder, ())):
        alike = sorted(name for name in names if name.lower() == wanted.lower())
        if alike:
            return {wanted if wanted in alike else alike[0]}
    return set()


def _subfolders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [each.name for each in entries if each.is_dir() and not each.name.startswith(".")]


def told_files(root: Path) -> str:
    """What lies in the folders below `root`, the most first.

    Such as `30 .png in photos, 30 .txt in truth`.
    """
    found = Counter(
        (
            path.suffix.lower() or "without ending",
            path.relative_to(root).parent.as_posix(),
        )
        for path in visible_files(root)
    )
    said = [
        f"{number:,} {kind} in {_shown(place)}" for (kind, place), number in found.most_common(MOST)
    ]
    more = len(found) - MOST
    return ", ".join(said or ["no files"]) + (" and more" if more > 0 else "")


def _shown(place: str) -> str:
    return "the folder itself" if place == "." else place
