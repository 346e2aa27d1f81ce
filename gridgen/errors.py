"""Every error that a user can cause, in one tree, and the functions that word the common ones.

    GridgenError
      SpecError
        TopologyError
      GridError
      SizeError
      RenderError
      FileError
      UsageError
      DeviceError
      TooLargeError
      WeightsError
      DataError
      RunError
      ExportError
      TrainingError
        OutOfMemoryError
      Interrupted

An error says the fact, the value and the fix. The command line prints it without a traceback and
exits with its code. Bugs of our own are `assert` and ordinary exceptions.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from signal import Signals


class GridgenError(Exception):
    """The base class of all errors of this package: something that the user can put right.

    `exit_code` is the program's exit code: 2 where nothing was begun, 3 where a training stopped
    in the middle, its last good state kept.
    """

    exit_code = 2


class SpecError(GridgenError):
    """A YAML file (spec, recipe or study) has a field or a value that is not allowed.

    `field` is the path of keys to the value at fault; `Source.blame` turns it into a line number.
    """

    def __init__(self, message: str, field: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.field = field


class TopologyError(SpecError):
    """A topology does not exist, does not fit the columns, or leaves no path to the output."""


class GridError(GridgenError):
    """Connections and maps do not form a grid: shapes disagree, or names are missing."""


class SizeError(GridgenError):
    """An image has a size that the grid cannot take."""


class RenderError(GridgenError):
    """A picture cannot be drawn: unknown format, or no Graphviz program for it."""


class FileError(GridgenError):
    """A file or folder cannot be written: the disk is full, permission is missing, or a file is in
    the way.
    """


class UsageError(GridgenError):
    """Options contradict each other, or an option is given an unknown name."""


class DeviceError(GridgenError):
    """A device does not exist or cannot be used."""


class TooLargeError(GridgenError):
    """A network does not fit into this machine's memory."""


class WeightsError(GridgenError):
    """A weights file is missing, damaged, or belongs to another network."""


class DataError(GridgenError):
    """A dataset is missing, incomplete, or disagrees with its class list."""


class RunError(GridgenError):
    """A run or study folder is missing, in use, or not what the command needs."""


class ExportError(GridgenError):
    """A network cannot be taken away in the form that was asked for."""


class TrainingError(GridgenError):
    """Training cannot go on, for example since the loss is not a number. Its last state is kept."""

    exit_code = 3


class OutOfMemoryError(TrainingError):
    """Training cannot go on, since memory ran out."""


class Interrupted(GridgenError):  # noqa: N818 - a request, not an error
    """Training was asked to stop and did, its state saved. `signal` is the signal's number."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.signal, self.exit_code = number, 128 + number


ALIKE, ALIKE_FROM_THE_FIRST = 0.7, 0.65
"""How much of two names has to agree for one to be a hint at the other, and where they begin with
the same letter: the default of difflib takes `hrnet` for what is meant by `resunet`.
"""
SYNONYMS = {
    "flops": "macs",
    "gmacs": "macs",
    "params": "parameters",
    "lr": "learning_rate",
    "batch_size": "batch",
    "num_classes": "classes",
}
"""What other tools call it."""


def unknown(
    what: str,
    name: str,
    known: Iterable[str],
    guess: bool = True,
    listed: Iterable[str] | None = None,
) -> str:
    """One line that says that `name` is unknown, and the nearest known name, else all of them, or
    what is to be `listed` in their place.

    Without `guess`, all of them: of devices, the name nearest to `gpu` is `cpu`.

    >>> unknown("topology", "u-net", ["gridnet", "unet"])
    "unknown topology 'u-net'; did you mean 'unet'?"
    >>> unknown("unit", "zzz", ["residual", "bottleneck"])
    "unknown unit 'zzz'; known: bottleneck, residual"
    >>> unknown("architecture", "frrn", ["fpn", "frrn-a", "frrn-b"])
    "unknown architecture 'frrn'; did you mean 'frrn-a' or 'frrn-b'?"
    >>> unknown("field", "flops", ["loss", "macs"])
    "unknown field 'flops'; did you mean 'macs'?"
    """
    names = sorted(known)
    meant = SYNONYMS.get(name.lower(), "")
    near = ([meant] if meant in names else _near(name.lower(), names)) if guess else []
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else ""
    shown = repr(name if len(name) <= 200 else f"{name[:197]}...")
    return f"unknown {what} {shown}; {hint or 'known: ' + ', '.join(listed or names)}"


def reason_of(error: BaseException) -> str:
    """Why the system refused something, in its own words, be it what caused a `FileError`.

    >>> reason_of(OSError(28, "No space left on device", "a.yaml"))
    'No space left on device'
    >>> reason_of(ValueError("embedded null byte"))
    'embedded null byte'
    """
    cause = error.__cause__ if isinstance(error, FileError) else None
    return getattr(cause or error, "strerror", None) or str(cause or error)


def ending(code: int) -> str:
    """What ended a process, by its exit code.

    >>> ending(-9), ending(-15), ending(1)
    ('SIGKILL; memory may have run out', 'SIGTERM', 'exit code 1')
    """
    if code >= 0:
        return f"exit code {code}"
    return f"{Signals(-code).name}{'; memory may have run out' * starved(code)}"


def starved(code: int) -> bool:
    """Whether a process with this exit code may have been ended for want of memory."""
    # The kernel does it by SIGKILL, by SIGBUS where /dev/shm is full. By name: Windows has neither.
    return code < 0 and Signals(-code).name in ("SIGKILL", "SIGBUS")


def _near(name: str, names: list[str]) -> list[str]:
    """The names that hold `name`, of many the shortest; else the one that is spelt most alike."""
    # A part of two letters is in too many names to be a hint.
    holding = [known for known in names if name in known] if len(name) > 2 else []
    if holding:
        return holding if len(holding) <= 3 else [min(holding, key=len)]
    begun = [known for known in names if known[:1] == name[:1]]
    return get_close_matches(name, begun, n=1, cutoff=ALIKE_FROM_THE_FIRST) or get_close_matches(
        name, names, n=1, cutoff=ALIKE
    )
