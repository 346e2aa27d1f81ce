"""Steps that the machine cannot hold are refused before anything is written."""

import pytest
from tiny import RECIPE, SPEC

from gridgen.errors import TooLargeError
from gridgen.grid import build_grid
from gridgen.training import train
from gridgen.training.loop import train as module


def test_a_step_larger_than_the_machine_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module.devices, "memory_of", lambda device: 4_000_000)
    with pytest.raises(TooLargeError) as caught:
        train(build_grid(SPEC), "shapes", RECIPE, folder=tmp_path / "run", device="cpu")
    said = str(caught.value)
    assert said.startswith("A step of 250 crops of 8x8 needs ")
    assert said.endswith(" MB; cpu has 4.00 MB. Lower batch or crop.size, or set recompute: unit.")
    assert not (tmp_path / "run").exists()
