"""Tables on the terminal: aligned columns, shares as bars, a value for each map."""

from collections.abc import Mapping, Sequence

from gridgen.grid import FeatureMap

WIDTH = 100
"""Characters that fit a line."""
TableRow = tuple[str, ...]


def print_table(rows: Sequence[TableRow], words: int = 1) -> None:
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


MAX_ROWS = 24
"""Streams shown at the most."""
GAP = "..."


def print_matrix(values: Mapping[FeatureMap, str]) -> None:
    """A table of short texts; of a long grid its ends, and what is left out between."""
    streams = sorted({feature_map.stream for feature_map in values})
    columns = sorted({feature_map.column for feature_map in values})
    wide = max(len(text) for text in (*values.values(), str(columns[-1]))) + 2
    shown = _ends(columns, (WIDTH - len("stream 00")) // wide)
    below = _ends(streams, MAX_ROWS)
    rows: list[TableRow] = [("", *("" if j is None else str(j) for j in shown))]
    for i in below:
        name = GAP if i is None else f"stream {i}"
        rows.append((name, *(_cell(values, i, j) for j in shown)))
    print_table(rows)
    for what, all_of, some in (("columns", columns, shown), ("streams", streams, below)):
        left = [number for number in all_of if number not in some]
        if left:
            print(f"{what} {left[0]} to {left[-1]} are left out; --json has them")


def _cell(values: Mapping[FeatureMap, str], stream: int | None, column: int | None) -> str:
    if stream is None or column is None:
        return GAP
    return values.get(FeatureMap(stream, column), "")


def _ends(numbers: list[int], room: int) -> list[int | None]:
    """All numbers, or as many of both ends as there is room for around a None."""
    if len(numbers) <= room:
        return [*numbers]
    first = max(room // 2, 1)
    return [*numbers[:first], None, *numbers[-max(room - 1 - first, 1) :]]
