"""A device, a network that is measured there, and what it took. Measures nothing itself."""

from typing import ClassVar, Literal

from pydantic import Field

from gridgen.grid import build_grid
from gridgen.memory.device.counted import Counted, Phase, counted
from gridgen.memory.setting import Setting
from gridgen.spec import Document, GridSpec

Kind = Literal["cuda", "cpu"]


class Machine(Document):
    """A device: what it is called, its memory in bytes, and the torch that runs there."""

    kind: ClassVar[str] = "machine"

    name: str = Field(pattern="^[a-z0-9][a-z0-9_-]*$")
    device: Kind
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

    def counted(self, device: Kind) -> Counted:
        """What arithmetic says of it."""
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
        """Of the device's memory."""
        return self.outside + self.reserved


class Measured(Document):
    """One case on a device, in one process: first predictions, then steps of training."""

    kind: ClassVar[str] = "measured"

    inference: Peak
    training: Peak

    def peak(self, phase: Phase) -> Peak:
        """Of one phase."""
        return self.training if phase == "training" else self.inference


def trained_on(device: Kind, setting: Setting) -> Setting:
    """The same setting where `gridgen train` runs it: one kernel updates all on a GPU."""
    return setting.but(device=device, fused=device == "cuda")
