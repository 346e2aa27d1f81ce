"""A device, a network that is measured there, and what it took. Measures nothing itself."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from pydantic import Field

from gridgen.grid import Grid, build_grid
from gridgen.grid.tracing import Size
from gridgen.memory.accounting import count_memory, training_step
from gridgen.memory.setting import Setting
from gridgen.spec import Document, GridSpec

Phase = Literal["inference", "training"]
PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True)
class Counted:
    """Bytes: the peak of each phase, and what the largest layer with weights reads and writes."""

    inference: int
    training: int
    largest: int

    def peak(self, phase: Phase) -> int:
        """The bytes of inference or of training."""
        return self.training if phase == "training" else self.inference


def counted(grid: Grid, size: Size, setting: Setting) -> Counted:
    """The counted peaks of `grid` for images of `size` (height, width). Errors: `SizeError`.

    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> grid = build_grid(GridSpec(streams=1, columns="1+1", base_channels=4, classes=2))
    >>> counted(grid, (8, 8), Setting()).largest == 4 * (4 + 4) * 8 * 8
    True
    """
    needed = count_memory(grid, size, setting)
    largest = training_step(grid, size, setting).largest_layer
    return Counted(needed.peak_inference, needed.peak_training, largest)


DeviceKind = Literal["cuda", "cpu"]


class Machine(Document):
    """A device: what it is called, its memory in bytes, and the torch that runs there."""

    kind: ClassVar[str] = "machine"

    name: str = Field(pattern="^[a-z0-9][a-z0-9_-]*$")
    device: DeviceKind
    memory: int = Field(ge=1, description="Bytes.")
    torch: str = Field(pattern=r"^[0-9][0-9A-Za-z.+_-]*$", description="Version.")


class MemoryCase(Document):
    """One network at one size whose memory is measured: it predicts and is trained."""

    kind: ClassVar[str] = "case"

    spec: GridSpec
    size: int = Field(ge=1, description="Height and width of the images.")
    batch: int = Field(ge=1)
    precision: Literal["fp32", "bf16"] = "fp32"

    @property
    def words(self) -> str:
        """`unet, 5 streams, 1+1 columns, F0 = 16: 4 of 256x256, bf16`."""
        side = f"{self.size}x{self.size}"
        return f"{self.spec.title}, {self.spec.shape}: {self.batch} of {side}, {self.precision}"

    def counted(self, device: DeviceKind) -> Counted:
        """The counted peaks of this case."""
        setting = trained_on(device, Setting(batch=self.batch, precision=self.precision))
        return counted(build_grid(self.spec), (self.size, self.size), setting)


class Peak(Document):
    """Bytes at the peak of one phase: in tensors, in torch's hands, and outside of both.

    On a CPU nobody tells tensors from what torch holds: `tensors` and `reserved` are then what the
    process's resident memory rose by, `outside` what it was before there was a network.
    """

    kind: ClassVar[str] = "peak"

    tensors: int = Field(ge=1)
    reserved: int = Field(ge=1)
    outside: int = Field(ge=0)

    @property
    def needed(self) -> int:
        """Bytes of the device's memory."""
        return self.outside + self.reserved


class Measured(Document):
    """One case on a device, in one process: first predictions, then steps of training."""

    kind: ClassVar[str] = "measured"

    inference: Peak
    training: Peak

    def peak(self, phase: Phase) -> Peak:
        """The bytes of inference or of training."""
        return self.training if phase == "training" else self.inference


def trained_on(device: DeviceKind, setting: Setting) -> Setting:
    """`setting` as `gridgen train` runs it there: one kernel updates all weights."""
    return setting.but(device=device, fused=True)
