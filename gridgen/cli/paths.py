"""`gridgen paths`: the paths from input to output, and why there is total dropout."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from gridgen.analysis.dropout import Dropout, dropout, has_dropout
from gridgen.analysis.paths import Lengths, Paths, StreamDepth, paths as find_paths
from gridgen.analysis.receptive import receptive_field, receptive_fields
from gridgen.cli.tables import TableRow, bar, print_matrix, print_table
from gridgen.cli.terminal import (
    As,
    AsJson,
    Settings,
    SpecName,
    describe,
    grid_of,
    print_json,
    print_rows,
    wrapped,
)
from gridgen.errors import UsageError, unknown
from gridgen.grid import Grid
from gridgen.text import number_text, share_text

BAR = 20
BANDS = 16
"""Lengths, or ranges of them, in a table at the most."""
GLUE = "\u00a0"
"""Stands for a space where no line may end."""
NAMED = 4
"""Connections named of those that most paths pass, and of those that fewest do."""


def paths(
    spec: SpecName,
    topology: As = None,
    settings: Settings = None,
    per: Annotated[
        str | None,
        typer.Option(metavar="WHAT", help="connection: the share of paths through each of them."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count the paths from input to output by length, and what passes where."""
    if per not in (None, "connection"):
        raise UsageError(f"--per: {unknown('grouping', per or '', ['connection'])}")
    grid = grid_of(spec, topology, settings)
    found = find_paths(grid)
    if as_json:
        print_json(_as_json(grid, found))
        return
    print_rows([*describe(grid), *_totals(found)])
    print()
    if per:
        _print_connections(found)
    else:
        _print_page(grid, found)


def _as_json(grid: Grid, found: Paths) -> dict[str, Any]:
    left = _left(grid)
    fields = receptive_fields(grid)
    return {
        **found.as_json(),
        "total_dropout": left and left.as_json(),
        "receptive_field": receptive_field(grid),
        "receptive_fields": {place.name: side for place, side in fields.items()},
    }


def _left(grid: Grid) -> Dropout | None:
    """What total dropout leaves; None where the spec has none."""
    return dropout(grid) if has_dropout(grid) else None


def _totals(found: Paths) -> list[tuple[str, str]]:
    """The first lines: label and value."""
    short, long, ways = min(found.lengths), max(found.lengths), sum(found.ways.values())
    more = f"{number_text(ways)}: a path once for every choice of unit or identity"
    return [
        ("paths", number_text(found.total)),
        *([("ways", more)] if ways > found.total else []),
        ("length", f"{_span(short, long)}, {_laterals(found)}"),
    ]


def _laterals(found: Paths) -> str:
    """How many lateral units paths have."""
    few, many = min(found.by_laterals), max(found.by_laterals)
    if few == many:
        return f"{_counted(few, 'lateral unit')}{'' if found.total == 1 else ' each'}"
    return f"{few} to {many} lateral units, {found.laterals:.1f} on average"


def _print_page(grid: Grid, found: Paths) -> None:
    """Everything, from the lengths to a summary."""
    left = _left(grid)
    _print_bands("connections", "paths", found.lengths)
    # Ways differ by units too.
    if sum(found.ways.values()) > found.total:
        print()
        _print_bands("units", "ways", found.ways)
    print()
    _print_streams(found, left)
    print("\nshare of the paths through each map, by stream and column")
    print_matrix({place: _share(paths, found.total) for place, paths in found.at.items()})
    print("\nreceptive field of each map: pixels a side of the image that it sees")
    fields = receptive_fields(grid).items()
    print_matrix({place: "all" if side is None else f"{side}" for place, side in fields})
    side = receptive_field(grid)
    print(f"network   {'all' if side is None else side}, with the head")
    print()
    _print_extremes(found)
    print("\nwhat this says")
    for sentence in path_sentences(found, left):
        print(wrapped(f"- {sentence}"))


def _print_connections(found: Paths) -> None:
    """Each connection, and the paths through it."""
    rows = [("connection", "paths", "share", "")]
    rows += [
        (name, number_text(paths), _share(paths, found.total), bar(paths / found.total, BAR))
        for name, paths in found.through.items()
    ]
    print_table(rows)


def _print_bands(unit: str, what: str, lengths: Lengths) -> None:
    """How many there are of each length."""
    rows: list[TableRow] = [(unit, what, "", "")]
    for low, high in _bands([*lengths]):
        label = f"{low}" if low == high else f"{low} to {high}"
        rows.append((label, *_cells(lengths, low, high)))
    print_table(rows)


