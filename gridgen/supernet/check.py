"""Checks a supernet against networks trained alone, and keeps what was found in its run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import TypeAdapter

from gridgen.arguments import PathLike, checked
from gridgen.errors import RunError, UsageError
from gridgen.figures.scores import draw_compared
from gridgen.files import is_file, read_text, write_file
from gridgen.grid import GridSpec
from gridgen.progress import OnProgress, no_progress
from gridgen.shown import Shown, ShownRows
from gridgen.supernet.agreement import ScoreAgreement
from gridgen.supernet.alone import TrainedAlone, benchmarked, require_task, trained_alone
from gridgen.supernet.scoring import SubnetworkScore, SubnetworkScorer
from gridgen.tabular.table import TopologyBenchmark

FILE = "agreement.json"
FIGURE = "agreement.png"
FEWEST = 10
"""Networks of which an agreement can be told at all."""


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
        """Of networks and of the same ones trained alone, by the seeds that all of them have.

        `columns` are those of the metric, that on val first. Errors: `UsageError` where no seed is
        common to all.
        """
        parameters = [each.costs["parameters"] for each in scored]
        on_val = [each.scores[columns[0]] for each in scored]
        found: dict[str, ScoreAgreement] = {}
        for column in columns:
            given, theirs = _both(scored, alone, column)
            chosen = None if column == columns[0] else on_val
            found[column] = ScoreAgreement.of(given, theirs, parameters, chosen)
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
            if found.seeds is None:
                told.append(f"{column} τ {found.tau.told(2)}")
            else:
                seeds = found.seeds
                one, two = seeds.given.told(2), seeds.tau.told(2)
                told.append(f"{column} τ with one seed {one}, of two seeds {two}")
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
            fact = f"{path}: damaged, or of another gridgen"
            raise RunError(f"{fact}; remove it, and run gridgen supernet check again") from error
        return found if found.weights == weights else None


def _both(
    scored: Sequence[SubnetworkScore], alone: Sequence[TrainedAlone], column: str
) -> tuple[list[float], list[list[float]]]:
    """The scores of networks without training, and those alone by common seeds."""
    seeds = common_seeds(alone)
    theirs = [[each.scores[seed][column] for seed in seeds] for each in alone]
    return [each.scores[column] for each in scored], theirs


def common_seeds(alone: Sequence[TrainedAlone]) -> list[int]:
    """The seeds that all networks were trained with: means over others could not be compared.

    Errors: `UsageError` where there is none.
    """
    seeds = sorted(set.intersection(*({*each.scores} for each in alone)))
    if not seeds:
        theirs = sorted(set().union(*(each.scores for each in alone)))
        fact = f"no seed is common to the networks trained alone, which have {theirs}"
        raise UsageError(f"{fact}; train each of them with the same seeds")
    return seeds


UNCHECKED = "unchecked: gridgen supernet check compares them with networks trained alone"


def trust(found: Agreement | None) -> str:
    """What stands beside all that rests on scores without training."""
    return UNCHECKED if found is None else found.line


@checked
def check_supernet(
    run: PathLike,
    alone: Sequence[PathLike] = (),
    *,
    benchmark: TopologyBenchmark | None = None,
    device: str = "auto",
    on_progress: OnProgress = no_progress,
) -> Agreement:
    """How far the scores of sub-networks agree with those of networks trained alone; kept in the
    run, whose pages and tables show it from then on, beside a figure of it, agreement.png.

    `alone` are folders of trainings and of searches on the same data, or the networks are those of
    a `benchmark`. Those that are no sub-networks of it are left out, and confirmations of searches,
    which are of their best alone. Errors: `UsageError` for fewer than ten; `RunError`; as
    `score_subnetworks`.
    """
    if alone and benchmark is not None:
        raise UsageError("networks trained alone and a benchmark are given; give one of them")
    scorer = SubnetworkScorer(run, device)
    if scorer.unfinished:
        raise RunError(f"{scorer.run.folder} is {scorer.unfinished}")
    if benchmark is not None:
        require_task(scorer.run)
        known, against = benchmarked(benchmark), "the topology benchmark"
    else:
        known = trained_alone(map(Path, alone), scorer.run)
        against = ", ".join(map(str, alone))
    verdicts = [(each, scorer.refusal(each.grid)) for each in known]
    refused = [why for _, why in verdicts if why]
    known = [each for each, why in verdicts if not why]
    if len(known) < FEWEST:
        fact = f"{len(known)} of the networks trained alone can be compared"
        left_out = f" (of {len(refused)} others: {refused[0]})" if refused else ""
        raise UsageError(f"{fact}{left_out}; an order needs {FEWEST} at least")
    scored = scorer.score([each.grid for each in known], on_progress)
    found = Agreement.of(scored, known, scorer.metrics, scorer.digest, against)
    found.write(scorer.run.folder)
    _draw(scored, known, found, scorer)
    return found


def _draw(
    scored: Sequence[SubnetworkScore],
    alone: Sequence[TrainedAlone],
    found: Agreement,
    scorer: SubnetworkScorer,
) -> None:
    """Draw each score without training against that of the same network trained alone.

    Named are topologies in the width and with the streams of the whole network.
    """
    points = {}
    for column, agreement in found.scores.items():
        given, theirs = _both(scored, alone, column)
        points[f"{column}, τ {agreement.tau.told(2)}"] = given, [*map(fmean, theirs)]
    channels, named = scorer.networks.whole.stream_channels, {}
    for place, each in enumerate(scored):
        spec = each.grid.spec
        if isinstance(spec, GridSpec) and spec.stream_channels == channels and each.topology:
            named[place] = each.topology
    labels, path = ("without training", "trained alone"), scorer.run.folder / FIGURE
    draw_compared(points, [each.costs["parameters"] for each in scored], named, labels, path)
