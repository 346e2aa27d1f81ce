"""Training callbacks. Terminals and logs: `progress`. TensorBoard: `tensorboard`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gridgen.training.run import MetricsRow, Run
from gridgen.training.run.steplog import StepRow


class Watch:
    """Training callbacks. The base class ignores every event."""

    def opening(self, data: str) -> None:
        """The dataset is read, a folder's every image and label: minutes where it is large."""

    def counted(self, done: int, total: int) -> None:
        """So many training labels were counted, for the weights of the classes."""

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
