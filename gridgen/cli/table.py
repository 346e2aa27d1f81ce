"""What tables on the terminal are made of: aligned columns, shares, bars."""

from collections.abc import Sequence

WIDTH = 100
"""Characters that fit a line."""
Row = tuple[str, ...]


def print_table(rows: Sequence[Row], words: int = 1) -> None:
    """Rows of equal length: the first `words` columns begin, the others end at the same place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{cell:<{width}}" if i < words else f"{cell:>{width}}"
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def bar(share: float, width: int) -> str:
    """A share of 1 as a bar, of `width` where it is all.

    >>> bar(0.5, 10)
    '#####     '
    """
    return f"{'#' * round(share * width):<{width}}"
