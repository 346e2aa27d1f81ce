"""Scoring a trained network on a split, beside what needs no network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gridgen.data import Dataset, load_dataset
from gridgen.emit import GridNetwork
from gridgen.errors import DataError
from gridgen.training import devices
from gridgen.training.run import Run
from gridgen.training.splits import require_fit
from gridgen.training.tasks import Score, Task, task_of
from gridgen.training.watch import Tick


def score_network(
    network: GridNetwork,
    dataset: Dataset,
    device: torch.device,
    tick: Tick = lambda *_: None,
) -> Score:
    """How well `network` predicts whole images of `dataset`, from one tally over all of them.

    Leaves the network in the mode it was in. Of several processes each scores a share, and all
    get the whole score.
    """
    training, task = network.training, task_of(dataset)
    tally = _tally(task, network.eval(), dataset, device, tick)
    network.train(training)
    return task.score(devices.summed(tally))


@torch.no_grad()
def _tally(
    task: Task, network: GridNetwork, dataset: Dataset, device: torch.device, tick: Tick
) -> Tensor:
    """Of this process's share of the images."""
    tally = task.nothing().to(device)
    for index in range(devices.rank(), len(dataset), devices.world_size()):
        sample = dataset[index]
        prediction = network(sample.image[None].to(device))
        tally += task.tally(prediction, sample.label[None].to(device))
        tick(index + 1, len(dataset))
    return tally


@dataclass(frozen=True)
class Evaluation:
    """The network's score, and where it was asked for that of the baseline, which needs no network:
    the best single-pixel lookup, or the image that is to be restored.
    """

    task: Task
    data: str
    split: str
    images: int
    network: Score
    baseline: Score | None

    @property
    def margin(self) -> float | None:
        """What the network is better by."""
        return self.network.value - self.baseline.value if self.baseline else None

    def as_json(self) -> dict[str, Any]:
        """Plain numbers; a class that neither occurs nor is predicted has null."""
        return {
            "data": self.data,
            "split": self.split,
            "images": self.images,
            **self.network.as_json(),
            "baseline": self.baseline.as_json() if self.baseline else None,
            "margin": self.margin,
        }

    def rows(self) -> list[tuple[str, str]]:
        """Label and value of each line of a report."""
        split = f"{self.data}, {self.split}: {self.images} images"
        rows = [("data", split), *self.network.rows()]
        if self.baseline is None or self.margin is None:
            return rows
        task, metric = self.task, self.task.metric
        without = f"{metric.shown(self.baseline.value)}  ({task.baseline})"
        return [
            *rows,
            (f"baseline {metric.title}", without),
            ("margin", metric.shown(self.margin, sign="+")),
        ]


def evaluate(
    folder: str | Path,
    data: str,
    split: str = "val",
    *,
    best: bool = False,
    baseline: bool = True,
    size: str | None = None,
    device: str = "auto",
    tick: Tick = lambda *_: None,
) -> Evaluation:
    """Score the final weights (or the `best` on val) of a run on whole images of a split.

    With `baseline`, also what needs no network: the best single-pixel lookup fitted on train, or
    the image that is to be restored; with `size`, another policy for image sizes than the run's.
    `tick(done, total)` hears of each image. Errors: `RunError`, `WeightsError`, `SizeError`;
    `DataError` where the data sets another task than the run was trained for; `SpecError` where it
    has other classes or channels than the network.
    """
    run = Run.open(folder)
    chosen = devices.choose_device(device)
    dataset = load_dataset(data, split)
    task = task_of(dataset)
    _require_task(run, task, dataset)
    require_fit(run.spec, dataset)
    network = run.network(best, size).to(chosen)
    reached = score_network(network, dataset, chosen, tick)
    without = task.score_baseline(data, dataset) if baseline else None
    return Evaluation(task, dataset.name, split, len(dataset), reached, without)


def _require_task(run: Run, task: Task, dataset: Dataset) -> None:
    trained = run.task.metric.title
    if trained != task.metric.title:
        raise DataError(
            f"{dataset.name} is scored by {task.metric.title}, but {run.folder} was trained for "
            f"{trained} on {run.facts['data']}; name such data"
        )
