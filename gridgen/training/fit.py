"""The training loop: plain PyTorch, from a grid, a dataset and a recipe to a run folder."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import torch

from gridgen.errors import GridgenError, Interrupted
from gridgen.grid import build_grid
from gridgen.training import devices
from gridgen.training.batches import Batch, Batches
from gridgen.training.failures import explained
from gridgen.training.interrupts import Request, stop_requests
from gridgen.training.learner import Learner, Outcome
from gridgen.training.losses import EVERY
from gridgen.training.model import export_model, model_of
from gridgen.training.pictures.curves import draw_curve
from gridgen.training.pictures.predictions import draw_predictions
from gridgen.training.recipe import Moment
from gridgen.training.run import Run
from gridgen.training.run.checkpoint import BEST, State, load_checkpoint, newest, save_checkpoint
from gridgen.training.splits import Splits
from gridgen.training.stopwatch import Stopwatch
from gridgen.training.validation import Validation
from gridgen.training.watching import Watch


class Fit:
    """One training on its way: the run folder says what to do, `state` how far it is.

    All that happens in a step follows from the seed and the step's number, so a training that
    was stopped and goes on gives the same bits as one that was not (on a CPU).
    """

    def __init__(self, run: Run, splits: Splits, device: torch.device, watch: Watch) -> None:
        self.run, self.splits, self.device, self.watch = run, splits, device, watch
        self.task, self.recipe, self.objective = run.task, run.recipe, run.objective
        seed = run.facts.seed
        share = devices.rank(), devices.world_size()
        self.batches = Batches(splits.train, self.recipe, seed, *share)
        self.learner = Learner(build_grid(run.spec), self.task, self.recipe, seed, device)
        self.state = State(self.learner)
        self.validation = Validation(splits, self.task, self.recipe, device, watch)
        self.stopwatch, self.saved = Stopwatch(), time.monotonic()

    def restore(self) -> None:
        """Go on from the newest whole checkpoint; from the beginning where there never was one.

        Errors: `RunError` where there is none any more.
        """
        with self._explaining():
            found = load_checkpoint(self.run.checkpoints, self.state)
        devices.require_agreed(self.state.step, self.run.checkpoints)
        self._leave_tally_to_the_first()
        if found is None:
            self.run.require_unscored()
        elif devices.rank() == 0:
            self.run.write_rows(self.state.rows)

    def _leave_tally_to_the_first(self) -> None:
        """A checkpoint's tally is that of all processes; the first goes on with it."""
        tally = self.state.tally
        if tally is not None:
            mine = tally if devices.rank() == 0 else torch.zeros_like(tally)
            self.state.tally = mine.to(self.device)

    def go(self) -> None:
        """Train to the end. Errors: `Interrupted` (state saved), `TrainingError`.

        A request to stop after the last step has nothing to stop, and is not obeyed.
        """
        if devices.rank() == 0:
            self.run.steps.cut(self.state.step)
        with stop_requests() as request:
            workers = devices.workers(self.recipe.workers, self.device)
            with self._explaining():
                self.watch.started(self.run, len(self.batches), self.state.step, workers)
                try:
                    self._train(request)
                    self._finish()
                finally:
                    self.watch.finished()

    def _train(self, request: Request) -> None:
        self.stopwatch.restart()
        # Closed at once, not when somebody forgets the error: processes that load images ignore the
        # signals that would end them, and a program that waits for them would never end.
        with closing(self.batches.loader(self.state.step, self.device)) as loader:
            for batch in self.stopwatch.timed(loader):
                self._advance(batch)
                self._obey(request)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """What stops a training, in a line that says what is kept."""
        try:
            yield
        except (GridgenError, OSError, RuntimeError, ValueError, MemoryError) as error:
            told = explained(error, self.recipe)
            if told is None:
                raise
            raise type(told)(f"{told} {self._kept()}") from error

    def _kept(self) -> str:
        kept = newest(self.run.checkpoints)
        if kept is None:
            return "No state was saved yet."
        return f"The last state is kept in {kept}."

    def _advance(self, batch: Batch) -> None:
        """One step, and what is due after it."""
        state = self.state
        moment = Moment(state.step, self.batches.per_epoch, self.recipe.epochs)
        outcome = self.learner.step(*batch, moment)
        state.losses.add(outcome.loss)
        self._observe(outcome)
        state.step += 1
        self.watch.stepped(state.step)
        if state.step % EVERY == 0 or state.step == len(self.batches):
            self._look(moment)
        epoch, rest = divmod(state.step, self.batches.per_epoch)
        if rest == 0 and (epoch % self.recipe.validate_every == 0 or epoch == self.recipe.epochs):
            self._validate(epoch, moment)

    def _observe(self, outcome: Outcome) -> None:
        """Keep the running tally of what was trained on."""
        tally = self.task.tally(outcome.prediction, outcome.labels)
        self.state.tally = tally if self.state.tally is None else self.state.tally + tally

    def _look(self, moment: Moment) -> None:
        """Fetch the losses, which waits for the device; a line of steps.csv."""
        self.state.losses.fetch(self.state.step)
        pace = self.stopwatch.pace(self.recipe.batch)
        self.stopwatch.restart()
        row = {
            "step": float(self.state.step),
            "learning_rate": self.recipe.rate(moment),
            "loss": self.state.losses.mean_of_recent(),
            **pace._asdict(),
        }
        if devices.rank() == 0:
            self.run.steps.add(row)
        self.watch.paced(row)

    def _validate(self, epoch: int, moment: Moment) -> None:
        """Score on val, write a checkpoint, add a row to metrics.csv."""
        state = self.state
        self._settle()
        row = self.validation.row(state, epoch, moment)
        state.rows.append(row)
        self.watch.scored(row)
        better = row[self.objective] > state.best
        state.best = max(state.best, row[self.objective])
        state.tally = None
        if better and devices.rank() == 0:
            save_checkpoint(self.run.checkpoints, state, BEST)
        self._save()
        if devices.rank() == 0:
            self.run.write_rows(state.rows)

    def _settle(self) -> None:
        """Fetch the losses, and make sure that there are numbers to score and to keep."""
        self.state.losses.fetch(self.state.step)
        self.learner.require_finite(self.state.step)

    def _save(self) -> None:
        """A checkpoint of a state that is settled; its tally is that of all processes."""
        state = self.state
        if state.tally is not None:
            state.tally = devices.summed(state.tally)
            self._leave_tally_to_the_first()
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
            export_model(model_of(self.run, self.learner.scored), self.run.weights)
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
        export_model(model_of(self.run, network), self.run.weights)
        draw_curve(self.state.rows, self.task.metric, folder / "curve.png")
        val, inference = self.splits.val, self.recipe.inference
        draw_predictions(network, val, self.device, folder / "predictions.png", inference)
        self.watch.drawn(folder / "predictions.png")
