"""Predicted memory against torch's allocator. Run with `python -m pytest -m gpu`."""

import pytest
import torch

from gridgen.memory.device.calibration import worst
from gridgen.training.loop.measurement import calibrate

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.fixture(scope="module")
def predictions():
    return calibrate("cuda").predictions()


def test_training_is_counted_within_10_percent(predictions):
    assert worst(p.tensors_before for p in predictions if p.phase == "training") < 0.10


def test_training_is_calibrated_within_3_percent(predictions):
    held_out = [p for p in predictions if p.held_out and p.phase == "training"]
    assert worst(p.tensors_after for p in held_out) < 0.03
