"""The four scores of a network beside those that the paper gives, in percent."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan
from typing import Any

from gridgen.training.evaluation.cityscapes.scores import FourScores

HEADINGS = ("", "IoU class", "iIoU class", "IoU categ.", "iIoU categ.")


@dataclass(frozen=True)
class Published:
    """A row of one of the paper's tables; percent as printed there, in the order of the columns."""

    table: int
    split: str
    network: str
    percent: tuple[float, float, float, float]
    digits: int = 1

    def row(self) -> tuple[str, ...]:
        """As cells."""
        where = "" if self.split == "val" else f", on {self.split}"
        name = f"table {self.table}: {self.network}{where}"
        return name, *(f"{value:.{self.digits}f}" for value in self.percent)

    def as_json(self) -> dict[str, Any]:
        """Plain values; shares of 1, as ours are."""
        names = FourScores.__dataclass_fields__
        shares = (round(value / 100, 6) for value in self.percent)
        place = {"table": self.table, "split": self.split, "network": self.network}
        return place | dict(zip(names, shares, strict=True))


PUBLISHED = (
    Published(1, "val", "sum, h-residual", (57.2, 35.6, 83.1, 68.4)),
    Published(1, "val", "sum, h-residual, total dropout (proposed)", (65.0, 43.2, 85.6, 70.1)),
    Published(1, "val", "sum, h+v-residual", (57.6, 36.8, 86.0, 72.6)),
    Published(1, "val", "sum, h+v-residual, total dropout", (35.6, 23.0, 62.1, 60.3)),
    Published(1, "val", "concat, h-residual", (53.9, 34.0, 82.2, 65.2)),
    Published(2, "test", "GridNet", (69.45, 44.06, 87.85, 71.11), digits=2),
)
"""Fourure et al., BMVC 2017: every row of table 1, and that of table 2 which is theirs."""


def table(rows: Iterable[tuple[str, FourScores]]) -> list[tuple[str, ...]]:
    """Headings, these networks by name, and the paper's: the means, in percent."""
    ours = [(name, *(_percent(column.mean) for column in four.columns)) for name, four in rows]
    return [HEADINGS, *ours, *(published.row() for published in PUBLISHED)]


def _percent(share: float) -> str:
    return "-" if isnan(share) else f"{100 * share:.2f}"
