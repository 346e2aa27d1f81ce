"""The table of all sub-topologies of one grid, each trained with several seeds by one recipe.

As NAS-Bench-101 (Ying et al., ICML 2019) is for cells of classifiers, but complete, for the grid of
an encoder and decoder. networks.csv tells what the networks are and cost, trainings.csv how each
training went; `benchmarks/topologies/README.md` tells how both are made.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from gridgen.arguments import checked, checked_fields
from gridgen.errors import SpecError, UsageError
from gridgen.files import sha256
from gridgen.grid import GridLike, GridSpec, as_grid
from gridgen.grid.subtopologies import Subtopology
from gridgen.shown import Shown, ShownRows
from gridgen.spec.facts import shown_value
from gridgen.tabular.trainings import (
    HERE,
    SPLITS,
    TRAININGS,
    BenchmarkTraining,
    ScoredSplit,
    read_rows,
    read_trainings,
)

SPEC = GridSpec(
    classes=11, streams=3, columns="2+2", base_channels=8, total_dropout=0.0, size="pad"
)
"""The full grid, as `studies/every-topology.yaml` has it."""
IMAGE = (120, 160)
"""Height and width of the images, in pixels, to which the costs refer."""
IMAGES = "a641b6f8b683971a0243a2e66811f4d5043e94c36fbfb4092f21db322a68a454"
"""SHA-256 of the names and sizes of all images, as the run.json of a training on them has it."""
HOLDOUT_NAMES = "0006R0*"
"""The images of train that are held out."""
CostName = Literal["parameters", "macs", "activations", "receptive_field", "paths"]
COSTS: tuple[CostName, ...] = ("parameters", "macs", "activations", "receptive_field", "paths")
SEEDS = (0, 1)
"""Those that every topology is trained with; all that is compared is of these. A seed shifts the
scores of all topologies, so that a third one, which some have, would favour or harm them.
"""
NETWORKS = HERE / "networks.csv"
PROXIES, SIMULATIONS = HERE / "proxies.csv", HERE / "simulations.csv"
ScoreKey = tuple[str, ScoredSplit, int, int]
"""Name of a topology, split, seed, epoch."""
Scores = NDArray[np.float64]
DIGITS = 12
"""Of a digest, as a topology's name has."""


class NotInTableError(SpecError, KeyError):
    """The table has no such topology."""

    # That of a KeyError is for keys, and puts a sentence in quotes.
    __str__ = Exception.__str__


@checked_fields
@dataclass(frozen=True, eq=False, repr=False)
class BenchmarkedTopology(Shown):
    """A sub-topology, by the hash that `Subtopology.name` gives, its costs and its trainings.

    Costs: parameters; MACs and activations of an image of 120x160; side of the receptive field in
    pixels; number of paths from input to output.
    """

    name: str
    connections: tuple[str, ...]
    costs: Mapping[str, int]
    trainings: tuple[BenchmarkTraining, ...]

    @checked
    def mean(self, split: ScoredSplit = "val") -> float:
        """The mean of the seeds 0 and 1 of the mean IoU after the last epoch."""
        return fmean(each.score(split) for each in self.trainings if each.seed in SEEDS)

    @property
    def spec(self) -> GridSpec:
        """The network that was trained."""
        return SPEC.but(topology=Subtopology(self.connections).topology)

    def rows(self) -> ShownRows:
        """Name, scores, costs, and the connections that are left."""
        scores = [(split, f"{self.mean(split):.4f}") for split in SPLITS]
        costs = [(name.replace("_", " "), f"{cost:,}") for name, cost in self.costs.items()]
        return [("name", self.name), *scores, *costs, ("connections", ", ".join(self.connections))]


