"""Files: how all of them are read, and how they are written, to be whole or absent.

No other place of the package opens a file for reading, but for decoders, which open what
`require_file` let pass.
"""

import errno
import hashlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from gridgen.arguments import PathLike
from gridgen.errors import FileError, reason_of

LEFT = re.compile(r"\..+\.\d+")
KINDS = {
    ".yaml": "a YAML file",
    ".yml": "a YAML file",
    ".safetensors": "a weights file",
    ".onnx": "an ONNX file",
    ".pt2": "a program of torch.export",
    ".py": "a Python file",
    ".csv": "a table",
    ".html": "a page",
    ".png": "a picture",
    ".svg": "a picture",
}
"""What is in a file, by the end of its name."""
MOST_TEXT = 64 * 10**6
"""Bytes of the longest text that is read."""


def other_kind(path: PathLike, *wanted: str) -> str | None:
    """What is in a file, where its name ends in none of what is wanted, but is known.

    >>> other_kind("net.onnx", ".yaml", ".yml"), other_kind("net.yaml", ".yaml"), other_kind("net")
    ('an ONNX file', None, None)
    """
    return None if ends_in(path, *wanted) else KINDS.get(Path(path).suffix.lower())


def ends_in(path: PathLike, *suffixes: str) -> bool:
    """Whether a file's name ends in one of these suffixes, be it in capitals.

    >>> ends_in("a.PNG", ".png", ".svg"), ends_in("png", ".png")
    (True, False)
    """
    return Path(path).suffix.lower() in suffixes


def require_file(path: PathLike, most: int = sys.maxsize) -> int:
    """The size in bytes of a regular file, which must not be more than `most`.

    A pipe or a device may give bytes without end, or none for ever. Errors: `OSError`.
    """
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "no file, but a device or a pipe", str(path))
    if found.st_size > most:
        fact = f"too long: {found.st_size:,} bytes, and {most:,} are read at most"
        raise OSError(errno.EFBIG, fact, str(path))
    return found.st_size


def read_bytes(path: PathLike, most: int = MOST_TEXT) -> bytes:
    """The content of a regular file of at most `most` bytes. Errors: `OSError`."""
    size = require_file(path, most)
    with open(path, "rb") as file:
        # No more than was allowed, should the file grow.
        return file.read(size)


def read_text(path: PathLike, encoding: str = "utf-8", errors: str = "strict") -> str:
    """The text of a regular file of at most `MOST_TEXT` bytes, its line ends as they are.

    Errors: `OSError`, `UnicodeDecodeError`.
    """
    return read_bytes(path).decode(encoding, errors)


def write_file(path: PathLike, content: bytes | str) -> Path:
    """Write through a temporary neighbour, flush it to the disk, then rename. Makes folders."""
    path = Path(path)
    if not path.name or is_folder(path):
        raise FileError(f"{path}: a folder; name a file in it")
    raw = content.encode() if isinstance(content, str) else content
    # In the same folder: a rename is atomic within one file system only.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    make_folder(path.parent)
    try:
        with open(temporary, "wb") as file:
            file.write(raw)
            file.flush()
            # Without this a power cut may leave the new name on an empty file.
            os.fsync(file.fileno())
        os.replace(temporary, path)
        flush_folder(path.parent)
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):  # a file system read-only by now refuses that too
            temporary.unlink()
        raise FileError(f"{path}: cannot be written: {reason_of(error)}") from error
    return path


def write_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files, by their paths in `folder`, or none of them. Errors: as of `filled_folder`."""
    with filled_folder(folder) as new:
        for name, content in contents.items():
            write_file(new / name, content)


@contextmanager
def filled_folder(folder: Path) -> Iterator[Path]:
    """A folder that becomes `folder`, which must be new or empty, once the block has filled it.

    A process that is killed leaves nothing in a new folder, but may leave some of the files in one
    that was there. Errors: `FileError`, with nothing left, also of the block.
    """
    there = is_folder(folder)
    if is_file(folder):
        raise FileError(f"{folder}: a file is in the way")
    try:
        whole = folder.resolve()
        used = there and any(whole.iterdir())
    except (OSError, ValueError) as error:
        raise FileError(f"{folder}: cannot be written: {reason_of(error)}") from error
    if used:
        raise FileError(f"{folder} exists already and holds files; name another folder")
    # A folder that is there is filled, not replaced: a shell may be in it, or it is a mounted disk.
    temporary = (whole if there else whole.parent) / f".{whole.name}.{os.getpid()}"
    make_folder(folder.parent)
    try:
        yield temporary
        if there:
            _move_all(temporary, whole)
        else:
            os.rename(temporary, whole)
            flush_folder(whole.parent)
    except (OSError, FileError) as error:
        raise FileError(f"{folder}: cannot be written: {reason_of(error)}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _move_all(source: Path, target: Path) -> None:
    """Move what is in a folder into another, or nothing where a move fails."""
    moved: list[Path] = []
    try:
        for path in sorted(source.iterdir()):
            moved.append(target / path.name)
            os.rename(path, moved[-1])
        flush_folder(target)
    except BaseException:  # Ctrl-C among them
        for path in moved:
            with suppress(OSError):  # of the last, which did not move
                os.rename(path, source / path.name)
        raise


def is_file(path: PathLike) -> bool:
    """Whether a file lies there; where a name is too long or has a null byte, none can."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: PathLike) -> bool:
    """Whether a folder lies there, as `is_file` for files."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def user_data_folder() -> Path:
    """The folder of calibrations and caches: `$GRIDGEN_HOME`, `$XDG_DATA_HOME/gridgen`, or
    ~/.local/share/gridgen.
    """
    if own := os.environ.get("GRIDGEN_HOME"):
        return Path(own)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "gridgen"


def sweep(folder: Path) -> None:
    """Remove what writers that were killed left in `folder`, which nobody else writes to."""
    for path in folder.iterdir():
        if LEFT.fullmatch(path.name) and path.is_file():
            path.unlink()


def make_folder(folder: Path) -> None:
    """Make `folder` and those above it, where they are missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        blocked = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "a file is in the way" if blocked else reason_of(error)
        raise FileError(f"{folder}: cannot be made: {reason}") from error


def flush_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut."""
    if sys.platform == "win32":  # which opens no folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: PathLike) -> str:
    """Hexadecimal SHA-256 of what a regular file of any size holds. Errors: `OSError`."""
    require_file(path)
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
