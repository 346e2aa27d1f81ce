"""What a training has reached: a row of metrics.csv."""

from dataclasses import dataclass
from functools import partial

import torch

from gridgen.data import Dataset
from gridgen.training import devices
from gridgen.training.evaluation.loop import score_network
from gridgen.training.recipe import Moment, Recipe
from gridgen.training.run import Row
from gridgen.training.run.checkpoint import State
from gridgen.training.splits import Splits
from gridgen.training.tasks import Score, Task, val_column
from gridgen.training.watching import Watch


@dataclass(frozen=True)
class Validation:
    """Scores the network of a training on val, and on what was held out."""

    splits: Splits
    task: Task
    recipe: Recipe
    device: torch.device
    watch: Watch

    def row(self, state: State, epoch: int, moment: Moment) -> Row:
        """After the step of `moment`. The mean of the losses begins anew."""
        assert state.tally is not None
        metric, held_out = self.task.metric, self.splits.holdout
        scored = self._score(state, "val", self.splits.val)
        row: Row = {
            "epoch": epoch,
            "step": state.step,
            "learning_rate": self.recipe.rate(moment),
            "loss": state.losses.mean(),
            metric.train: self.task.score(devices.summed(state.tally)).value,
            **{val_column(name): value for name, value in scored.numbers().items()},
        }
        if held_out is not None:
            row[metric.holdout] = self._score(state, "held out", held_out).value
        return row

    def _score(self, state: State, split: str, dataset: Dataset) -> Score:
        return score_network(
            state.learner.scored,
            dataset,
            self.device,
            partial(self.watch.scoring, split),
            self.recipe.inference,
            devices.workers(self.recipe.workers, self.device),
        )
