"""What `--device NAME` means to commands that measure nothing: a calibrated device or an amount."""

from typing import TYPE_CHECKING, Annotated

import typer

from gridgen.errors import DeviceError

if TYPE_CHECKING:
    from gridgen.memory.device.fitting import DeviceMemory

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

    if not is_device(name) and _begins_as_a_number(name):
        return DeviceMemory(name, _amount(name))
    calibration = load_device(name)
    return DeviceMemory(calibration.machine.name, calibration.machine.memory, calibration)


def _begins_as_a_number(name: str) -> bool:
    """Whether it can only be meant as an amount."""
    return (name[:1].isdecimal() or name[:1] == "-") and not name.endswith((".yaml", ".yml"))


def _amount(text: str) -> int:
    from gridgen.text import STORED, parse_amount

    try:
        memory = parse_amount(text, STORED, "8GB")
    except ValueError as error:
        raise DeviceError(f"--device: {error}") from error
    if memory < 1:
        raise DeviceError(f"--device: {text!r} is not an amount of memory; write one such as 8GB")
    return memory
