"""`gridgen calibrate` on measurements that are made up, and what `--device` then means."""

import json
import shlex
import shutil

import pytest
import torch

from gridgen.cli.calibrate import room_of
from gridgen.cli.tables import WIDTH
from gridgen.errors import DeviceError, SpecError, unknown
from gridgen.memory.device import stored
from gridgen.memory.device.cases import PHASES, Machine, Measured, Peak
from gridgen.memory.device.fitting import fits
from gridgen.training.loop import measurement

MB = 10**6
LARGEST = "the largest layer's input and output"
MACHINE = Machine(name="made-up-gpu", device="cuda", memory=8 * 10**9, torch="2.13.0")


def fake(case, device):
    """A device that takes 300 MB, 10 MB in each phase, and what the largest layer moves."""
    counted = case.counted("cuda")
    peaks = {}
    for phase in PHASES:
        tensors = counted.peak(phase) + 10 * MB + counted.largest
        peaks[phase] = Peak(tensors=tensors, reserved=tensors * 5 // 4, outside=300 * MB)
    return Measured(**peaks)


@pytest.fixture(scope="module")
def calibration():
    """Of the device that is made up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measurement, "machine", lambda _: MACHINE)
        patch.setattr(measurement, "measure", fake)
        return measurement.calibrate()


@pytest.fixture
def device(monkeypatch, tmp_path):
    """The folder of calibrations."""
    monkeypatch.setenv("GRIDGEN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(stored, "installed_torch", lambda: "2.13.0")
    monkeypatch.setattr(measurement, "machine", lambda _: MACHINE)
    monkeypatch.setattr(measurement, "measure", fake)
    return tmp_path / "home" / "devices"


def rows_of(grid, name):
    room = room_of(name)
    return [(fit.phase, fit.text(room)) for fit in fits(grid, room, (400, 400))]


def test_it_prints_errors_and_stores_the_constants(device, gridgen):
    code, out, err = gridgen("calibrate")
    assert (code, err) == (0, "")
    table, summary = out.split("\n\n")
    heads, *lines = table.splitlines()
    assert heads.split() == ["phase", "counted", "measured", "error", "calibrated", "error"]
    assert len(lines) == 3 * 9
    assert all(line.endswith("0.0%") for line in lines if line.startswith("  "))
    assert sum("held out" in line for line in lines) == 3
    assert max(map(len, [*lines, *summary.splitlines()[:-1]])) <= WIDTH
    *told, held_out, tensors, fitted, _, wrote = summary.splitlines()
    assert told == [
        "device     made-up-gpu, 8.00 GB, torch 2.13.0",
        "outside    300 MB that torch's allocator does not see",
        "slack      1.25 bytes held for each in tensors",
        f"inference  counted + 10.0 MB + 1.00 x {LARGEST}",
        f"training   counted + 10.0 MB + 1.00 x {LARGEST}",
    ]
    assert held_out == "held out   all memory, wrong by 94.4% at most before, 0.0% after"
    assert tensors == "           tensors alone, wrong by 53.0% at most before, 0.0% after"
    assert fitted.startswith("fitted     all memory, wrong by ")
    assert wrote == f"wrote      {device}/made-up-gpu/torch-2.13.0.yaml"


def test_as_json(device, gridgen, tmp_path):
    code, out, err = gridgen("calibrate", "--json", "-o", "mine.yaml")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["machine"] == MACHINE.complete()
    assert told["constants"]["training"]["workspace"] == pytest.approx(1, abs=1e-4)
    assert len(told["predictions"]) == 18
    assert max(abs(row["after"]) for row in told["predictions"]) < 1e-3
    assert told["file"] == "mine.yaml"
    assert not device.exists()
    assert room_of("mine.yaml").memory == 8 * 10**9


def test_a_grid_then_needs_what_was_found(device, calibration, paper_grid):
    stored.store(calibration)
    (inference, needs), (training, more) = rows_of(paper_grid, "made-up-gpu")
    assert (inference, training) == ("inference", "training")
    assert needs.startswith("needs ")
    assert more == "needs 1.60 GB, fits on made-up-gpu (8.00 GB); up to batch 7"


def test_an_amount_is_a_device_without_a_calibration(paper_grid):
    rows = dict(rows_of(paper_grid, "8GB"))
    assert rows["training"] == "needs 1.01 GB, fits on 8GB; up to batch 9"
    assert room_of("8GB").note == "by arithmetic alone, without what the device takes besides"
    assert room_of("8GiB").memory == 8 * 2**30


def test_what_begins_with_a_digit_may_be_a_file_or_a_device(device, calibration, place):
    stored.store(calibration, place / "4090.yaml")
    assert room_of("4090.yaml").name == room_of("./4090.yaml").name == "made-up-gpu"
    assert room_of("4090MB").calibration is None
    stored.store(calibration, device / "4090" / "torch-2.13.0.yaml")
    assert room_of("4090").calibration == calibration


TOO = "(gridgen calibrate measures one; an amount such as 8GB works too)"
WRONG = {
    "made-up-gpus": f"unknown calibrated device 'made-up-gpus'; did you mean 'made-up-gpu'? {TOO}",
    "8gb": "--device: unknown unit 'gb' in '8gb'; did you mean '8GB'?",
    "8XB": "--device: unknown unit 'XB' in '8XB'; write a number such as 8GB",
    "0": "--device: '0' is not an amount of memory; write one such as 8GB",
    "-8GB": "--device: '-8GB' is not an amount of memory; write one such as 8GB",
    "1.5": "--device: '1.5' is not a whole number; write one such as 8GB",
    "5090.yaml": f"unknown calibrated device '5090.yaml'; known: made-up-gpu {TOO}",
    "": f"unknown calibrated device ''; known: made-up-gpu {TOO}",
    "../devices": f"unknown calibrated device '../devices'; known: made-up-gpu {TOO}",
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_names(name, device, calibration):
    stored.store(calibration)
    with pytest.raises(DeviceError) as error:
        room_of(name)
    assert str(error.value) == WRONG[name]


def test_a_file_that_is_no_calibration(place):
    with pytest.raises(SpecError) as error:
        room_of("mine.yaml")
    assert str(error.value) == (
        "mine.yaml: this is a network spec; gridgen count, render, build, train and others read it"
    )
    (place / "part.yaml").write_text("machine: {}\n")
    with pytest.raises(SpecError, match=r"^part\.yaml:1:10: machine: name: this field is missing"):
        room_of("part.yaml")


COMMANDS = {
    "calibrate cpu": (
        "gridgen calibrate: Got unexpected extra argument(s) (cpu); see gridgen calibrate --help"
    ),
    "calibrate --device": (
        "gridgen calibrate: Option '--device' requires an argument; see gridgen calibrate --help"
    ),
    "calibrate --fast": "gridgen calibrate: No such option: --fast; see gridgen calibrate --help",
    "calibrate -o .": ".: a folder; name a file in it",
    "calibrate -o mine.yaml/x.yaml": "mine.yaml: cannot be made: a file is in the way",
    "calibrate --latency -o t.csv": (
        "t.csv: what is measured is written as YAML; name a .yaml file"
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_commands(command, device, place, gridgen, monkeypatch):
    # Nothing is measured before.
    monkeypatch.setattr(measurement, "calibrate", None)
    before = sorted(place.rglob("*"))
    assert gridgen(*shlex.split(command)) == (2, "", f"{COMMANDS[command]}\n")
    assert sorted(place.rglob("*")) == before


DEVICES = {
    "tpu": unknown("device", "tpu", ["auto", "cpu", "cuda"], guess=False),
    "cuda": "device 'cuda' cannot be used: Torch not compiled with CUDA enabled; try --device cpu",
}


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_that_cannot_be_measured(name, place, gridgen, monkeypatch):
    if name == "cuda" and (torch.cuda.is_available() or torch.version.cuda):
        pytest.skip("torch is built for CUDA here")
    monkeypatch.setenv("GRIDGEN_HOME", str(place / "home"))
    before = sorted(place.rglob("*"))
    assert gridgen("calibrate", "--device", name) == (2, "", f"{DEVICES[name]}\n")
    assert sorted(place.rglob("*")) == before


def test_a_folder_that_cannot_be_written(device, calibration, gridgen, place, monkeypatch):
    monkeypatch.setattr(measurement, "calibrate", lambda *_: calibration)
    shutil.copy("mine.yaml", place / "home")
    code, out, err = gridgen("calibrate")
    assert (code, out) == (2, "")
    assert err == f"{device}/made-up-gpu: cannot be made: a file is in the way\n"
