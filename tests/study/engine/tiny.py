"""A training that takes a second or two."""

from pathlib import Path

from gridgen.spec import GridSpec
from gridgen.study.engine.engine import ReportScore, TrainingJob
from gridgen.training import Recipe

RECIPE = Recipe(
    epochs=2, batch=500, learning_rate=0.01, crop={"smallest": 8, "largest": 8, "size": 8}
)
SPEC = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3)


def job(
    folder: Path,
    trial: int = 0,
    seed: int = 0,
    report: ReportScore = lambda *_: False,
    network: GridSpec = SPEC,
    epochs: int = 2,
) -> TrainingJob:
    """A job whose folder is as in a study in `folder`."""
    place = folder / f"{trial:05d}" / f"seed-{seed}"
    return TrainingJob(trial, seed, network, RECIPE.but(epochs=epochs), place, report)
