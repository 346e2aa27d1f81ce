"""Sub-networks with the weights of a supernet: their scores without training, and the networks."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan
from typing import Any

from torch import Tensor

from gridgen.analysis import count
from gridgen.arguments import PathLike, checked, checked_fields
from gridgen.emit import GridNetwork
from gridgen.emit.sharing import copied_subnetwork, recalibrate, require_subnetwork
from gridgen.errors import RunError, SpecError, UsageError, unknown
from gridgen.files import is_file, sha256, sha256_of_file
from gridgen.grid import Grid, GridLike, GridSpec, as_grid, build_grid
from gridgen.grid.subtopologies import Subtopology, named_subtopologies
from gridgen.progress import OnProgress, no_progress
from gridgen.space.workload import Workload
from gridgen.supernet.kept_scores import DIGITS, KeptScore, KeptScores
from gridgen.training.loop.batches import Batches
from gridgen.training.loop.supernet import networks_of
from gridgen.training.loop.train import require_unchanged
from gridgen.training.processes import devices
from gridgen.training.run.folder import Run
from gridgen.training.run.model import Model, model_of
from gridgen.training.scoring.per_image import Predictor, statistics_of
from gridgen.training.tasks import HOLDOUT, VAL, columns, split_numbers
from gridgen.training.tasks.fingerprint import fingerprint
from gridgen.training.tasks.requirements import Splits, load_splits, within_memory

SCORES = "subnetworks.csv"
FIX = "use another --device"


@checked_fields
@dataclass(frozen=True, eq=False)
class SubnetworkScore:
    """A sub-network, what it costs, and its scores by column of metrics.csv, such as `val_iou`.

    Multiply-accumulates are those of one image, of the size that most images of val have, or the
    smallest legal one that holds it.
    """

    grid: Grid
    costs: dict[str, int]
    scores: dict[str, float]

    @property
    def topology(self) -> str:
        """The name of its topology; "" where it has none."""
        spec = self.grid.spec
        named = named_subtopologies(spec) if isinstance(spec, GridSpec) else {}
        return named.get(Subtopology.of(self.grid), "")

    @property
    def name(self) -> str:
        """Topology and width; the hash of its connections where the topology has no name."""
        topology = self.topology or Subtopology.of(self.grid).name
        return f"{topology}, F0 = {self.grid.channels_of(self.grid.input)}"

    def as_json(self) -> dict[str, Any]:
        """Plain values; a class without a score has null."""
        scores = {name: None if isnan(value) else value for name, value in self.scores.items()}
        spec = self.grid.spec.complete()
        return {"name": self.name, **self.costs, "scores": scores, "spec": spec}


class SubnetworkScorer:
    """Scores sub-networks of a run. Images and weights are read when they are first needed.

    Errors: `UsageError` for a run without a supernet; `RunError`.
    """

    def __init__(self, run: PathLike, device: str = "auto") -> None:
        devices.require_alone("scores sub-networks")
        self.run = Run.open(run)
        self.task, self.recipe = self.run.task, self.run.recipe
        if self.recipe.supernet is None:
            fact = f"{self.run.folder} is the training of one network"
            raise UsageError(f"{fact}; name the run of gridgen supernet")
        self.supernet = self.recipe.supernet
        self.device = devices.choose_device(device)
        self.grid = build_grid(self.run.spec)
        self.networks = networks_of(self.grid, self.recipe)

    @cached_property
    def _splits(self) -> Splits:
        facts = self.run.facts
        splits = load_splits(facts.data, facts.holdout, facts.fold, facts.group)
        require_unchanged(self.run, splits, fingerprint(splits))
        return splits

    @cached_property
    def _whole(self) -> GridNetwork:
        return self.run.network().to(self.device)

    @cached_property
    def _batches(self) -> list[Tensor]:
        """The first crops of the training, before their colours are changed."""
        batches = Batches(self._splits.train, self.recipe, self.run.facts.seed)
        number = min(self.supernet.recalibration, len(batches))
        return [batches[step][0].to(self.device) for step in range(number)]

    @cached_property
    def digest(self) -> str:
        """A digest of all that scores depend on: weights, statistics, how images are seen, and of
        the data names and sizes.

        Errors: `RunError` where the weights are not there yet.
        """
        path, facts, recipe = self.run.weights, self.run.facts, self.recipe
        if not is_file(path):
            fix = f"gridgen train --resume {self.run.folder} writes it"
            raise RunError(f"{path} is missing; {fix}")
        about: list[Any] = [facts.images, facts.label_files, facts.holdout, facts.fold, facts.seed]
        about += [self.supernet.recalibration, recipe.batch, recipe.flip, recipe.crop.complete()]
        about += [recipe.inference.complete(), sha256_of_file(path)]
        return sha256(json.dumps(about).encode())[:DIGITS]

    @property
    def unfinished(self) -> str:
        """What is told of a training that has not come to its end; "" where it has."""
        rows = self.run.rows()
        if self.run.is_finished(rows):
            return ""
        done = f"{rows[-1]['epoch']:.0f}" if rows else "none"
        fix = f"gridgen train --resume {self.run.folder} goes on"
        return f"trained for {done} of {self.recipe.epochs} epochs so far; {fix}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of metrics.csv that a sub-network has scores for."""
        splits = (VAL, HOLDOUT) if self.run.facts.holdout else (VAL,)
        return columns(self.task, splits)[1:]  # without that of the images trained on

    @property
    def metrics(self) -> tuple[str, ...]:
        """The columns of the task's metric, on val and on what is held out."""
        metric = self.task.metric
        return tuple(each for each in (metric.val, metric.holdout) if each in self.columns)

    def objective(self, asked: str | None = None) -> str:
        """The column to judge by. Errors: `UsageError` where there is no such."""
        column = self.run.objective if asked is None else asked
        if column not in self.columns:
            raise UsageError(f"--objective: {unknown('score', column, self.columns)}")
        return column

    @cached_property
    def _kept(self) -> KeptScores:
        return KeptScores(self.run.folder / SCORES, self.digest, self.columns)

    def known_topologies(self) -> Iterator[Subtopology]:
        """Those that are listed, or were scored where they are too many to list."""
        if self.networks.topologies is None:
            return (Subtopology(each) for each in self._kept.connections if each)
        return (each.topology for each in self.networks)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Height and width of most images of val."""
        sizes = self._splits.val.sizes
        return max(sorted(set(sizes)), key=sizes.count)

    def network(self, grid: Grid) -> GridNetwork:
        """A sub-network with weights and statistics of its own, in evaluation mode.

        Errors: `SpecError` where it is no sub-network.
        """
        fix = f"{FIX}, or a smaller supernet.recalibration in {self.run.folder}/recipe.yaml"
        with within_memory(f"statistics of {grid.spec.title}", fix):
            network = copied_subnetwork(self._whole, grid)
            recalibrate(network, self._batches)
        return network

    def model(self, grid: Grid) -> Model:
        """The same on the CPU, with what the run knows of its data: what can be taken away."""
        self.require(grid)
        network = self.network(grid).cpu()
        told = f"of a supernet, recalibrated by {len(self._batches)} batches"
        return replace(model_of(self.run, network), spec=grid.spec, weights=told, note=told)

    def require(self, grid: Grid) -> None:
        """Refuse what is no sub-network, or was not trained as one. Errors: `SpecError`."""
        require_subnetwork(grid, self.grid)
        self.networks.require(grid)

    def refusal(self, grid: Grid) -> str:
        """Why `require` does not take it; "" where it does."""
        try:
            self.require(grid)
        except SpecError as error:
            return str(error)
        return ""

    def score(
        self, grids: Iterable[Grid], on_progress: OnProgress = no_progress
    ) -> list[SubnetworkScore]:
        """The scores of sub-networks, in their order. `on_progress` is called for each.

        Errors: `SpecError` where one is no sub-network, before any is scored.
        """
        asked, found = list(grids), []
        for grid in asked:
            self.require(grid)
        for number, grid in enumerate(asked):
            on_progress(number, len(asked))
            kept = self._kept.find(grid)
            if kept is None:
                kept = self._measured(grid)
                self._kept.keep(grid, kept)
            found.append(SubnetworkScore(grid, dict(kept.costs), dict(kept.scores)))
        return found

    def _measured(self, grid: Grid) -> KeptScore:
        counted = count(grid, Workload(size=self.size).image(grid.spec))
        costs = {"parameters": counted.parameters.total, "macs": counted.macs.total}
        predictor = Predictor(self.network(grid), self.device, self.recipe.inference, FIX)
        scores: dict[str, float] = {}
        for split, dataset in ((VAL, self._splits.val), (HOLDOUT, self._splits.holdout)):
            if dataset is not None:
                scores |= split_numbers(self.task, split, statistics_of(predictor, dataset))
        return KeptScore(costs, scores)


@checked
def score_subnetworks(
    run: PathLike,
    networks: Sequence[GridLike],
    *,
    device: str = "auto",
    on_progress: OnProgress = no_progress,
) -> list[SubnetworkScore]:
    """The scores of sub-networks with the weights of a supernet, without training.

    Statistics of batch normalization are made anew for each, by as many batches as the recipe's
    `supernet.recalibration` says; what was scored before is read from the run's subnetworks.csv.
    Errors: `UsageError` for a run without a supernet, `SpecError` where one is no sub-network.
    """
    return SubnetworkScorer(run, device).score(map(as_grid, networks), on_progress)


@checked
def take_subnetwork(run: PathLike, network: GridLike, *, device: str = "auto") -> Model:
    """A sub-network with a copy of the weights of a supernet and statistics of its own.

    `export_model` writes it to a file. Errors: as `score_subnetworks`.
    """
    return SubnetworkScorer(run, device).model(as_grid(network))
