"""Scoring a trained network on a split, beside the best single-pixel lookup."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gridgen.data import Dataset, load_dataset
from gridgen.emit import GridNetwork
from gridgen.errors import DataError
from gridgen.training import devices
from gridgen.training.lookup import fitted_lookup
from gridgen.training.run import Run
from gridgen.training.score import Score, confusion, score
from gridgen.training.splits import require_fit
from gridgen.training.watch import Tick


def score_network(
    network: GridNetwork,
    dataset: Dataset,
    device: torch.device,
    tick: Tick = lambda *_: None,
) -> Score:
    """IoU of `network` on whole images of `dataset`, from one confusion matrix over all of them.

    Leaves the network in the mode it was in. Of several processes each scores a share, and all
    get the whole score.
    """
    training = network.training
    matrix = _confusion(network.eval(), dataset, device, tick)
    network.train(training)
    return score(devices.summed(matrix), dataset.classes)


@torch.no_grad()
def _confusion(network: GridNetwork, dataset: Dataset, device: torch.device, tick: Tick) -> Tensor:
    """Pixel counts (truth, prediction) of this process's share."""
    classes = len(dataset.classes)
    matrix = torch.zeros(classes, classes, dtype=torch.int64, device=device)
    for index in range(devices.rank(), len(dataset), devices.world_size()):
        sample = dataset[index]
        prediction = network(sample.image[None].to(device)).argmax(1)
        matrix += confusion(prediction, sample.label[None].to(device), classes)
        tick(index + 1, len(dataset))
    return matrix


@dataclass(frozen=True)
class Evaluation:
    """The network's score, and the lookup's where it was asked for."""

    data: str
    split: str
    images: int
    network: Score
    lookup: Score | None

    @property
    def margin(self) -> float | None:
        """Mean IoU above the lookup's."""
        return self.network.mean_iou - self.lookup.mean_iou if self.lookup else None

    def as_json(self) -> dict[str, Any]:
        """Plain numbers; a class that neither occurs nor is predicted has null."""
        return {
            "data": self.data,
            "split": self.split,
            "images": self.images,
            **self.network.as_json(),
            "lookup": self.lookup.as_json() if self.lookup else None,
            "margin": self.margin,
        }

    def rows(self) -> list[tuple[str, str]]:
        """Label and value of each line of a report."""
        network = self.network
        rows = [
            ("data", f"{self.data}, {self.split}: {self.images} images"),
            ("mean IoU", f"{network.mean_iou:.4f}"),
            *(
                (f"  {name}", f"{iou:.4f}")
                for name, iou in zip(network.classes, network.iou, strict=True)
            ),
            ("accuracy", f"{network.accuracy:.4f}"),
        ]
        if self.lookup is not None:
            rows += [
                (
                    "lookup IoU",
                    f"{self.lookup.mean_iou:.4f}  (best class per intensity, fitted on train)",
                ),
                ("margin", f"{self.margin:+.4f}"),
            ]
        return rows


def evaluate(
    folder: str | Path,
    data: str,
    split: str = "val",
    *,
    best: bool = False,
    lookup: bool = True,
    device: str = "auto",
    tick: Tick = lambda *_: None,
) -> Evaluation:
    """Score the final weights (or the `best` on val) of a run on whole images of a split.

    With `lookup`, also the best single-pixel lookup fitted on train. `tick(done, total)`
    hears of each image. Errors: `RunError`, `WeightsError`, `DataError`, `SizeError`; `SpecError`
    where the data has other classes or channels than the network.
    """
    run = Run.open(folder)
    chosen = devices.choose_device(device)
    dataset = load_dataset(data, split)
    require_fit(run.spec, dataset)
    network = run.network(best).to(chosen)
    reached = score_network(network, dataset, chosen, tick)
    baseline = _lookup(data, dataset) if lookup else None
    return Evaluation(dataset.name, split, len(dataset), reached, baseline)


def _lookup(data: str, dataset: Dataset) -> Score | None:
    """The score of the lookup fitted on train; None where the data has no train split."""
    try:
        train = load_dataset(data, "train")
    except DataError:
        return None
    return score(fitted_lookup(train, dataset), dataset.classes)