def _bands(lengths: list[int]) -> list[tuple[int, int]]:
    """Each length, or ranges of them where they are many; none that is empty."""
    first, last = min(lengths), max(lengths)
    step = -(-(last + 1 - first) // BANDS)
    bands = [(low, min(low + step - 1, last)) for low in range(first, last + 1, step)]
    return [band for band in bands if any(band[0] <= length <= band[1] for length in lengths)]


def _cells(lengths: Lengths, low: int, high: int) -> TableRow:
    """How many have a length from `low` to `high`, their share, and a bar."""
    number, total = sum(lengths.get(n, 0) for n in range(low, high + 1)), sum(lengths.values())
    if number == 0:
        return "", "", " " * BAR
    return number_text(number), _share(number, total), bar(number / total, BAR)


def _print_streams(found: Paths, left: Dropout | None) -> None:
    """Where paths go down to."""
    heads = "lowest stream", "paths", "", "length", "units at least", "visiting", ""
    rows: list[TableRow] = [(*heads, "whole in a step") if left else heads]
    for depth in found.depths:
        cells = _stream(depth, found.total)
        rows.append((*cells, _chance(depth, left)) if left else cells)
    print_table(rows)
    if left:
        print(
            "whole in a step: the chance that total dropout leaves one of the paths all its units"
        )


def _stream(depth: StreamDepth, total: int) -> TableRow:
    visiting = number_text(depth.visiting), _share(depth.visiting, total)
    if not depth.paths:
        return f"stream {depth.stream}", "0", "0%", "", "", *visiting
    span = f"{depth.shortest}"
    if depth.longest != depth.shortest:
        span += f" to {depth.longest}"
    paths = number_text(depth.paths), _share(depth.paths, total)
    return f"stream {depth.stream}", *paths, span, f"{depth.least_units}", *visiting


def _chance(depth: StreamDepth, left: Dropout) -> str:
    """Of a whole path; a dash where it was not computed."""
    chance = left.depths[depth.stream]
    if not depth.paths:
        return ""
    return "-" if chance is None else f"{chance:.1%}"


def _print_extremes(found: Paths) -> None:
    """The connections that most paths pass, and those that fewest do."""
    names = sorted(found.through, key=lambda name: -found.through[name])
    if not names:
        print("no connections: the stem's map is the head's")
        return
    if found.through[names[0]] == found.through[names[-1]]:
        share = _share(found.through[names[0]], found.total)
        print(f"through each connection: {share} of the paths")
        return
    for label, some in (("most", names[:NAMED]), ("fewest", names[-NAMED:])):
        texts = [f"{name}{GLUE}{_share(found.through[name], found.total)}" for name in some]
        print(wrapped(f"{label} paths pass: {', '.join(texts)}").replace(GLUE, " "))


def _share(paths: int, total: int) -> str:
    return share_text(paths / total)


def path_sentences(found: Paths, left: Dropout | None = None) -> list[str]:
    """What the numbers of paths say about training (section 3.1), in a few sentences.

    `left` is what total dropout leaves of the paths; None for a grid without it.

    >>> from gridgen.analysis.paths import paths
    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> path_sentences(paths(build_grid(spec)))[0]
    'Of 371 paths 1 stays in stream 0 (5 connections), 225 go down to stream 4 (13 connections).'
    """
    upper, lower = found.lowest[0], found.lowest[-1]
    if upper is lower:
        paths = "The only path" if found.total == 1 else f"All {number_text(found.total)} paths"
        return [f"{paths} {_way(lower, found.total)}.", *_sentences_on_dropout(upper, lower, left)]
    some = f"{number_text(upper.paths)} {_way(upper, upper.paths)}"
    others = f"{number_text(lower.paths)} {_way(lower, lower.paths)}"
    first = f"Of {number_text(found.total)} paths {some}, {others}."
    return [first, *_sentence_on_units(upper, lower), *_sentences_on_dropout(upper, lower, left)]


def _sentence_on_units(upper: StreamDepth, lower: StreamDepth) -> Iterator[str]:
    """How much nearer the upper streams are to the loss."""
    few, many = upper.least_units or 0, lower.least_units or 0
    if few < many:
        yield (
            f"Where identities are taken, a way along stream {upper.stream} still passes "
            f"{_counted(few, 'unit')}, one to stream {lower.stream} passes {many}: longer ways "
            "learn later (section 3.1)."
        )


def _sentences_on_dropout(
    upper: StreamDepth, lower: StreamDepth, left: Dropout | None
) -> Iterator[str]:
    """What total dropout does about it: all paths suffer alike, but those down there are many."""
    if left is None:
        return
    fact = f"Total dropout leaves a path whole in {left.whole:.1%} of the training steps"
    first, last = left.depths[upper.stream], left.depths[lower.stream]
    if upper is lower or first is None or last is None:
        some = "" if left.some is None else f", at least one in {left.some:.1%}"
        yield f"{fact}{some}."
        return
    yield (
        f"{fact}: at least one along stream {upper.stream} in {first:.1%}, at least one to "
        f"stream {lower.stream} in {last:.1%}."
    )
    others = left.others(upper.stream)
    if others is not None:
        yield (
            f"Where none along stream {upper.stream} is whole, one through lower streams is in "
            f"{others:.1%}: the network has to learn by them."
        )


def _way(depth: StreamDepth, paths: int) -> str:
    """Where paths go, and how long they are."""
    stay, go = ("stay", "go") if paths > 1 else ("stays", "goes")
    way = f"{stay} in stream 0" if depth.stream == 0 else f"{go} down to stream {depth.stream}"
    return f"{way} ({_span(depth.shortest, depth.longest)})"


def _span(short: int | None, long: int | None) -> str:
    """How long paths are."""
    return _counted(short or 0, "connection") if short == long else f"{short} to {long} connections"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
