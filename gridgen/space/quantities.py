"""Quantities that a budget may limit: each for one grid, and for all specs of a space at once.

Add one as two functions and a line in the table below, and a field of `Budget`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from gridgen.analysis import count
from gridgen.analysis.receptive import receptive_field
from gridgen.grid import Grid
from gridgen.memory import inference_memory, training_memory
from gridgen.space.cost_tables import CostTables
from gridgen.space.spec_array import Table
from gridgen.space.structure_counts import WHOLE_IMAGE
from gridgen.space.workload import Workload
from gridgen.text import BYTES, MACS, amount_text


class AmountUnit(NamedTuple):
    """The word that follows a number, and the unit prefixes with which amounts are shortened."""

    word: str = ""
    units: Mapping[str, int] = MappingProxyType({})


BY_FORMULA = ("parameters", "activations")
"""Quantities that the paper has formulas for (section 3.2)."""

PIECES = AmountUnit()
MULTIPLIED = AmountUnit("MACs", MACS)
STORED = AmountUnit("bytes", BYTES)
PIXELS = AmountUnit("pixels")


@dataclass(frozen=True)
class Quantity:
    """A cost, of one grid (`of`) and of all specs of a space (`over`), which agree.

    `field` is its limit in a budget, `noun` what is counted. Without `over`, grids are counted one
    by one, and the cost has to grow with `base_channels`. `least`: more is better, so the limit is
    a minimum.
    """

    field: str
    noun: str
    of: Callable[[Grid, Workload], int]
    over: Callable[[CostTables], Table] | None = None
    least: bool = False
    unit: AmountUnit = PIECES

    def exact(self, cost: int) -> str:
        """A cost in full.

        >>> QUANTITIES["training_memory"].exact(3398249668)
        '3,398,249,668 bytes'
        """
        number = "endless" if cost == WHOLE_IMAGE else f"{cost:,}"
        return f"{number} {self.unit.word}".rstrip()

    def show(self, cost: int) -> str:
        """A cost in words.

        >>> QUANTITIES["parameters"].show(13181097)
        '13,181,097 parameters'
        """
        return f"{self.exact(cost)} {self.noun}".rstrip()

    def write(self, value: int) -> str:
        """A limit in a short form.

        >>> QUANTITIES["macs"].write(40 * 10**9), QUANTITIES["parameters"].write(10**7)
        ('40 GMAC', '10,000,000')
        """
        return amount_text(value, self.unit.units, self.unit.word)

    def limit(self, value: int) -> str:
        """A limit in words.

        >>> QUANTITIES["receptive_field"].limit(200)
        'at least 200 pixels of receptive field'
        """
        return f"at {'least' if self.least else 'most'} {self.write(value)} {self.noun}".rstrip()

    def broken(self, cost: int, limit: int) -> str:
        """A sentence that says by what a cost breaks its limit.

        >>> QUANTITIES["training_memory"].broken(3398249668, 3 * 10**9)
        '3,398,249,668 bytes of training memory are more than 3 GB'
        """
        value = self.write(limit).removesuffix(f" {self.unit.word}")
        return f"{self.show(cost)} are {'less' if self.least else 'more'} than {value}"


def _bounded(name: Literal["parameters", "activations"]) -> Quantity:
    """What is counted exactly or by the paper's formula, as the workload's `bound` says."""

    def of(grid: Grid, workload: Workload) -> int:
        counted = getattr(count(grid, workload.image(grid.spec)), name)
        by_paper = counted.paper if workload.bound == "paper" else None
        return int(counted.total if by_paper is None else by_paper)

    def over(tables: CostTables) -> Table:
        by_paper = tables.workload.bound == "paper"
        return tables.approximations(name) if by_paper else tables.counts[name]

    return Quantity(name, name, of, over)


def _macs(grid: Grid, workload: Workload) -> int:
    return count(grid, workload.image(grid.spec)).macs.total


def _receptive_field(grid: Grid, workload: Workload) -> int:
    side = receptive_field(grid)
    return WHOLE_IMAGE if side is None else side


def _training_memory(grid: Grid, workload: Workload) -> int:
    return training_memory(grid, workload.step(grid.spec), workload.setting)


def _inference_memory(grid: Grid, workload: Workload) -> int:
    return inference_memory(grid, workload.image(grid.spec), workload.setting)


QUANTITIES: dict[str, Quantity] = {
    "parameters": _bounded("parameters"),
    "activations": _bounded("activations"),
    "macs": Quantity("macs", "", _macs, lambda tables: tables.counts["macs"], unit=MULTIPLIED),
    "training_memory": Quantity(
        "training_memory", "of training memory", _training_memory, unit=STORED
    ),
    "inference_memory": Quantity(
        "inference_memory", "of inference memory", _inference_memory, unit=STORED
    ),
    "receptive_field": Quantity(
        "min_receptive_field",
        "of receptive field",
        _receptive_field,
        lambda tables: tables.receptive_fields,
        least=True,
        unit=PIXELS,
    ),
}
