"""The command `gridgen calibrate`, and devices that other commands name."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridgen.cli.costs import PrecisionOption
from gridgen.cli.layer_times import calibrate_latency
from gridgen.cli.tables import TableRow, print_table
from gridgen.cli.terminal import AsJson, Device, Output, print_json, print_rows, progress
from gridgen.errors import DeviceError, FileError, UsageError
from gridgen.spec.source import YAML_SUFFIXES
from gridgen.text import STORED, bytes_text, parse_amount

if TYPE_CHECKING:
    from gridgen.memory.device.calibration import Beside, Calibration, PeakPrediction
    from gridgen.memory.device.fitting import DeviceMemory

HEADS: TableRow = ("phase", "counted", "measured", "error", "calibrated", "error")
CELL = max(map(len, HEADS))

RoomName = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Whether it fits there: a device of gridgen calibrate, its file, or memory like 8GB.",
    ),
]


def room_of(name: str) -> "DeviceMemory":
    """The file, device or amount called `name`, in this order. Errors: `DeviceError`, `SpecError`.

    >>> room_of("8GiB").memory
    8589934592
    """
    from gridgen.memory.device.fitting import DeviceMemory
    from gridgen.memory.device.stored import is_device, load_device

    # What begins as a number does can only be meant as an amount.
    number = name[:1].isdecimal() or name[:1] == "-"
    if number and not name.endswith(YAML_SUFFIXES) and not is_device(name):
        return DeviceMemory(name, _amount(name))
    calibration = load_device(name)
    return DeviceMemory(calibration.machine.name, calibration.machine.memory, calibration)


def _amount(text: str) -> int:
    try:
        memory = parse_amount(text, STORED, "8GB")
    except ValueError as error:
        raise DeviceError(f"--device: {error}") from error
    if memory < 1:
        raise DeviceError(f"--device: {text!r} is not an amount of memory; write one such as 8GB")
    return memory


def calibrate(
    device: Device = "auto",
    latency: Annotated[
        bool, typer.Option("--latency", help="Time layers instead, for predictions of latency.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Of a CPU, with --latency; 1.")
    ] = None,
    precision: PrecisionOption = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Measure a few networks on this device and keep what arithmetic cannot know of it.

    Nothing else should use the device meanwhile. Then `gridgen count --device NAME` knows it. With
    --latency: layers and a few networks; then `gridgen count --latency FILE` knows them.
    """
    # Refused before anything is measured.
    if output is not None:
        _require_yaml(output)
    if latency:
        calibrate_latency(device, threads or 1, precision or "fp32", output, as_json)
        return
    for name, value in (("--threads", threads), ("--precision", precision)):
        if value is not None:
            raise UsageError(f"{name}: it is of --latency; give that too, or leave it out")
    _calibrate_memory(device, output, as_json)


def _require_yaml(output: Path) -> None:
    """Refuse what no table could be written to, or read from again. Errors: `FileError`."""
    if output.is_dir():
        raise FileError(f"{output}: a folder; name a file in it")
    if output.suffix not in YAML_SUFFIXES:
        raise FileError(f"{output}: what is measured is written as YAML; name a .yaml file")
    there = next(each for each in output.parents if each.exists())
    if not there.is_dir():
        raise FileError(f"{there}: cannot be made: a file is in the way")


def _calibrate_memory(device: str, output: Path | None, as_json: bool) -> None:
    from gridgen.memory.device.stored import store
    from gridgen.training.loop.measurement import calibrate as measured

    with progress("measuring") as on_progress:
        calibration = measured(device, on_progress)
    path = store(calibration, output)
    predictions = calibration.predictions()
    if as_json:
        told = {
            "machine": calibration.machine.complete(),
            "constants": calibration.constants.complete(),
            "predictions": [row.as_json() for row in predictions],
            "file": str(path),
        }
        print_json(told)
        return
    _print_predictions(predictions)
    print()
    print_rows([*_constants(calibration), *_errors(predictions), ("wrote", str(path))])


def _print_predictions(predictions: "Sequence[PeakPrediction]") -> None:
    """Networks, each with a row for a phase; `counted` is by arithmetic alone."""
    print_table([_wide(HEADS)])
    for (case, held_out), rows in groupby(predictions, lambda row: (row.case, row.held_out)):
        print(f"{case.words}{', held out' if held_out else ''}")
        print_table([_wide(_cells(row)) for row in rows])


def _wide(cells: TableRow) -> TableRow:
    """As wide in each table: the first indented, the others to the right."""
    return f"  {cells[0]:<{CELL}}", *(f"{cell:>{CELL}}" for cell in cells[1:])


def _cells(row: "PeakPrediction") -> TableRow:
    return (
        row.phase,
        bytes_text(row.counted),
        bytes_text(row.measured),
        f"{row.before:+.1%}",
        bytes_text(row.needed),
        f"{row.after:+.1%}",
    )


def _constants(calibration: "Calibration") -> list[tuple[str, str]]:
    """The device, and what was fitted."""
    from gridgen.memory.device.cases import PHASES

    about, found = calibration.machine, calibration.constants
    return [
        ("device", f"{about.name}, {bytes_text(about.memory)}, torch {about.torch}"),
        ("outside", f"{bytes_text(found.outside)} that torch's allocator does not see"),
        ("slack", f"{found.slack:.2f} bytes held for each in tensors"),
        *((phase, f"counted + {_beside(found.beside(phase))}") for phase in PHASES),
    ]


def _beside(beside: "Beside") -> str:
    largest = "the largest layer's input and output"
    return f"{bytes_text(beside.fixed)} + {beside.workspace:.2f} x {largest}"


def _errors(predictions: "Sequence[PeakPrediction]") -> list[tuple[str, str]]:
    """The greatest ones: of networks fitted and held out, of all memory and of tensors alone."""
    held = [row for row in predictions if row.held_out]
    fitted = [row for row in predictions if not row.held_out]
    return [
        (label, f"{of_what}, wrong by {_change(rows, name)}")
        for first, rows in (("held out", held), ("fitted", fitted))
        for label, of_what, name in ((first, "all memory", ""), ("", "tensors alone", "tensors_"))
    ]


def _change(rows: "Sequence[PeakPrediction]", of: str = "") -> str:
    """The greatest error before and after calibration."""
    from gridgen.memory.device.calibration import worst

    before = worst(getattr(row, f"{of}before") for row in rows)
    after = worst(getattr(row, f"{of}after") for row in rows)
    return f"{before:.1%} at most before, {after:.1%} after"