@checked_fields
@dataclass(frozen=True, eq=False, repr=False)
class TopologyBenchmark(Shown, Mapping[str, BenchmarkedTopology]):
    """The trained topologies by name: the fewest connections first, of equally many by name.

    `spec` is the full grid; `seeds` are those that are compared, with which each was trained.
    Errors: `UsageError` for fewer than two, and where one was not trained with each of the seeds.
    """

    spec: ClassVar[GridSpec] = SPEC
    seeds: ClassVar[tuple[int, ...]] = SEEDS
    entries: tuple[BenchmarkedTopology, ...]

    def __post_init__(self) -> None:
        if len(self.entries) < 2:
            raise UsageError(f"a benchmark needs two topologies at least, not {len(self.entries)}")
        for each in self.entries:
            if not trained_whole(each.trainings):
                fact = f"topology {each.name} was not trained with each of the seeds {SEEDS}"
                raise UsageError(f"{fact}; leave it out")

    @cached_property
    def _named(self) -> dict[str, BenchmarkedTopology]:
        return {each.name: each for each in self.entries}

    def __getitem__(self, name: str) -> BenchmarkedTopology:
        if name not in self._named:
            fact = f"the benchmark has no topology {shown_value(name)}"
            raise NotInTableError(f"{fact}; of(...) finds a spec, or a name such as unet")
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    @checked
    def of(self, network: GridLike | str) -> BenchmarkedTopology:
        """The entry of a spec, a grid, or the name of a topology, such as `unet`.

        Errors: `SpecError` for another network than a trained sub-topology of this grid.
        """
        if isinstance(network, str) and network in self:
            return self[network]
        grid = as_grid(SPEC.but(topology=network) if isinstance(network, str) else network)
        if not isinstance(grid.spec, GridSpec):
            raise SpecError(f"{grid.spec.title} is no sub-topology of the benchmark's grid")
        mine, known = grid.spec.by_base_channels().complete(), SPEC.complete()
        for field in known:
            if field != "topology" and mine.get(field) != known[field]:
                given, wanted = shown_value(mine.get(field)), shown_value(known[field])
                fact = f"{field} is {given}, but {wanted} in the benchmark"
                raise SpecError(f"{fact}; begin with benchmark.spec.but(topology=...)")
        name = Subtopology.of(grid).name
        if name not in self:
            asked = f"{network} ({name})" if isinstance(network, str) else name
            raise NotInTableError(f"{asked} is none of the {len(self)} topologies that are trained")
        return self[name]

    @cached_property
    def scores(self) -> Mapping[ScoreKey, float]:
        """Mean IoU by topology, split, seed and epoch: for a million look-ups a second."""
        return {
            (each.topology, split, each.seed, epoch): score
            for each in self.trainings
            for split in SPLITS
            for epoch, score in each.curves[split].items()
        }

    @cached_property
    def digest(self) -> str:
        """The first digits of a SHA-256 of all scores with the seeds that are compared; connections
        and costs follow from the names of the topologies.
        """
        common = ((key, score) for key, score in self.scores.items() if key[2] in self.seeds)
        told = sorted((*key, round(score, 6)) for key, score in common)
        return sha256(json.dumps(told).encode())[:DIGITS]

    def rows(self) -> ShownRows:
        """How many topologies of which grid, with which seeds, and the digest of their scores."""
        seeds = ", ".join(map(str, self.seeds))
        return [
            ("topologies", str(len(self))),
            ("of", SPEC.shape),
            ("seeds", seeds),
            ("digest", self.digest),
        ]

    @property
    def trainings(self) -> Iterator[BenchmarkTraining]:
        """Those of all entries, in their order, each with its seeds."""
        return (training for each in self.values() for training in each.trainings)

    @cached_property
    def epochs(self) -> tuple[int, ...]:
        """The epochs after which every training was scored."""
        curves = (each.curves[split] for each in self.trainings for split in SPLITS)
        return tuple(sorted(set.intersection(*map(set, curves))))

    @checked
    def array(self, split: ScoredSplit = "val") -> Scores:
        """Mean IoU of all topologies, in their order: (topologies, seeds, epochs)."""
        keys = [[[(n, split, s, e) for e in self.epochs] for s in self.seeds] for n in self]
        return np.array([[[self.scores[k] for k in row] for row in rows] for rows in keys])

    @checked
    def means(self, split: ScoredSplit = "val") -> Scores:
        """The mean of the seeds 0 and 1 of each topology, in their order, after the last epoch."""
        return np.array([each.mean(split) for each in self.values()])

    @checked
    def costs(self, name: CostName) -> Scores:
        """A cost of all topologies, in their order."""
        return np.array([float(each.costs[name]) for each in self.values()])


@checked
def topology_benchmark() -> TopologyBenchmark:
    """The sub-topologies of a grid of 3 streams and 2+2 columns, trained on CamVid.

    >>> benchmark = topology_benchmark()
    >>> benchmark.epochs
    (10, 20, 30, 40, 50)
    """
    trainings: dict[str, list[BenchmarkTraining]] = defaultdict(list)
    for each in read_trainings(TRAININGS):
        trainings[each.topology].append(each)
    entries = (
        BenchmarkedTopology(
            row["topology"],
            tuple(row["connections"].split()),
            {name: int(row[name]) for name in COSTS},
            tuple(trainings[row["topology"]]),
        )
        for row in read_rows(NETWORKS)
        if trained_whole(trainings[row["topology"]])
    )
    return TopologyBenchmark(tuple(entries))


def trained_whole(trainings: Iterable[BenchmarkTraining]) -> bool:
    """Whether a topology was trained with each of the seeds that all are to have."""
    return {*SEEDS} <= {each.seed for each in trainings}
