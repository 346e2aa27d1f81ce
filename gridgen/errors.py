"""Every error that a user can cause. Bugs of our own are `assert` and ordinary exceptions.

An error says the fact, the value and the fix. The command line prints it without a traceback
and exits with code 2; from Python all of them derive from `GridgenError`.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from signal import SIGBUS, SIGKILL, Signals


class GridgenError(Exception):
    """Something that the user can put right. Base class of all errors of this package.

    `exit_code` is what the program ends with: 2 where nothing was begun, 3 where a training
    stopped in the middle, its last good state kept.
    """

    exit_code = 2


class SpecError(GridgenError):
    """A YAML file (spec, recipe or study) says something that cannot be.

    `field` is the path of keys to the value at fault, so that whoever knows the file can name
    the line: see `Source.blame`.
    """

    def __init__(self, message: str, field: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.field = field


class TopologyError(SpecError):
    """A topology does not exist, does not fit the columns, or leaves no path to the output."""


class GridError(GridgenError):
    """Connections and maps that make no grid: shapes that disagree, names that are missing."""


class SizeError(GridgenError):
    """An image size that the grid cannot take."""


class RenderError(GridgenError):
    """A picture cannot be drawn: unknown format, or no Graphviz program for it."""


class FileError(GridgenError):
    """A file or folder cannot be written: no room, no permission, or in the way."""


class UsageError(GridgenError):
    """Flags that do not go together, or a name that a flag does not know."""


class DeviceError(GridgenError):
    """A device that does not exist or cannot be used."""


class TooLargeError(GridgenError):
    """A network that this machine's memory cannot hold."""


class WeightsError(GridgenError):
    """A weights file is missing, damaged, or belongs to another network."""


class DataError(GridgenError):
    """A dataset is missing, incomplete, or disagrees with its class list."""


class RunError(GridgenError):
    """A run or study folder is missing, in use, or not what the command needs."""


class TrainingError(GridgenError):
    """Training cannot go on, because the loss is not a number, say. What it had reached is kept."""

    exit_code = 3


class OutOfMemoryError(TrainingError):
    """Training cannot go on: memory ran out."""


class Interrupted(GridgenError):  # noqa: N818 - a request, not an error
    """Training was asked to stop and did, its state saved. `signal` is the signal's number."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.signal, self.exit_code = number, 128 + number


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """One line that says `name` is unknown and which known name is nearest.

    >>> unknown("topology", "u-net", ["gridnet", "unet"])
    "'u-net' is no topology; did you mean 'unet'?"
    >>> unknown("unit", "zzz", ["residual", "bottleneck"])
    "'zzz' is no unit; there are: bottleneck, residual"
    >>> unknown("architecture", "frrn", ["fpn", "frrn-a", "frrn-b"])
    "'frrn' is no architecture; did you mean 'frrn-a' or 'frrn-b'?"
    """
    names = sorted(known)
    near = _near(name.lower(), names)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"{name!r} is no {what}; {hint or 'there are: ' + ', '.join(names)}"


def ending(code: int) -> str:
    """What ended a process, by its exit code.

    >>> ending(-9), ending(-15), ending(1)
    ('SIGKILL; memory may have run out', 'SIGTERM', 'exit code 1')
    """
    if code >= 0:
        return f"exit code {code}"
    signal = Signals(-code)
    return f"{signal.name}{'; memory may have run out' * (signal in (SIGKILL, SIGBUS))}"


def _near(name: str, names: list[str]) -> list[str]:
    """The names that hold `name`, where they are few; else the one that is spelt most alike."""
    holding = [known for known in names if name in known] if len(name) > 2 else []
    return holding if 0 < len(holding) <= 3 else get_close_matches(name, names, n=1)
