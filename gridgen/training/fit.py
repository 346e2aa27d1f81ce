"""The training loop: plain PyTorch, from a grid, a dataset and a recipe to a run folder."""

import math

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from gridgen.data import Dataset
from gridgen.emit import GridNetwork, save_network
from gridgen.errors import Interrupted, OutOfMemoryError, TrainingError
from gridgen.grid import build_grid
from gridgen.training import devices
from gridgen.training.batches import Batches, step_seed
from gridgen.training.checkpoint import BEST, State, load_checkpoint, save_checkpoint
from gridgen.training.evaluate import score_network
from gridgen.training.interrupts import Request, stop_requests
from gridgen.training.pictures import draw_curve, draw_predictions
from gridgen.training.recipe import learning_rate
from gridgen.training.run import Row, Run
from gridgen.training.step import adam, forward, out_of_memory, update
from gridgen.training.tasks import task_of
from gridgen.training.watch import Watch


class Fit:
    """One training on its way: the run folder says what to do, `state` how far it is.

    All that happens in a step follows from the seed and the step's number, so a training that
    was stopped and goes on gives the same bits as one that was not (on a CPU).
    """

    def __init__(
        self, run: Run, train: Dataset, val: Dataset, device: torch.device, watch: Watch
    ) -> None:
        self.run, self.val, self.device, self.watch = run, val, device, watch
        self.task = task_of(val)
        self.recipe, self.seed = run.recipe, int(run.facts["seed"])
        self.batches = Batches(train, self.recipe, self.seed, devices.rank(), devices.world_size())
        torch.manual_seed(self.seed)
        self.network = GridNetwork(build_grid(run.spec))
        self.network.recompute = self.recipe.recompute
        self.format = torch.channels_last if self.recipe.channels_last else torch.contiguous_format
        self.network.to(device=device, memory_format=self.format)  # type: ignore[call-overload]
        self.model = self._model()
        self.state = State(self.network, adam(self.network, self.recipe, device))
        self.rows: list[Row] = []

    def _model(self) -> nn.Module:
        """The network as it is trained: compiled, and shared between processes, where asked."""
        model: nn.Module = self.network
        if self.recipe.compile:
            model = torch.compile(model)  # type: ignore[assignment]
        if devices.world_size() > 1:
            self.network.fixed_graph = True
            model = DistributedDataParallel(model)
        return model

    def restore(self) -> None:
        """Go on from the newest whole checkpoint; from the beginning where there is none."""
        load_checkpoint(self.run.checkpoints, self.state)
        self._adopt_tally()
        self.rows = [row for row in self.run.rows() if row["step"] <= self.state.step]

    def _adopt_tally(self) -> None:
        """A checkpoint's tally is that of all processes; the first goes on with it."""
        if self.state.tally is not None:
            mine = self.state.tally if devices.rank() == 0 else torch.zeros_like(self.state.tally)
            self.state.tally = mine.to(self.device)

    def go(self) -> None:
        """Train to the end. Errors: `Interrupted` (state saved), `TrainingError`.

        A request to stop after the last step has nothing to stop, and is not obeyed.
        """
        with stop_requests() as request:
            self.watch.started(len(self.batches), self.state.step, self.task.metric)
            try:
                for images, labels in self.batches.loader(self.state.step):
                    self._advance(images, labels)
                    self._obey(request)
            except (RuntimeError, ValueError) as error:
                explained = self._explained(error)
                if explained is None:
                    raise
                raise explained from error
            finally:
                self.watch.finished()
            self._finish()

    def _explained(self, error: Exception) -> TrainingError | None:
        """What torch says, where the user can put it right."""
        batch, crop = self.recipe.batch, self.recipe.crop.size
        if out_of_memory(error):
            return OutOfMemoryError(f"Memory ran out at batch {batch}. Lower batch or crop.size.")
        if "more than 1 value per channel" in str(error):
            fact = f"A BN sees one value per channel at batch {batch}, crop.size {crop}"
            fix = "Raise batch; a larger crop.size helps only where no layer pools the whole image"
            return TrainingError(f"{fact}. {fix}.")
        return None

    def _advance(self, images: Tensor, labels: Tensor) -> None:
        """One step, and what is due after it."""
        state = self.state
        loss = self._step(images, labels)
        state.step += 1
        state.loss_sum += loss
        state.steps_summed += 1
        self.watch.stepped(state.step, loss)
        epoch, rest = divmod(state.step, self.batches.per_epoch)
        if rest == 0 and (epoch % self.recipe.validate_every == 0 or epoch == self.recipe.epochs):
            self._validate(epoch)

    def _step(self, images: Tensor, labels: Tensor) -> float:
        """Forward, backward, update; the loss."""
        step, optimizer = self.state.step, self.state.optimizer
        torch.manual_seed(step_seed(self.seed, step))
        epoch = step // self.batches.per_epoch
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe, step, epoch)
        images = images.to(self.device, memory_format=self.format, non_blocking=True)
        labels = labels.to(self.device, non_blocking=True)
        prediction, loss = forward(self.model, images, labels, self.task, self.recipe.precision)
        value = float(devices.summed(loss.detach().clone())) / devices.world_size()
        self._require_finite(value)
        update(optimizer, loss)
        self._observe(prediction.detach(), labels)
        return value

    def _require_finite(self, loss: float) -> None:
        if math.isfinite(loss):
            return
        raise TrainingError(
            f"The loss is {loss} at step {self.state.step + 1}; the weights of the last validation "
            f"are in {self.run.checkpoints}. Lower learning_rate in the recipe."
        )

    def _observe(self, prediction: Tensor, labels: Tensor) -> None:
        """Keep the running tally of what was trained on."""
        tally = self.task.tally(prediction, labels)
        self.state.tally = tally if self.state.tally is None else self.state.tally + tally

    def _validate(self, epoch: int) -> None:
        """Score on val, add a row to metrics.csv, write a checkpoint."""
        state, metric = self.state, self.task.metric
        assert state.tally is not None
        # Each process has its own BN statistics since the step; those of the first are saved.
        devices.adopt_first(self.network.buffers())
        reached = score_network(self.network, self.val, self.device)
        row: Row = {
            "epoch": epoch,
            "step": state.step,
            "learning_rate": learning_rate(self.recipe, state.step - 1, epoch - 1),
            "loss": state.loss_sum / state.steps_summed,
            metric.train: self.task.score(devices.summed(state.tally)).value,
            **reached.columns(),
        }
        state.loss_sum, state.steps_summed, state.tally = 0.0, 0, None
        self.rows.append(row)
        self.watch.scored(row)
        better = row[metric.val] > state.best
        state.best = max(state.best, row[metric.val])
        if devices.rank() == 0:
            self.run.write_rows(self.rows)
            if better:
                save_checkpoint(self.run.checkpoints, state, BEST)
            save_checkpoint(self.run.checkpoints, state)

    def _obey(self, request: Request) -> None:
        """Stop where a signal asked one of the processes to."""
        number = request.signal
        if devices.world_size() > 1:
            number = int(devices.greatest(torch.tensor(number, device=self.device)))
        if not number or self.state.step == len(self.batches):
            return
        if self.state.tally is not None:
            self.state.tally = devices.summed(self.state.tally)
        if devices.rank() == 0:
            save_checkpoint(self.run.checkpoints, self.state)
            save_network(self.network, self.run.weights)
        raise Interrupted(
            f"stopped at step {self.state.step} of {len(self.batches)}; "
            f"gridgen train --resume {self.run.folder} goes on",
            number,
        )

    def _finish(self) -> None:
        """Weights and pictures."""
        if devices.rank() > 0:
            return
        save_network(self.network, self.run.weights)
        draw_curve(self.rows, self.task.metric, self.run.folder / "curve.png")
        draw_predictions(self.network, self.val, self.device, self.run.folder / "predictions.png")
