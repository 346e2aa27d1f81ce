"""Memory limits have no table: build a few grids and bisect over `base_channels`.

Of specs that differ in `base_channels` alone the wider needs more memory, so the widest one within
the limit decides for all of them. Only specs that meet all other limits are counted.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np

from gridgen.grid import build_grid
from gridgen.progress import OnProgress, no_progress
from gridgen.space.budget import Limit
from gridgen.space.cost_tables import CostTables
from gridgen.space.quantities import QUANTITIES
from gridgen.space.spec_array import Index, Mask

WIDTH = "base_channels"
DROPOUT = "total_dropout"


@dataclass
class MemoryLimit:
    """One limit, decided for the cells of a mask; `costs` are those of the cells it counted.

    `on_progress` is called for each group of specs that differ in width alone.
    """

    tables: CostTables
    limit: Limit
    alive: Mask
    on_progress: OnProgress = no_progress
    costs: dict[Index, int] = field(default_factory=dict)
    ratio: float = 1.0
    """Cost of the last counted cell over its estimate, which improves the next estimate."""

    def met(self) -> Mask:
        """A mask of those live cells that meet the limit."""
        specs = self.tables.specs
        lines = self._lines(np.broadcast_to(self.alive, specs.shape))
        met = np.zeros(specs.shape, dtype=bool)
        for done, line in enumerate(lines):
            self.on_progress(done, len(lines))
            for index in line[: self._within(line)]:
                met[index] = True
        return met

    def _lines(self, alive: Mask) -> list[list[Index]]:
        """The cells in lines that differ in width alone, the narrowest first."""
        lines: dict[Index, list[Index]] = {}
        names = list(self.tables.specs.values)
        # Without base_channels among the fields, every line is a single cell.
        axis = names.index(WIDTH) if WIDTH in names else len(names)
        for place in np.argwhere(alive).tolist():
            lines.setdefault((*place[:axis], *place[axis + 1 :]), []).append(tuple(place))
        return [sorted(line, key=self._width) for line in lines.values()]

    def _width(self, index: Index) -> int:
        return int(self.tables.specs.params(index).get(WIDTH) or 0)

    def _within(self, line: list[Index]) -> int:
        """Number of cells of a line that meet the limit, found by counting few of them."""
        low, high = 0, len(line)  # cells before low meet the limit, cells from high on do not
        place, counted = self._guess(line), 0
        while low < high:
            place = min(max(place, low), high - 1)
            if self.limit.met(self._cost(line[place])):
                low = place + 1
            else:
                high = place
            counted += 1
            place = (low if low > place else high - 1) if counted < 2 else (low + high) // 2
        return low

    def _guess(self, line: list[Index]) -> int:
        """The estimated place of the limit in a line."""
        return bisect_right([self.ratio * self._rough(i) for i in line], self.limit.value) - 1

    def _rough(self, index: Index) -> float:
        """An estimate: 4 bytes for each activation and 16 for each parameter."""
        tables, shape = self.tables, self.tables.specs.shape
        parameters, activations = (
            float(np.broadcast_to(tables.counts[name], shape)[index])
            for name in ("parameters", "activations")
        )
        return 4 * tables.workload.setting.batch * activations + 16 * parameters

    def _cost(self, index: Index) -> int:
        index = self._alike(index)
        if index not in self.costs:
            grid = build_grid(self.tables.specs.spec_at(index))
            cost = QUANTITIES[self.limit.quantity].of(grid, self.tables.workload)
            self.costs[index], self.ratio = cost, cost / self._rough(index)
        return self.costs[index]

    def _alike(self, index: Index) -> Index:
        """The first cell of the same cost, since only whether there is total dropout matters."""
        values = self.tables.specs.values
        if DROPOUT not in values:
            return index
        axis = list(values).index(DROPOUT)
        chances = values[DROPOUT]
        same = [i for i, chance in enumerate(chances) if bool(chance) == bool(chances[index[axis]])]
        return (*index[:axis], same[0], *index[axis + 1 :])
