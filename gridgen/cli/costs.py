"""Costs on the terminal: each piece of a grid with its share, and memory with its options."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.analysis.breakdown import GROUPINGS, Group, Piece
from gridgen.analysis.counting import Activations, Count, Macs, Parameters
from gridgen.cli.tables import WIDTH, TableRow, bar, print_table
from gridgen.cli.terminal import errors_beginning
from gridgen.grid.layers import shape_text
from gridgen.text import share_text

if TYPE_CHECKING:
    from gridgen.memory import Memory, Setting

MEASURES = ("parameters", "activations", "MACs")
COUNTS = ("total", "grid", "stem", "head", "paper")
BAR = 10
LEAST_BAR = 3


def print_totals(counted: Count) -> None:
    """Exact numbers per part, and the paper's approximations beside them."""
    rows = [
        ("", *COUNTS, "paper/grid"),
        _total("parameters", counted.parameters),
        _total("activations", counted.activations),
        _total("MACs", counted.macs),
    ]
    if counted.parameters.paper is None:
        rows = [row[: len(COUNTS)] for row in rows]
    print_table(rows)


def _total(label: str, part: Parameters | Activations | Macs) -> TableRow:
    numbers = asdict(part)
    counts = [f"{numbers[name]:,}" if numbers.get(name) is not None else "" for name in COUNTS]
    ratio = numbers.get("paper_ratio")
    return label, *counts, "" if ratio is None else f"{ratio:.3f}"


def print_breakdown(grouping: str, pieces: Iterable[Piece]) -> None:
    """A table of what pieces, or groups of them, cost."""
    heads, label = LABELS[grouping]
    costs = GROUPINGS[grouping](pieces)
    print_costs(heads, [label(cost) for cost in costs], costs)
    if grouping == "stream":
        print("each unit in the stream that it leads to, the head in the one that it comes from")


def print_costs(
    heads: TableRow, labels: Sequence[TableRow], costs: Sequence[Group | Piece]
) -> None:
    """After its labels each cost: values, their shares of the column's sum, and bars.

    Bars take what the values leave of a line; where little is left there are none, and no shares
    where the values alone fill it.
    """
    columns = [[getattr(cost, name.lower()) for cost in costs] for name in MEASURES]
    taken = sum(max(map(len, column)) + 2 for column in zip(heads, *labels, strict=True))
    taken += sum(_wide(name, column) + 2 for name, column in zip(MEASURES, columns, strict=True))
    room = (WIDTH + 2 - taken) // len(MEASURES)
    shown = [_cells(name, values, room) for name, values in zip(MEASURES, columns, strict=True)]
    rows = [(*label, *cells) for label, *cells in zip([heads, *labels], *shown, strict=True)]
    print_table(rows, words=len(heads))


def _wide(name: str, values: Sequence[int]) -> int:
    return max(len(name), *(len(f"{value:,}") for value in values))


def _cells(name: str, values: Sequence[int], room: int) -> list[str]:
    """The column of one measure, `room` characters wider than its values; its name first."""
    width, total = _wide(name, values), sum(values) or 1
    shares = [value / total for value in values]
    cells = [f"{value:>{width},}" for value in values]
    if room >= len(" 100%"):
        cells = [
            f"{cell} {share_text(share):>4}" for cell, share in zip(cells, shares, strict=True)
        ]
    length = min(room - len(" 100% "), BAR)
    if length >= LEAST_BAR:
        cells = [f"{cell} {bar(share, length)}" for cell, share in zip(cells, shares, strict=True)]
    return [f"{name:>{width}}".ljust(len(cells[0])), *cells]


def _part_label(group: Group) -> TableRow:
    """`lateral (25)`; the ends are what they are."""
    return (group.name if group.pieces == 1 else f"{group.name} ({group.pieces})",)


def _stream_label(group: Group) -> TableRow:
    """`stream 0  400x400`."""
    return group.name, shape_text(group.size) if group.size else ""


def _piece_label(piece: Piece) -> TableRow:
    """`lateral_0_1  16x400x400  16x400x400`; a map's name after what is at it."""
    named = piece.part == "fusion" or (piece.part == "stem" and piece.name != "stem")
    name = f"{piece.part} {piece.name}" if named else piece.name
    return name, shape_text(piece.input), shape_text(piece.output)


LABELS: dict[str, tuple[TableRow, Callable[[Any], TableRow]]] = {
    "part": (("part",), _part_label),
    "stream": (("stream", "size"), _stream_label),
    "connection": (("connection", "from", "to"), _piece_label),
}


MEMORY_BAR = 30
BatchOption = Annotated[
    int | None, typer.Option(help="Images at once; prints memory, as the next three do too.")
]
PrecisionOption = Annotated[str | None, typer.Option(help="fp32, or bf16 or fp16 under autocast.")]
OptimizerOption = Annotated[str | None, typer.Option(help="sgd, adam or adamw.")]
RecomputeOption = Annotated[
    str | None, typer.Option(help="What the backward pass computes again: none, unit or column.")
]


def setting_of(options: Mapping[str, Any]) -> "Setting":
    """The setting that options ask for. Errors: `SpecError` that begins with the option."""
    from gridgen.memory import Setting

    with errors_beginning("--"):
        return Setting(**options)


def print_memory(memory: "Memory", setting: "Setting") -> None:
    """What is needed, as bytes and as bars beside the peak of training."""
    again = "" if setting.recompute == "none" else f", each {setting.recompute} computed again"
    print(
        f"\nmemory for a batch of {setting.batch}, {setting.precision}, {setting.optimizer}{again}"
    )
    amounts, most = memory.as_json().values(), memory.peak_training
    print_table(
        [
            (label, text, bar(amount / most, MEMORY_BAR))
            for (label, text), amount in zip(memory.rows(), amounts, strict=True)
        ]
    )
