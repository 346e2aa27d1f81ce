"""A training in TensorBoard: what steps.csv and metrics.csv say, and the last predictions."""

from pathlib import Path

import numpy as np
from PIL import Image

from gridgen.errors import UsageError
from gridgen.training.run import MetricsRow, Run
from gridgen.training.run.steplog import COLUMNS, StepRow
from gridgen.training.watching.watch import Watch

FOLDER = "tensorboard"
"""Name of the folder with events in the run folder."""


class TensorBoard(Watch):
    """Writes events into RUN/tensorboard. Errors: `UsageError` where it is not installed."""

    def __init__(self) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter  # a second, and an extra
        except ImportError as error:
            fact = "TensorBoard is not installed"
            raise UsageError(f"{fact}; pip install 'gridgen[tensorboard]'") from error
        self.writer_at = SummaryWriter

    def started(self, run: Run, total: int, done: int, workers: int) -> None:
        """Open the file, and purge events of later steps, which are made again."""
        folder = str(run.folder / FOLDER)
        self.writer = self.writer_at(folder, purge_step=done + 1)
        self.metric, self.total = run.task.metric, total

    def paced(self, row: StepRow) -> None:
        """Loss, learning rate and pace."""
        for column in COLUMNS[1:]:
            self._add(column, row[column], row["step"])

    def scored(self, row: MetricsRow) -> None:
        """The metric on every split, in one group."""
        metric = self.metric
        splits = {"train": metric.train, "val": metric.val, "holdout": metric.holdout}
        for split, column in splits.items():
            if column in row:
                self._add(f"{metric.title}/{split}", row[column], row["step"])

    def drawn(self, predictions: Path) -> None:
        """The picture, as it is in the file."""
        with Image.open(predictions) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        self.writer.add_image("predictions", pixels, self.total, dataformats="HWC")

    def finished(self) -> None:
        """Close the file."""
        self.writer.close()

    def _add(self, name: str, value: float, step: float) -> None:
        self.writer.add_scalar(name, value, int(step))
