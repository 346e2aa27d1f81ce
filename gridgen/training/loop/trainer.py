"""The training loop: plain PyTorch, from a grid, a dataset and a recipe to a run folder."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial

import torch
from torch import Tensor

from gridgen.data import Dataset
from gridgen.errors import (
    DataError,
    FileError,
    GridgenError,
    Interrupted,
    OutOfMemoryError,
    TrainingError,
    reason_of,
)
from gridgen.figures.scores import draw_curve
from gridgen.grid import build_grid
from gridgen.training.loop.batches import Batches, TrainingBatch
from gridgen.training.loop.learner import Learner
from gridgen.training.loop.supernet import SupernetLearner
from gridgen.training.loop.watch import Watch
from gridgen.training.processes import devices
from gridgen.training.processes.devices import Request, out_of_memory, stop_requests
from gridgen.training.processes.group import fact_of_others
from gridgen.training.recipe import Recipe, TrainingStep
from gridgen.training.run.checkpoint import (
    BEST,
    TrainingState,
    load_checkpoint,
    newest,
    save_checkpoint,
)
from gridgen.training.run.exporting import write_model
from gridgen.training.run.folder import MetricsRow, Run
from gridgen.training.run.model import model_of
from gridgen.training.run.steplog import EVERY, Stopwatch
from gridgen.training.scoring.per_image import Predictor, statistics_of
from gridgen.training.scoring.predictions import draw_predictions
from gridgen.training.tasks import HOLDOUT, VAL, split_numbers
from gridgen.training.tasks.requirements import BY_RECIPE, Splits


class Trainer:
    """A training loop: the run folder says what to do, `state` how far it is.

    All that happens in a step follows from the seed and the step's number, so a training that
    was stopped and goes on gives the same bits as one that was not (on a CPU).
    """

    def __init__(self, run: Run, splits: Splits, device: torch.device, watch: Watch) -> None:
        self.run, self.splits, self.device, self.watch = run, splits, device, watch
        self.task, self.recipe, self.objective = run.task, run.recipe, run.objective
        seed = run.facts.seed
        share = devices.rank(), devices.world_size()
        self.batches = Batches(splits.train, self.recipe, seed, *share)
        grid = build_grid(run.spec)
        kind = Learner if self.recipe.supernet is None else SupernetLearner
        self.learner = kind(grid, self.task, self.recipe, seed, device, run.initial)
        inference = self.recipe.inference
        self.predictor = Predictor(self.learner.scored, device, inference, BY_RECIPE)
        self.workers = devices.workers(self.recipe.workers, device)
        self.state = TrainingState(self.learner)
        self.stopwatch, self.saved = Stopwatch(), time.monotonic()
        self.remarks = run.facts.absent

    def restore(self) -> None:
        """Go on from the newest whole checkpoint; from the beginning where there never was one.

        Errors: `RunError` where there is none any more.
        """
        with self._explaining():
            found = load_checkpoint(self.run.checkpoints, self.state)
        devices.require_agreed(self.state.step, self.run.checkpoints)
        self._leave_statistics_to_the_first()
        if found is None:
            self.run.require_unscored()
        elif devices.rank() == 0:
            self.run.write_rows(self.state.rows)

    def _leave_statistics_to_the_first(self) -> None:
        """A checkpoint's statistics is that of all processes; the first goes on with it."""
        statistics = self.state.statistics
        if statistics is not None:
            mine = statistics if devices.rank() == 0 else torch.zeros_like(statistics)
            self.state.statistics = mine.to(self.device)

    def go(self) -> None:
        """Train to the end. Errors: `Interrupted` (state saved), `TrainingError`.

        A request to stop after the last step has nothing to stop, and is not obeyed.
        """
        if devices.rank() == 0:
            self.run.steps.cut(self.state.step)
        with stop_requests() as request, self._explaining():
            self.watch.started(self.run, len(self.batches), self.state.step, self.workers)
            try:
                self._train(request)
                self._finish()
            finally:
                self.watch.finished()

    def _train(self, request: Request) -> None:
        self.stopwatch.restart()
        # Closed at once, not when somebody forgets the error: processes that load images ignore the
        # signals that would end them, and a program that waits for them would never end.
        with closing(self.batches.loader(self.state.step, self.device, self.workers)) as loader:
            for batch in self.stopwatch.timed(loader):
                self._advance(batch)
                self._obey(request)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Turn what stops a training into an error of one line, which says what is kept."""
        try:
            yield
        except (GridgenError, OSError, RuntimeError, ValueError, MemoryError) as error:
            told = explained(error, self.recipe)
            if told is None:
                raise
            last = newest(self.run.checkpoints)
            kept = f"The last state is kept in {last}." if last else "No state was saved yet."
            raise type(told)(f"{told} {kept}") from error

    def _advance(self, batch: TrainingBatch) -> None:
        """Take a step, and do what is due after it."""
        state = self.state
        step = TrainingStep(state.step, self.batches.per_epoch, self.recipe.epochs)
        outcome = self.learner.step(*batch, step)
        state.losses.add(outcome.loss)
        statistics = self.task.statistics(outcome.prediction, outcome.labels)
        state.statistics = statistics if state.statistics is None else state.statistics + statistics
        state.step += 1
        self.watch.stepped(state.step)
        if state.step % EVERY == 0 or state.step == len(self.batches):
            self._look(step)
        epoch, rest = divmod(state.step, self.batches.per_epoch)
        if rest == 0 and (epoch % self.recipe.validate_every == 0 or epoch == self.recipe.epochs):
            self._validate(epoch, step)

    def _look(self, step: TrainingStep) -> None:
        """Fetch the losses, which waits for the device; a line of steps.csv."""
        self.state.losses.fetch(self.state.step)
        pace = self.stopwatch.pace(self.recipe.batch)
        self.stopwatch.restart()
        row = {
            "step": float(self.state.step),
            "learning_rate": self.recipe.rate(step),
            "loss": self.state.losses.mean_of_recent(),
            **pace._asdict(),
        }
        if devices.rank() == 0:
            self.run.steps.add(row)
        self.watch.paced(row)

    def _validate(self, epoch: int, step: TrainingStep) -> None:
        """Score on val, write a checkpoint, add a row to metrics.csv."""
        state = self.state
        self._settle()
        parts = {VAL: self.splits.val, HOLDOUT: self.splits.holdout}
        scored = {
            split: self._statistics(split, part)
            for split, part in parts.items()
            if part is not None
        }
        row = self._row(epoch, step, scored)
        state.rows.append(row)
        self.watch.scored(row)
        self._remark(scored)
        better = row[self.objective] > state.best
        state.best = max(state.best, row[self.objective])
        state.statistics = None
        if better and devices.rank() == 0:
            save_checkpoint(self.run.checkpoints, state, BEST)
        self._save()
        if devices.rank() == 0:
            self.run.write_rows(state.rows)

    def _row(self, epoch: int, step: TrainingStep, scored: Mapping[str, Tensor]) -> MetricsRow:
        """A row of metrics.csv, after `step`; the mean of the losses begins anew."""
        state = self.state
        assert state.statistics is not None
        row: MetricsRow = {
            "epoch": epoch,
            "step": state.step,
            "learning_rate": self.recipe.rate(step),
            "loss": state.losses.mean(),
            self.task.metric.train: self.task.score(devices.summed(state.statistics)).value,
        }
        for split, statistics in scored.items():
            row |= split_numbers(self.task, split, statistics)
        return row

    def _statistics(self, split: str, dataset: Dataset) -> Tensor:
        told = partial(self.watch.scoring, "held out" if split == HOLDOUT else split)
        return statistics_of(self.predictor, dataset, told, self.workers)

    def _remark(self, scored: Mapping[str, Tensor]) -> None:
        """Keep what is odd now, and tell what was not yet at the last validation."""
        lines = [line for split, each in scored.items() for line in self.task.remarks(each, split)]
        for line in lines:
            if line not in self.remarks:
                self.watch.noted(line)
        self.remarks = lines
        if devices.rank() == 0:
            self.run.write_remarks(lines)

    def _settle(self) -> None:
        """Fetch the losses, and make sure that there are numbers to score and to keep."""
        self.state.losses.fetch(self.state.step)
        self.learner.require_finite(self.state.step)

    def _save(self) -> None:
        """A checkpoint of a state that is settled; its statistics is that of all processes."""
        state = self.state
        if state.statistics is not None:
            state.statistics = devices.summed(state.statistics)
            self._leave_statistics_to_the_first()
        if devices.rank() == 0:
            save_checkpoint(self.run.checkpoints, state)
        self.saved = time.monotonic()
        self.stopwatch.restart()

    def _obey(self, request: Request) -> None:
        """Save where it is time to; stop where a signal asked one of the processes to."""
        late = time.monotonic() - self.saved > 60 * self.recipe.checkpoint_minutes
        number, due = devices.greatest(torch.tensor([request.signal, int(late)])).tolist()
        if self.state.step == len(self.batches) or not (number or due):
            return
        self._settle()
        self._save()
        if not number:
            return
        if devices.rank() == 0:
            write_model(model_of(self.run, self.learner.scored), self.run.weights)
        raise Interrupted(
            f"stopped at step {self.state.step} of {len(self.batches)}; "
            f"gridgen train --resume {self.run.folder} goes on",
            int(number),
        )

    def _finish(self) -> None:
        """Weights and pictures."""
        if devices.rank() > 0:
            return
        network, folder = self.learner.scored, self.run.folder
        write_model(model_of(self.run, network), self.run.weights)
        metric = self.task.metric
        lines = {"train": metric.train, "val": metric.val, "held out": metric.holdout}
        curve = folder / "curve.png"
        draw_curve(self.state.rows, lines, metric.title, curve, metric.unit, metric.most)
        draw_predictions(self.predictor, self.splits.val, folder / "predictions.png")
        self.watch.drawn(folder / "predictions.png")


def explained(error: Exception, recipe: Recipe) -> TrainingError | None:
    """`error` as one that the user can put right; None for a bug of ours."""
    said = str(error)
    if isinstance(error, TrainingError):
        return type(error)(said)
    if isinstance(error, DataError | FileError):
        return TrainingError(f"{said.rstrip('.')}.")
    if fact := fact_of_others(error):
        return TrainingError(fact)
    if out_of_memory(error):
        return OutOfMemoryError(
            f"Memory ran out at batch {recipe.batch}. Lower crop.size, set "
            "recompute: unit, or train anew with a lower batch."
        )
    if isinstance(error, RuntimeError) and "shared memory" in said:
        fact = "Shared memory for loaded images ran out"
        return TrainingError(f"{fact}. Lower workers in the recipe.")
    if "items of ancdata" in said:  # what Python says where a pipe brings a file too many
        fact = "Too many open files for the processes that load images"
        return TrainingError(f"{fact}. Raise `ulimit -n`, or lower workers in the recipe.")
    if isinstance(error, OSError):
        return TrainingError(f"{error.filename or 'A file'}: {reason_of(error)}.")
    return None
