"""Latency beside a reference network: what is timed, and what goes wrong."""

import pytest

from gridgen.errors import DeviceError, SpecError, TrainingError
from gridgen.spec import GridSpec
from gridgen.training.loop import latency
from gridgen.training.loop.latency import (
    REFERENCE,
    Latency,
    LatencyMeter,
    LatencySetting,
    measure_latency,
)

SETTING = LatencySetting(size="32x48")
SMALL = GridSpec(streams=2, columns="1+1", base_channels=2, classes=2, size="pad")


@pytest.fixture(scope="module")
def meter():
    with LatencyMeter(SETTING) as made:
        made.begin()
        yield made


def test_the_reference_itself_is_the_unit(meter):
    found = meter.time(REFERENCE)
    assert found.ratio == pytest.approx(1, abs=0.3)
    assert found.low <= found.ratio <= found.high
    assert 0 < found.reference < 1
    assert meter.reference > 0
    assert "torch" in meter.machine


def test_a_network_of_many_times_the_operations_takes_longer(meter):
    large = SMALL.but(streams=4, columns="3+3", base_channels=24)
    small, larger = meter.time(SMALL), meter.time(large)
    assert larger.ratio > 2 * small.ratio
    assert larger.seconds == larger.ratio * larger.reference


def test_an_image_that_a_network_cannot_take_is_rounded_up(meter):
    assert meter.time(SMALL.but(streams=4, size="error")).ratio > 0


def test_a_process_that_is_killed_is_begun_again():
    with LatencyMeter(SETTING) as made:
        made.begin()
        made._process.kill()
        assert made.time(SMALL).ratio > 0


def test_a_process_that_cannot_be_begun_is_one_line(monkeypatch):
    monkeypatch.setattr(latency.sys, "executable", "/bin/true")
    with pytest.raises(TrainingError, match="the process that measures its latency ended"):
        LatencyMeter(SETTING).begin()


@pytest.mark.skipif(latency.torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_one_line():
    with pytest.raises(DeviceError) as caught, LatencyMeter(SETTING.but(device="cuda")) as made:
        made.begin()
    assert "cuda" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_are_timed_one_after_the_other(monkeypatch):
    monkeypatch.setattr(LatencyMeter, "time", lambda self, spec: Latency(spec.streams, 1, 2, 3))
    seen = []
    found = measure_latency([SMALL, REFERENCE], SETTING, on_progress=lambda *d: seen.append(d))
    assert [each.ratio for each in found] == [2, 3]
    assert seen == [(0, 2), (1, 2)]


def test_one_thread_is_timed_by_its_own_clock():
    import time

    device = latency.torch.device("cpu")
    assert latency._clock(device, 1) is time.thread_time
    assert latency._clock(device, 2) is time.perf_counter


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "size"),
        ({"size": "32x32", "threads": 0}, "threads"),
        ({"size": "32x32", "precision": "int8"}, "precision"),
        ({"size": "32x32", "at_most": 0}, "at_most"),
        ({"size": "32x32", "device": "gpu"}, "device"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(fields, told):
    with pytest.raises(SpecError, match=told):
        LatencySetting(**fields)
