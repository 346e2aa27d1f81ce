"""Carrying a training's folder from one machine to another, as an archive."""

import shutil
import tarfile
from io import BytesIO
from pathlib import Path

from gridgen.errors import FileError
from gridgen.files import make_folder

RUN, INITIAL, LOG = "run", "initial", "log"
"""What is in an archive: the training's folder, the weights it begins with, what it printed."""


def packed(paths: dict[str, Path]) -> bytes:
    """An archive of files and folders by names; those that are not there are left out."""
    file = BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, path in paths.items():
            if path.exists():
                archive.add(path, name)
    return file.getvalue()


def unpacked(content: bytes, folder: Path) -> None:
    """Write what an archive holds into a folder. Errors: `FileError`."""
    if not content:
        return
    try:
        with tarfile.open(fileobj=BytesIO(content)) as archive:
            # Before Python 3.11.4 there is no filter; the archive is of another gridgen process.
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            archive.extractall(folder)
    except (OSError, tarfile.TarError) as error:
        raise FileError(f"{folder}: cannot be written: {error}") from error


def carried_back(content: bytes, folder: Path, log: Path) -> None:
    """Put a training's folder and log where they would be, had this machine trained it.

    There is a whole folder at every moment but one: that before or this. Errors: `FileError`.
    """
    aside, before = (folder.with_name(f"{folder.name}.{name}") for name in ("carried", "before"))
    for each in (aside, before):
        shutil.rmtree(each, ignore_errors=True)
    make_folder(aside)
    unpacked(content, aside)
    try:
        if (aside / RUN).exists():
            if folder.exists():
                folder.rename(before)
            (aside / RUN).rename(folder)
        if (aside / LOG).exists():
            (aside / LOG).replace(log)
    except OSError as error:
        if before.exists() and not folder.exists():
            before.rename(folder)
        raise FileError(f"{folder}: cannot be written: {error}") from error
    finally:
        for each in (aside, before):
            shutil.rmtree(each, ignore_errors=True)
