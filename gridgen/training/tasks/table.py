"""A part of a score in lines and columns: a CSV file, JSON, and what people read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gridgen.names import csv_text
from gridgen.training.tasks.pixels import Colours

Cell = str | int | float | None
"""A word, a count, a share or another measure, or None for a share of nothing."""
NEVER = "–"


@dataclass(frozen=True)
class ScoreTable:
    """Rows of a score under columns, whose names a CSV file has and whose titles people read.

    Attributes:
        title: heading on a page.
        columns: names of the columns.
        titles: as many titles.
        rows: as many cells in each, a word first.
        note: sentences below it on a page.
        mean: a last row that is for people alone.
        bar: name of a column of shares that a page draws as bars.
        colours: those of the rows, if the rows have any.
        picture: draws a PNG, which people see in place of the rows.
    """

    title: str
    columns: Sequence[str]
    titles: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    mean: Sequence[Cell] = ()
    bar: str | None = None
    colours: Colours = ()
    picture: Callable[[], bytes] | None = None

    def csv(self) -> str:
        """A CSV file with a line for each row."""
        rows = [[f"{c:.6f}" if isinstance(c, float) else c for c in row] for row in self.rows]
        return csv_text([self.columns, *rows])

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        fields = ("columns", "titles", "rows", "mean")
        return {field: list(getattr(self, field)) for field in fields}

    def shown(self) -> list[tuple[str, ...]]:
        """The titles, the rows and the mean as texts."""
        rows = [*self.rows, *([self.mean] if self.mean else [])]
        return [tuple(self.titles), *(tuple(map(_shown, row)) for row in rows)]


def _shown(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if cell is None:
        return NEVER
    return f"{cell:.4f}" if isinstance(cell, float) else f"{cell:,}"
