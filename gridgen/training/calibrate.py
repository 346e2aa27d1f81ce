"""Measuring a device by a few networks, and what arithmetic cannot know of it."""

from gridgen.data.dataset import Tick
from gridgen.memory.device.calibration import Calibration, Sample
from gridgen.memory.device.cases import Machine
from gridgen.memory.device.plan import PLAN, Planned
from gridgen.training.measure import machine, measure


def calibrate(device: str = "auto", tick: Tick = lambda *_: None) -> Calibration:
    """The calibration of a device, which nothing else should use meanwhile. Stores nothing.

    `tick(done, total)` hears of each network. Errors: `DeviceError`, `OutOfMemoryError`,
    `TrainingError` where a measurement fails.
    """
    about, samples = machine(device), []
    for number, planned in enumerate(PLAN):
        tick(number, len(PLAN))
        samples.append(_sample(planned, about, device))
    return Calibration.fitted(about, samples)


def _sample(planned: Planned, about: Machine, device: str) -> Sample:
    case = planned.case(about)
    return Sample(case=case, measured=measure(case, device), held_out=planned.held_out)
