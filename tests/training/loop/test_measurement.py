"""Measuring memory: what a fresh process answers, and how a GPU is asked."""

import io
import json
import subprocess
import sys

import pytest
import torch

from gridgen.errors import DeviceError, OutOfMemoryError, TrainingError, unknown
from gridgen.memory.device.cases import Machine, Measured, MemoryCase
from gridgen.spec import GridSpec
from gridgen.training.loop import learner, measurement

SPEC = GridSpec(streams=2, columns="1+1", base_channels=8, classes=3)
TINY = MemoryCase(spec=SPEC.but(base_channels=2), size=16, batch=2)


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_a_fresh_process_measures_what_the_network_takes():
    case = MemoryCase(spec=SPEC, size=256, batch=2)
    found, counted = measurement.measure(case, "cpu"), case.counted("cpu")
    assert counted.inference < found.inference.tensors < counted.inference + 150e6
    assert counted.training < found.training.tensors < counted.training + 300e6
    assert found.training.outside == found.inference.outside > 100e6
    assert found.training.needed == found.training.outside + found.training.tensors


def test_what_this_machine_is(monkeypatch):
    job = {"device": "cpu"}
    found = measurement.answer(job)
    assert isinstance(found, Machine)
    assert (found.device, found.torch) == ("cpu", torch.__version__)
    assert found.name.startswith("cpu-")
    assert found.memory > 2**28


def test_a_gpu_is_called_by_its_name(monkeypatch):
    class Properties:
        name, total_memory = "NVIDIA H100 80GB HBM3", 85_000_000_000

    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Properties)
    found = measurement.described(torch.device("cuda"))
    assert (found.name, found.device) == ("nvidia-h100-80gb-hbm3", "cuda")
    assert found.memory == 85_000_000_000


def test_a_gpu_is_asked_for_the_peak_of_the_last_step(monkeypatch):
    """The calls, on a CPU in place of the GPU."""
    calls = []
    for name in ("reset_peak_memory_stats", "empty_cache", "synchronize"):
        monkeypatch.setattr(torch.cuda, name, lambda *_, name=name: calls.append(name))
    answers = {"max_memory_allocated": 50, "max_memory_reserved": 70, "memory_reserved": 60}
    for name in answers:
        monkeypatch.setattr(
            torch.cuda, name, lambda _, name=name: calls.append(name) or answers[name]
        )
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (800, 1000))
    found = measurement.on_cuda(TINY, torch.device("cpu"))
    assert found.training.plain() == {"tensors": 50, "reserved": 70, "outside": 140}
    phase = ["reset_peak_memory_stats"] * measurement.STEPS + ["synchronize", *answers]
    assert [call for call in calls if call != "empty_cache"] == 2 * phase
    assert calls.index("empty_cache") == len(phase)


def test_the_step_is_that_of_a_training():
    for name in ("forward", "update"):
        assert getattr(learner, name) is getattr(measurement, name)
    assert learner.optimizer_of is measurement.optimizer_of


def test_gradients_stay_where_they_are():
    load = measurement.MeasuredLoad(TINY, torch.device("cpu"))
    load.train(lambda: None)
    before = [parameter.grad.data_ptr() for parameter in load.network.parameters()]
    optimizer = torch.optim.Adam(load.network.parameters())
    learner.update(optimizer, load.network(load.images).sum())
    assert [parameter.grad.data_ptr() for parameter in load.network.parameters()] == before


ENDS = {
    "device": (DeviceError("no such device"), DeviceError, "no such device"),
    "memory": (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"),
        OutOfMemoryError,
        "memory ran out in a measurement; free the device, or calibrate a larger one",
    ),
    "error": (TrainingError("the loss"), TrainingError, "the loss"),
}


@pytest.mark.parametrize("kind", ENDS)
def test_errors_of_the_fresh_process_are_raised_in_this_one(kind, monkeypatch, capsys):
    raised, expected, text = ENDS[kind]

    def fail(_):
        raise raised

    monkeypatch.setattr(measurement, "answer", fail)
    monkeypatch.setattr(sys, "stdin", io.StringIO("{}"))
    measurement.main()
    said = capsys.readouterr().out
    assert json.loads(said) == {"error": text, "kind": kind}
    _end(monkeypatch, 0, said)
    with pytest.raises(expected, match=text):
        measurement.machine()


def test_a_process_that_was_killed(monkeypatch):
    _end(monkeypatch, -9, "")
    with pytest.raises(TrainingError) as error:
        measurement.machine()
    assert str(error.value) == "a measurement ended with SIGKILL; memory may have run out"


def test_a_process_that_failed(monkeypatch):
    _end(monkeypatch, 1, "", "Traceback\n  ...\nImportError: no torch\n")
    with pytest.raises(TrainingError) as error:
        measurement.machine()
    assert str(error.value) == "a measurement ended with exit code 1: ImportError: no torch"


def _end(monkeypatch, code, out, err=""):
    done = subprocess.CompletedProcess([], code, out, err)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)


@pytest.mark.parametrize("name", ["cuda", "cuda:99", "tpu", ""])
def test_a_wrong_device(name):
    if name == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(DeviceError):
        measurement.answer({"device": name})


def test_a_device_that_is_neither_cpu_nor_cuda():
    with pytest.raises(DeviceError) as error:
        measurement.answer({"device": "mps"})
    assert str(error.value) == unknown("device", "mps", ["auto", "cpu", "cuda"], guess=False)


def test_resident_memory_is_linux_only(monkeypatch, tmp_path):
    monkeypatch.setattr(measurement, "STATUS", tmp_path / "status")
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(DeviceError) as error:
        measurement.resident("VmHWM")
    assert str(error.value) == "memory of a CPU is measured on Linux alone; here is darwin"


def test_all_cases_are_measured_in_turn(monkeypatch):
    machine = Machine(name="made-up", device="cpu", memory=10**10, torch="2.13.0")
    asked, ticks = [], []
    peak = {"tensors": 10**9, "reserved": 10**9, "outside": 10**8}

    def fake(case, device):
        asked.append((case, device))
        return Measured(inference=peak, training=peak)

    monkeypatch.setattr(measurement, "machine", lambda device: machine)
    monkeypatch.setattr(measurement, "measure", fake)
    found = measurement.calibrate("cpu", lambda *now: ticks.append(now))
    assert [sample.case for sample in found.samples] == [case for case, _ in asked]
    assert {device for _, device in asked} == {"cpu"}
    assert ticks == [(number, len(asked)) for number in range(len(asked))]
