"""The largest batch that fits: what it needs fits, and one image more does not."""

import pytest
from hypothesis import given, settings, strategies as st
from strategies import specs

from gridgen.grid import build_grid
from gridgen.memory import Setting, count_memory
from gridgen.memory.device.calibration import Calibration, Constants
from gridgen.memory.device.cases import Machine
from gridgen.memory.device.fitting import MOST, DeviceFit, DeviceMemory, fits, largest_batch

LINES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**4)), min_size=1, max_size=5)


@given(LINES, st.integers(0, 10**8))
def test_it_is_the_last_that_fits(lines, available):
    asked = []

    def needed(batch):
        asked.append(batch)
        return max(a + b * batch for a, b in lines)

    found = largest_batch(needed, available)
    expected = min((available - a) // b for a, b in lines)
    assert found == min(max(expected, 0), MOST)
    assert len(asked) <= 3 + 4 * len(lines)
    assert max(asked) <= MOST


@settings(max_examples=25)
@given(specs(max_streams=3), st.integers(1, 5), st.sampled_from(["fp32", "bf16"]), st.data())
def test_needs_and_batches_are_those_of_memory(spec, batch, precision, data):
    grid, size = build_grid(spec), (32, 32)
    setting = Setting(batch=batch, precision=precision)
    needed = count_memory(grid, size, setting)
    available = data.draw(st.integers(1, 3 * needed.peak_training))
    room = DeviceMemory("made up", available)
    inference, training = fits(grid, room, size, setting)
    assert (inference.needed, training.needed) == (needed.peak_inference, needed.peak_training)
    for fit, of in ((inference, "peak_inference"), (training, "peak_training")):
        assert fit.fits == (fit.needed <= available) == (fit.largest_batch >= batch)
        most = fit.largest_batch
        if most:
            assert getattr(count_memory(grid, size, setting.but(batch=most)), of) <= available
        assert getattr(count_memory(grid, size, setting.but(batch=most + 1)), of) > available


def calibrated(device="cuda"):
    machine = Machine(name="made-up", device=device, memory=8 * 10**9, torch="2.13.0")
    inference, training = ({"fixed": 10**power, "workspace": 1.0} for power in (7, 8))
    constants = Constants(outside=10**9, slack=1.5, inference=inference, training=training)
    found = Calibration.model_construct(machine=machine, constants=constants, samples=())
    return DeviceMemory("made-up", machine.memory, found)


def test_a_calibrated_device_needs_what_its_constants_say(paper_grid):
    setting = Setting(batch=4)
    plain = count_memory(paper_grid, (400, 400), setting)
    inference, training = fits(paper_grid, calibrated(), (400, 400), setting)
    largest = 2 * 19 * 400 * 400 * 4 * 4  # the head's last deconvolution, 19 channels to 19
    expected = 10**9 + 1.5 * (plain.peak_training + 10**8 + largest)
    assert training.needed == pytest.approx(expected)
    assert inference.needed == pytest.approx(10**9 + 1.5 * (plain.peak_inference + 10**7 + largest))
    assert training.text(calibrated()) == (
        "needs 6.39 GB, fits on made-up (8.00 GB); up to batch 5"
    )


def test_one_kernel_updates_all_weights_on_a_cpu_too(paper_grid):
    asked = Setting(batch=1, fused=False, device="cuda")
    room = calibrated("cpu")
    assert room.setting(asked) == Setting(batch=1, fused=True, device="cpu")
    assert fits(paper_grid, room, (16, 16), asked) == fits(
        paper_grid, room, (16, 16), Setting(batch=1, fused=True, device="cpu")
    )


TEXTS = {
    "needs 3.40 GB, fits on 8GB; up to batch 9": (True, 9),
    "needs 3.40 GB, does not fit on 8GB; up to batch 2": (False, 2),
    "needs 3.40 GB, does not fit on 8GB; not even batch 1": (False, 0),
    "needs 3.40 GB, fits on 8GB; up to batch 2,063": (True, 2063),
    "needs 3.40 GB, fits on 8GB; up to batch 65,536 or more": (True, 65_536, True),
}


@pytest.mark.parametrize("text", TEXTS)
def test_in_words(text):
    fit = DeviceFit("training", 3_398_249_668, *TEXTS[text])
    assert fit.text(DeviceMemory("8GB", 8 * 10**9)) == text


def test_where_none_larger_was_looked_at_more_may_fit(paper_grid):
    vast, less = DeviceMemory("9999TB", 10**16), DeviceMemory("8GB", 8 * 10**9)
    for fit in fits(paper_grid, vast, (16, 16)):
        assert (fit.largest_batch, fit.or_more) == (MOST, True)
        assert "; up to batch 65,536 or more" in fit.text(vast)
    assert not any(fit.or_more for fit in fits(paper_grid, less, (400, 400)))
