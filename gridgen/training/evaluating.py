"""Evaluating a run: its network on a split, beside the best single-pixel lookup."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridgen.data import load_dataset
from gridgen.training.devices import choose_device
from gridgen.training.evaluate import Told, evaluate
from gridgen.training.lookup import best_lookup
from gridgen.training.run import Run
from gridgen.training.score import Score, score
from gridgen.training.train import require_fit


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


def evaluate_run(
    folder: str | Path,
    data: str,
    split: str = "val",
    *,
    lookup: bool = True,
    device: str = "auto",
    told: Told = lambda *_: None,
) -> Evaluation:
    """Score the final weights of the run in `folder` on whole images of a split.

    Errors: `RunError`, `WeightsError`, `DataError`, `SizeError`; `SpecError` where the data has
    other classes or channels than the network.
    """
    run = Run.open(folder)
    chosen = choose_device(device)
    dataset = load_dataset(data, split)
    require_fit(run.spec, dataset)
    network = run.network().to(chosen)
    reached = evaluate(network, dataset, chosen, told)
    baseline = None
    if lookup:
        baseline = score(best_lookup(load_dataset(data, "train"), dataset), dataset.classes)
    return Evaluation(dataset.name, split, len(dataset), reached, baseline)
