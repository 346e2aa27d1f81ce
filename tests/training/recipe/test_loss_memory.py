"""What a loss keeps and needs at most is what docs/memory.md says."""

import re
from pathlib import Path

import pytest

from gridgen.training.recipe.losses import LOSSES
from tests.oracles.tracking import tracked_loss

TEXT = (Path(__file__).parents[3] / "docs" / "memory.md").read_text("utf-8")
ROW = re.compile(r"\| ([a-z+ -]+?)(, smoothed labels)? \| (\d+\.\d\d) \| (\d+\.\d\d) \|")
ROWS = ROW.findall(TEXT)


def test_the_losses_of_classes_are_told():
    assert {loss for loss, *_ in ROWS} == {*LOSSES, "cross-entropy + dice"} - {"charbonnier"}


@pytest.mark.parametrize(("loss", "smoothed", "kept", "most"), ROWS)
def test_memory_is_as_told(loss, smoothed, kept, most):
    losses = [LOSSES[name]() for name in loss.split(" + ")]
    found = tracked_loss(losses, 0.1 if smoothed else 0.0)
    assert found == (pytest.approx(float(kept), abs=0.006), pytest.approx(float(most), abs=0.006))
