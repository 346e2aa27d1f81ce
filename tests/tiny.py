"""The smallest training that has every part: a few seconds on one core."""

import os

from gridgen.spec import GridSpec
from gridgen.training import Recipe, Run
from gridgen.training.loop.watch import Watch

SPEC = GridSpec(streams=2, columns="1+1", base_channels=3, classes=3, total_dropout=0.3, size="pad")
RECIPE = Recipe(
    epochs=3,
    batch=250,
    learning_rate=0.01,
    crop={"smallest": 8, "largest": 16, "size": 8},
)
STEPS = 12

PROGRAM = """
import sys
from gridgen.cli.app import run
sys.exit(run(sys.argv[1:]))
"""


class StopAt(Watch):
    """Sends a signal to this very process after a step."""

    def __init__(self, step: int, number: int) -> None:
        self.step, self.number = step, number

    def stepped(self, step: int) -> None:
        if step == self.step:
            os.kill(os.getpid(), self.number)


def bits(run: Run) -> tuple[bytes, str]:
    """What two equal trainings have in common."""
    return run.weights.read_bytes(), (run.folder / "metrics.csv").read_text("utf-8")
