"""Constants are found again in measurements made of them; errors are those that there are."""

import os
from functools import cache
from itertools import product

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from gridgen.errors import DeviceError, SpecError, unknown
from gridgen.memory.device import stored
from gridgen.memory.device.calibration import Calibration, CalibrationSample, Constants, worst
from gridgen.memory.device.cases import PHASES, Machine, Measured, Peak
from gridgen.memory.device.plan import PLAN
from gridgen.memory.device.stored import device_names, load_device, place_of, store

TORCH = "2.13.0"
GPU = Machine(name="made-up-gpu", device="cuda", memory=80 * 10**9, torch=TORCH)
CPU = Machine(name="made-up-cpu", device="cpu", memory=16 * 10**9, torch=TORCH)
MACHINES = {"gpu": GPU, "cpu": CPU}
MB = 10**6
KNOWN = Constants(
    outside=500 * MB,
    slack=1.1,
    inference={"fixed": 8 * MB, "workspace": 0.5},
    training={"fixed": 70 * MB, "workspace": 1.25},
)
NOTHING = {"fixed": 0, "workspace": 0.0}
NONE = Constants(outside=0, slack=1.0, inference=NOTHING, training=NOTHING)


@cache
def plan(machine):
    """Every planned case, and what is counted for it."""
    return tuple(
        (planned, case, case.counted(machine.device))
        for planned in PLAN
        for case in [planned.case(machine)]
    )


def peak(counted, phase, constants, factor=1.0):
    beside = constants.beside(phase)
    taken = counted.peak(phase) + beside.fixed + beside.workspace * counted.largest
    tensors = round(factor * taken)
    reserved = round(constants.slack * tensors)
    return Peak(tensors=tensors, reserved=reserved, outside=constants.outside)


def samples(machine, constants, held_out=1.0, fitted=1.0):
    """Measurements of a device with these constants, times a factor."""
    return [
        CalibrationSample(
            case=case,
            measured=Measured(
                **{
                    phase: peak(counted, phase, constants, held_out if planned.held_out else fitted)
                    for phase in PHASES
                }
            ),
            held_out=planned.held_out,
        )
        for planned, case, counted in plan(machine)
    ]


def errors(calibration, held_out, of="after"):
    return [getattr(p, of) for p in calibration.predictions() if p.held_out == held_out]


@pytest.mark.parametrize(("machine", "constants"), list(product(MACHINES, [KNOWN, NONE])))
def test_known_constants_are_found_again(machine, constants):
    made = samples(MACHINES[machine], constants)
    found = Calibration.fitted(MACHINES[machine], made)
    assert found.constants.outside == constants.outside
    assert found.constants.slack == pytest.approx(constants.slack, abs=1e-6)
    for phase in PHASES:
        here, there = found.constants.beside(phase), constants.beside(phase)
        assert here.fixed == pytest.approx(there.fixed, abs=1000), phase
        assert here.workspace == pytest.approx(there.workspace, abs=1e-4), phase
    assert worst(errors(found, True) + errors(found, False)) < 1e-4


def test_what_is_held_out_fits_nothing_and_its_error_is_told():
    calm, off = (Calibration.fitted(GPU, samples(GPU, KNOWN, factor)) for factor in (1.0, 2.0))
    assert off.constants == calm.constants
    assert worst(errors(off, held_out=False)) < 1e-4
    assert worst(errors(off, True, "tensors_after")) == pytest.approx(0.5, abs=1e-4)


def test_errors_are_relative_to_what_was_measured():
    for prediction in Calibration.fitted(CPU, samples(CPU, KNOWN)).predictions():
        measured = prediction.measured
        assert prediction.before == pytest.approx((prediction.counted - measured) / measured)
        assert prediction.after == pytest.approx((prediction.needed - measured) / measured)
        assert prediction.counted < prediction.tensors < prediction.needed


def test_less_than_is_counted_gives_no_negative_constants():
    found = Calibration.fitted(GPU, samples(GPU, NONE, fitted=0.9))
    assert found.constants == NONE
    assert errors(found, False, "tensors_after") == pytest.approx([1 / 0.9 - 1] * 12, abs=1e-6)


@settings(max_examples=10)
@given(st.randoms(use_true_random=False))
def test_noise_moves_predictions_no_further_than_itself(random):
    made = [
        sample.but(
            measured={
                phase: peak(counted, phase, KNOWN, random.uniform(0.98, 1.02)).plain()
                for phase in PHASES
            }
        )
        for sample, (_, _, counted) in zip(samples(CPU, KNOWN), plan(CPU), strict=True)
    ]
    assert worst(errors(Calibration.fitted(CPU, made), True)) < 0.06


