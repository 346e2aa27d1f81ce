"""Training callbacks, TensorBoard among them. Terminals and logs: `progress`."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gridgen.errors import UsageError
from gridgen.files import read_bytes
from gridgen.training.run.folder import MetricsRow, Run
from gridgen.training.run.steplog import COLUMNS, StepRow


class Watch:
    """Training callbacks. The base class ignores every event."""

    def opening(self, data: str) -> None:
        """The dataset is read, a folder's every image and label: minutes where it is large."""

    def counted(self, done: int, total: int) -> None:
        """So many labels of a split were counted."""

    def noted(self, line: str) -> None:
        """Something that whoever trains should know, in a line."""

    def started(self, run: Run, total: int, done: int, workers: int) -> None:
        """Training begins: `total` steps, of which `done` were made before.

        `workers` processes load images.
        """

    def stepped(self, step: int) -> None:
        """Step `step` (from 1) is done; its loss may not be known yet."""

    def paced(self, row: StepRow) -> None:
        """Some steps are done; `row` is their line of steps.csv."""

    def scoring(self, split: str, done: int, total: int) -> None:
        """So many images of a split were scored."""

    def scored(self, row: MetricsRow) -> None:
        """An epoch was validated; `row` is its line of metrics.csv."""

    def drawn(self, predictions: Path) -> None:
        """Training came to its end; images of val and their predictions are in this PNG file."""

    def finished(self) -> None:
        """The training has ended, or was stopped; no other callback follows."""


class Several(Watch):
    """Passes each event to several watches, in order."""

    def __init__(self, *watches: Watch) -> None:
        self.watches = watches


def _to_each(hook: str) -> Callable[..., None]:
    def told(self: Several, *news: Any) -> None:
        for watch in self.watches:
            getattr(watch, hook)(*news)

    return told


# A new event of Watch is passed on without a line here.
for _hook in [name for name in vars(Watch) if not name.startswith("_")]:
    setattr(Several, _hook, _to_each(_hook))


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
        with Image.open(BytesIO(read_bytes(predictions))) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        self.writer.add_image("predictions", pixels, self.total, dataformats="HWC")

    def finished(self) -> None:
        """Close the file."""
        self.writer.close()

    def _add(self, name: str, value: float, step: float) -> None:
        self.writer.add_scalar(name, value, int(step))
