"""Decides whether a network fits a device, and up to which batch."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from gridgen.analysis.sizes import default_size
from gridgen.grid import Grid
from gridgen.grid.tracing import Size
from gridgen.memory.device.calibration import Calibration
from gridgen.memory.device.cases import PHASES, Counted, Phase, counted, trained_on
from gridgen.memory.setting import Setting
from gridgen.text import bytes_text

MOST = 65_536
"""Images in a batch."""


def largest_batch(needed: Callable[[int], int], memory: int) -> int:
    """The most images for which `needed` is at most `memory`; 0 where one is too many.

    `needed` has to be rising and convex, as a greatest value of sums over the batch is: a line
    through two points then lies below it outside of them, and above it between.

    >>> largest_batch(lambda batch: max(100 + 7 * batch, 20 * batch), 1000)
    50
    >>> largest_batch(lambda batch: 100 + 7 * batch, 50)
    0
    """
    one, two = needed(1), needed(2)
    if one > memory:
        return 0
    high = min(1 + (memory - one) // max(two - one, 1), MOST)
    low, below, above = 1, one, needed(high)
    if above <= memory:
        return high
    while high - low > 1:
        # A chord of a convex function lies above it, so this batch always fits.
        trial = low + (memory - below) * (high - low) // (above - below)
        trial = min(max(trial, low + 1), high - 1)
        value = needed(trial)
        if value <= memory:
            low, below = trial, value
        else:
            high, above = trial, value
    return low


ALONE = "by arithmetic alone, without what the device takes besides"


@dataclass(frozen=True)
class DeviceMemory:
    """A device's memory in bytes; without a calibration arithmetic alone says what is needed."""

    name: str
    memory: int
    calibration: Calibration | None = None

    @property
    def words(self) -> str:
        """`8GB`, or `cpu-x86_64 (25.3 GB)`."""
        if self.calibration is None:
            return self.name
        return f"{self.name} ({bytes_text(self.memory)})"

    @property
    def note(self) -> str:
        """A caveat about the bytes that are needed; "" where the device is calibrated."""
        return ALONE if self.calibration is None else ""

    def needed(self, counted: Counted, phase: Phase) -> int:
        """Bytes of it."""
        if self.calibration is None:
            return counted.peak(phase)
        return self.calibration.needed(counted, phase)

    def setting(self, setting: Setting) -> Setting:
        """The same setting with the kernels that a training uses there."""
        if self.calibration is None:
            return setting
        return trained_on(self.calibration.machine.device, setting)


@dataclass(frozen=True)
class DeviceFit:
    """The bytes that one phase needs, and the largest batch that fits; 0 where none does.

    `or_more` is whether that is the largest that is looked at, so that a larger one may fit.
    """

    phase: Phase
    needed: int
    fits: bool
    largest_batch: int
    or_more: bool = False

    def text(self, room: DeviceMemory) -> str:
        """The verdict in one line."""
        verdict = "fits on" if self.fits else "does not fit on"
        more = " or more" if self.or_more else ""
        most = f"up to batch {self.largest_batch:,}{more}"
        batch = most if self.largest_batch else "not even batch 1"
        return f"needs {bytes_text(self.needed)}, {verdict} {room.words}; {batch}"


def fits(
    grid: Grid, room: DeviceMemory, size: Size | None = None, setting: Setting | None = None
) -> tuple[DeviceFit, ...]:
    """Inference and training of `grid` on images of `size`. Errors: `SizeError`.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> room = DeviceMemory("8 GB", 8 * 10**9)
    >>> fits(build_grid(spec), room, (400, 400), Setting(batch=4))[1].text(room)
    'needs 3.40 GB, fits on 8 GB; up to batch 9'
    """
    setting = room.setting(setting or Setting())
    image = size or default_size(grid.spec)

    @cache
    def at(batch: int) -> Counted:
        return counted(grid, image, setting.but(batch=batch))

    return tuple(_fit(phase, room, at, setting.batch) for phase in PHASES)


def _fit(phase: Phase, room: DeviceMemory, at: Callable[[int], Counted], batch: int) -> DeviceFit:
    needed = room.needed(at(batch), phase)
    most = largest_batch(lambda batch: room.needed(at(batch), phase), room.memory)
    return DeviceFit(phase, needed, needed <= room.memory, most, or_more=most >= MOST)
