"""What a pattern of dataset.yaml says of paths, and the files below a folder."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

CHANNEL = r"(?P<channel>\d{4})"


def literal_folders(pattern: str) -> str:
    """The folders of a pattern before its first placeholder.

    >>> literal_folders("imagesTr/{name}_{channel}"), literal_folders("{name}")
    ('imagesTr', '')
    """
    return pattern.split("{")[0].rpartition("/")[0]


def path_expression(pattern: str) -> re.Pattern[str]:
    """What matches a path without its ending."""
    parts = re.split(r"({name}|{channel})", pattern)
    found = {"{name}": "(?P<name>.+)", "{channel}": CHANNEL}
    # A name may hold a newline.
    return re.compile("".join(found.get(part, re.escape(part)) for part in parts), re.DOTALL)


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
