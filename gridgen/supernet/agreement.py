"""How far the scores that a supernet gives agree with those of networks trained alone.

Kendall's tau beside that of two seeds of the networks trained alone, which no method can be asked
to exceed, and how much is lost where the best by the supernet are taken.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from gridgen.arguments import PathLike, checked
from gridgen.emit.sharing import is_subnetwork
from gridgen.errors import RunError, UsageError
from gridgen.files import is_file, read_text, write_file
from gridgen.grid import Grid, build_grid
from gridgen.progress import OnProgress, no_progress
from gridgen.shown import Shown, ShownRows
from gridgen.study.report.statistics import Estimate, signed
from gridgen.supernet.scoring import RunLike, SubnetworkScore, SubnetworkScorer
from gridgen.tabular.ranking import agreement, near, spread
from gridgen.tabular.table import SEEDS, SPLITS, Scores, TopologyBenchmark
from gridgen.training.run.facts import Facts
from gridgen.training.run.folder import FACTS, Run

FILE = "agreement.json"
FEWEST = 5
"""Networks of which an agreement can be told at all."""
TOP = 5
"""Networks that the supernet ranks highest, of which the regret is told."""
ALIKE = 0.1
"""Share by which parameters may differ between networks of about equal size."""


@dataclass(frozen=True)
class TrainedAlone:
    """A network that was trained alone: its last scores by seed, and by column of metrics.csv."""

    grid: Grid
    scores: Mapping[int, Mapping[str, float]]


def benchmarked(benchmark: TopologyBenchmark) -> list[TrainedAlone]:
    """The topologies of a benchmark, by the seeds that all of them have."""
    found = []
    for entry in benchmark.values():
        seeds = [each for each in entry.trainings if each.seed in SEEDS]
        scores = {t.seed: {f"{s}_iou": t.score(s) for s in SPLITS} for t in seeds}
        found.append(TrainedAlone(build_grid(entry.spec), scores))
    return found


def trained_alone(folders: Iterable[Path], like: Facts) -> list[TrainedAlone]:
    """The networks of run folders, and of those under the folders of searches.

    Those of one network are its seeds. Errors: `RunError` for a folder without a run that is
    finished, or of other data than a run with facts `like`.
    """
    grids: dict[str, Grid] = {}
    scores: dict[str, dict[int, Mapping[str, float]]] = {}
    for folder in folders:
        for run in _runs(folder, like):
            grid, rows = build_grid(run.spec), run.rows()
            grids[grid.fingerprint] = grid
            scores.setdefault(grid.fingerprint, {})[run.facts.seed] = rows[-1]
    return [TrainedAlone(grid, scores[key]) for key, grid in grids.items()]


def _runs(folder: Path, like: Facts) -> list[Run]:
    """The finished runs in a folder: itself, or what lies under it."""
    if is_file(folder / FACTS):
        runs = [Run.open(folder)]
    else:
        runs = [Run(path.parent) for path in sorted(folder.glob(f"trials/**/{FACTS}"))]
    for run in runs:
        _require_same_data(run, like)
    finished = [run for run in runs if run.is_finished(run.rows())]
    if not finished:
        fix = "name the folder of a finished training, or of a search"
        raise RunError(f"{folder}: no finished training there; {fix}")
    return finished


def _require_same_data(run: Run, like: Facts) -> None:
    for field in ("images", "label_files", "holdout", "fold"):
        if getattr(run.facts, field) != getattr(like, field):
            fact = f"{run.folder} was trained or scored on other images than the supernet"
            raise RunError(f"{fact}; name trainings on the same data, with the same {field}")


@dataclass(frozen=True)
class SeedAgreement:
    """How far two seeds of networks trained alone agree, which is what can be asked for.

    `tau` of their orders; `regret` of the networks that one ranks highest, judged by the other;
    `deviation`, the standard deviation between the seeds of one network.
    """

    tau: Estimate
    regret: float
    deviation: float

    @classmethod
    def of(cls, two: Scores) -> "SeedAgreement":
        """Of scores by (network, seed)."""
        one, other = two[:, 0], two[:, 1]
        regret = (_regret(one, other) + _regret(other, one)) / 2
        return cls(agreement(one, other), regret, spread(two).seeds)


@dataclass(frozen=True)
class ScoreAgreement:
    """How far scores without training agree with those of networks trained alone.

    `tau` has the interval of a bootstrap over networks; `alike` counts pairs of about equal
    parameters alone. `regret` is the mean distance from the best score of those networks that the
    supernet ranks highest. `seeds` is of the first two alone, None where a network has but one.
    """

    tau: Estimate
    alike: Estimate
    regret: float
    seeds: SeedAgreement | None = None

    @classmethod
    def of(
        cls, given: Sequence[float], alone: Sequence[Sequence[float]], parameters: Sequence[int]
    ) -> "ScoreAgreement":
        """Of networks, each with its score by the supernet and those of its seeds alone."""
        scores, means = np.array(given), np.array([fmean(each) for each in alone])
        pairs = near(np.array(parameters, dtype=float), ALIKE)
        two = np.array([each[:2] for each in alone]) if min(map(len, alone)) > 1 else None
        return cls(
            agreement(scores, means),
            agreement(scores, means, pairs),
            _regret(scores, means),
            None if two is None else SeedAgreement.of(two),
        )

    def rows(self) -> ShownRows:
        """A label and a value for each number."""
        rows = [
            ("τ with networks trained alone", self.tau.told(2)),
            (f"τ, parameters within {100 * ALIKE:.0f} %", self.alike.told(2)),
            (f"regret of its best {TOP}", signed(self.regret, 3)),
        ]
        if self.seeds is not None:
            rows += [
                ("τ of two seeds trained alone", self.seeds.tau.told(2)),
                (f"regret of one seed's best {TOP}, by the other", signed(self.seeds.regret, 3)),
                ("deviation between seeds", signed(self.seeds.deviation, 3)),
            ]
        return rows


def _regret(ranked: Scores, judged: Scores) -> float:
    """How far those that are ranked highest lie below the best, on average."""
    top = np.argsort(-ranked, kind="stable")[:TOP]
    return float(judged.max() - judged[top].mean())


@dataclass(frozen=True, repr=False)
class Agreement(Shown):
    """The agreement of a supernet with networks trained alone, by column of metrics.csv.

    `weights` is the digest of the weights that it is of.
    """

    weights: str
    networks: int
    against: str
    scores: Mapping[str, ScoreAgreement]

    @classmethod
    def of(
        cls,
        scored: Sequence[SubnetworkScore],
        alone: Sequence[TrainedAlone],
        columns: Sequence[str],
        weights: str,
        against: str,
    ) -> "Agreement":
        """Of networks and of the same ones trained alone."""
        parameters = [each.costs["parameters"] for each in scored]
        found = {}
        for column in columns:
            given = [each.scores[column] for each in scored]
            seeds = [[each.scores[s][column] for s in sorted(each.scores)] for each in alone]
            found[column] = ScoreAgreement.of(given, seeds, parameters)
        return cls(weights, len(scored), against, found)

    def rows(self) -> ShownRows:
        """All numbers, score by score."""
        rows = [("checked against", f"{self.networks} networks: {self.against}")]
        for column, found in self.scores.items():
            rows += [(column, ""), *((f"  {label}", value) for label, value in found.rows())]
        return rows

    @property
    def line(self) -> str:
        """How far the scores can be trusted, in one line."""
        told = []
        for column, found in self.scores.items():
            told.append(f"{column} τ {found.tau.told(2)}")
            if found.seeds is not None:
                told[-1] += f" where two seeds have {found.seeds.tau.told(2)}"
        return f"{'; '.join(told)}: {self.networks} networks trained alone"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def write(self, folder: Path) -> None:
        """Keep it in the folder of the run."""
        write_file(folder / FILE, json.dumps(self.as_json(), indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path, weights: str) -> "Agreement | None":
        """What was found of these weights; None where nothing was. Errors: `RunError`."""
        path = folder / FILE
        if not is_file(path):
            return None
        try:
            found = TypeAdapter(cls).validate_json(read_text(path))
        except (OSError, ValueError) as error:
            fact = f"{path}: missing or damaged"
            raise RunError(f"{fact}; remove it, and run gridgen supernet check again") from error
        return found if found.weights == weights else None


UNCHECKED = "unchecked: gridgen supernet check compares them with networks trained alone"


def trust(found: Agreement | None) -> str:
    """What stands beside all that rests on scores without training."""
    return UNCHECKED if found is None else found.line


@checked
def check_supernet(
    run: RunLike,
    alone: Sequence[PathLike] = (),
    *,
    benchmark: TopologyBenchmark | None = None,
    device: str = "auto",
    on_progress: OnProgress = no_progress,
) -> Agreement:
    """How far the scores of sub-networks agree with those of networks trained alone; kept in the
    run, whose pages and tables show it from then on.

    `alone` are folders of trainings and of searches on the same data, or the networks are those of
    a `benchmark`. Those that are no sub-networks are left out. Errors: `UsageError` for fewer than
    five; `RunError`; as `score_subnetworks`.
    """
    scorer = SubnetworkScorer(run, device)
    if benchmark is not None:
        known, against = benchmarked(benchmark), "the topology benchmark"
    else:
        known = trained_alone(map(Path, alone), scorer.run.facts)
        against = ", ".join(map(str, alone))
    known = [each for each in known if is_subnetwork(each.grid, scorer.grid)]
    if len(known) < FEWEST:
        fact = f"{len(known)} sub-networks trained alone tell nothing of an order"
        raise UsageError(f"{fact}; give {FEWEST} at least")
    scored = scorer.score([each.grid for each in known], on_progress)
    found = Agreement.of(scored, known, scorer.metrics, scorer.weights, against)
    found.write(scorer.run.folder)
    return found