@pytest.mark.parametrize("machine", MACHINES)
def test_some_cases_are_fitted_and_others_are_held_out(machine):
    cases = plan(MACHINES[machine])
    fitted = [case for planned, case, _ in cases if not planned.held_out]
    held_out = [case for planned, case, _ in cases if planned.held_out]
    assert len(fitted) >= 5
    assert len(held_out) >= 3
    assert not any(case in fitted for case in held_out)
    assert {case.precision for case in held_out} == {"fp32", "bf16"}


def test_cases_on_a_gpu_take_their_share_of_its_memory():
    for planned, case, counted in plan(GPU):
        target = planned.share * GPU.memory
        more = case.but(batch=case.batch + 1).counted("cuda").training
        assert counted.training <= target < more or case.batch == 1


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRIDGEN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(stored, "installed_torch", lambda: TORCH)
    return tmp_path / "home"


@pytest.fixture(scope="module")
def calibration():
    return Calibration.fitted(GPU, samples(GPU, KNOWN))


def test_what_is_stored_is_loaded_by_name_and_by_path(home, calibration):
    path = store(calibration)
    assert path == home / "devices" / "made-up-gpu" / "torch-2.13.0.yaml"
    assert load_device("made-up-gpu") == load_device(str(path)) == calibration
    assert device_names() == ("made-up-gpu",)


def test_it_can_be_stored_elsewhere(home, tmp_path, calibration):
    path = store(calibration, tmp_path / "deep" / "mine.yaml")
    assert load_device(str(path)) == calibration
    assert device_names() == ()


def test_where_the_users_data_are(monkeypatch, tmp_path):
    monkeypatch.delenv("GRIDGEN_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert place_of(GPU) == tmp_path / "gridgen/devices/made-up-gpu/torch-2.13.0.yaml"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place_of(GPU).is_relative_to(tmp_path / ".local/share/gridgen/devices")


def test_each_torch_has_a_file_and_the_one_installed_is_taken(home, calibration):
    other = calibration.but(machine=GPU.but(torch="2.14.0").plain())
    store(calibration)
    os.utime(store(other), (2e9, 2e9))
    assert load_device("made-up-gpu") == calibration


def test_another_torch_is_taken_with_a_warning(home, calibration):
    store(calibration.but(machine=GPU.but(torch="2.12.1").plain()))
    text = "made-up-gpu was calibrated with torch 2.12.1, here is 2.13.0; run gridgen calibrate"
    with pytest.warns(UserWarning, match=f"^{text} there again$"):
        assert load_device("made-up-gpu").machine.torch == "2.12.1"


TOO = "(gridgen calibrate measures one; an amount such as 8GB works too)"


def test_an_unknown_device(home, calibration):
    with pytest.raises(DeviceError) as error:
        load_device("h100")
    assert str(error.value) == f"unknown calibrated device 'h100'; none is calibrated yet {TOO}"
    store(calibration)
    with pytest.raises(DeviceError) as error:
        load_device("made-up-gqu")
    expected = f"unknown calibrated device 'made-up-gqu'; did you mean 'made-up-gpu'? {TOO}"
    assert str(error.value) == expected


DAMAGED = {
    "samples: []": "machine: this field is missing; add it",
    "{": "expected the node content, but found '<stream end>'",
    "slack: 0.5": "constants.slack: 0.5 is less than 1",
    "slack: .nan": "constants.slack: '.nan' is not a number",
    "workspace: -1.0": "constants.inference.workspace: -1.0 is less than 0",
    "memory: 80GB": "machine.memory: '80GB' is not a whole number",
    "device: tpu": "machine.device: 'tpu' is not one of: 'cuda' or 'cpu'",
    "name: ../x": "machine.name: '../x' does not match ^[a-z0-9][a-z0-9_-]*$",
    "speed: 1": (f"speed: {unknown('field', 'speed', ['constants', 'machine', 'samples'])}"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file(damage, home, tmp_path, calibration):
    text, field = store(calibration).read_text("utf-8"), damage.split(":")[0]
    lines = [
        f"{line[: len(line) - len(line.lstrip())]}{damage}" if _is(line, field) else line
        for line in text.splitlines()
    ]
    broken = "\n".join(lines) + ("\nspeed: 1\n" if field == "speed" else "\n")
    path = tmp_path / "broken.yaml"
    path.write_text(broken if ":" in damage and field != "samples" else damage)
    with pytest.raises(SpecError) as error:
        load_device(str(path))
    assert str(error.value).splitlines()[0].startswith(f"{path}:")
    assert DAMAGED[damage] in str(error.value)


def _is(line, field):
    return line.strip().startswith(f"{field}:")


def test_the_file_is_plain_yaml(home, calibration):
    data = yaml.safe_load(store(calibration).read_text("utf-8"))
    assert data["machine"]["memory"] == 80 * 10**9
    assert data["samples"][0]["case"]["spec"]["streams"] == 2
