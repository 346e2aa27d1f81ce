"""Under what terms a budget is counted: image, batch, precision, optimizer, and which formulas."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gridgen.analysis.memory.setting import Optimizer, Precision, Recompute, Setting
from gridgen.analysis.sizes import MAX_SIDE, PAPER_SIZE, larger_size
from gridgen.grid.trace import Size
from gridgen.spec import Document, NetworkSpec

Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


class Terms(Document):
    """What a cost depends on beside the network.

    >>> Terms.of(size=(30, 40), batch=4).setting.batch
    4
    """

    kind: ClassVar[str] = "terms"

    size: tuple[Side, Side] = Field(
        default=PAPER_SIZE,
        strict=False,
        description="Height and width of the image that activations, macs and memory are counted "
        "for, rounded up to what a candidate's streams need.",
    )
    batch: int = Field(
        default=1, ge=1, le=65536, description="Images at once, for memory; the others count one."
    )
    precision: Precision = "fp32"
    optimizer: Optimizer = "adam"
    recompute: Recompute = "none"
    bound: Literal["exact", "paper"] = Field(
        default="exact",
        description="Compare exact counts, or the paper's approximations (section 3.2), which "
        "know no topology and are about a quarter too low for parameters.",
    )

    def image(self, spec: NetworkSpec) -> Size:
        """The smallest legal size of `spec` that holds `size`."""
        return larger_size(spec, self.size)

    @property
    def setting(self) -> Setting:
        """What memory depends on beside the network and the image."""
        return Setting(
            batch=self.batch,
            precision=self.precision,
            optimizer=self.optimizer,
            recompute=self.recompute,
        )
