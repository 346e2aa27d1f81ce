"""Calibrations as files: one for each device and torch, in the user's data folder."""

import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

from gridgen.errors import DeviceError, unknown
from gridgen.files import is_file, user_data_folder, write_file
from gridgen.memory.device.calibration import Calibration
from gridgen.memory.device.cases import Machine

OTHERWISE = "gridgen calibrate measures one; an amount such as 8GB works too"


def place_of(machine: Machine) -> Path:
    """The file of a device's calibration."""
    return user_data_folder() / "devices" / machine.name / f"torch-{machine.torch}.yaml"


def store(calibration: Calibration, path: Path | None = None) -> Path:
    """Write the file, by default in its place. Errors: `FileError`."""
    text = yaml.safe_dump(calibration.complete(), sort_keys=False)
    return write_file(path or place_of(calibration.machine), text)


def load_device(name: str) -> Calibration:
    """The calibration called `name`, or the file at that path.

    That of the torch installed here; where there is none, the newest one, with a warning.
    Errors: `DeviceError` for a name that is none; `SpecError` for a damaged file.
    """
    if is_file(name):
        return _checked(Calibration.load(name), name)
    files = _files().get(name)
    if files is None:
        raise DeviceError(_unknown(name))
    own = [path for path in files if path.stem == f"torch-{installed_torch()}"]
    # Another version of torch measures within a few percent, so the newest one is better than none.
    newest = max(files, key=lambda path: path.stat().st_mtime)
    return _checked(Calibration.load(own[0] if own else newest), name)


def is_device(name: str) -> bool:
    """`load_device` finds a file by that path or name."""
    return is_file(name) or name in _files()


def device_names() -> tuple[str, ...]:
    """Devices that were calibrated."""
    return tuple(_files())


def installed_torch() -> str | None:
    """The version of torch here, which is not imported for that."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return None


def _checked(calibration: Calibration, name: str) -> Calibration:
    """`calibration`, with a warning where it was measured with another torch."""
    measured, here = calibration.machine.torch, installed_torch()
    if measured != here:
        warnings.warn(
            f"{name} was calibrated with torch {measured}, here is {here}; "
            "run gridgen calibrate there again",
            stacklevel=3,
        )
    return calibration


def _files() -> dict[str, list[Path]]:
    """The files of every device."""
    found: dict[str, list[Path]] = {}
    for path in sorted((user_data_folder() / "devices").glob("*/torch-*.yaml")):
        found.setdefault(path.parent.name, []).append(path)
    return found


def _unknown(name: str) -> str:
    names = device_names()
    if not names:
        return f"unknown calibrated device {name!r}; none is calibrated yet ({OTHERWISE})"
    return f"{unknown('calibrated device', name, names)} ({OTHERWISE})"
