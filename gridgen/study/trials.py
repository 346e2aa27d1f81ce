"""What a search keeps of its trials: candidates, the trainings of each, and how they ended.

A trial is one candidate, trained once for each of the study's seeds. These are plain values: the
driver makes them, the store keeps them, the report reads them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log
from statistics import fmean, stdev
from typing import Any, Literal

from gridgen.arguments import checked_fields
from gridgen.space.choices import Params
from gridgen.spec import NetworkSpec

Role = Literal["searched", "baseline", "confirmation"]
TrialState = Literal["running", "paused", "finished", "pruned", "failed", "infeasible"]
"""A trial that is paused may go on; on disk it is one that runs."""
TrainingEnd = Literal["finished", "pruned", "failed"]
SCORED_BY = "not trained, scored by "
"""Begins the reason of a training that did not take place, as something else gave its scores."""
Curve = tuple[tuple[int, float], ...]
"""Epochs that were validated, and the objective at each."""
Direction = Literal["maximize", "minimize"]
Objectives = Mapping[str, Direction]
"""What candidates are compared by: the score first, then costs and other scores, by name."""


def objectives_of(score: str, against: Objectives) -> Objectives:
    """All objectives of a study: its score, which is maximized, and what that is held against."""
    return {score: "maximize", **against}


@checked_fields
@dataclass(frozen=True)
class Candidate:
    """A network and the changes of the recipe by which it is trained.

    `params` is its point of the study's space, which a baseline is not of. `costs` are exact
    parameters, activations and MACs, and every limited quantity. Two candidates of equal `key`
    are one network trained in one way, whatever their points say.
    """

    name: str
    params: Params
    network: NetworkSpec
    recipe: Mapping[str, Any]
    costs: Mapping[str, int]
    key: str


def log_costs(candidate: Candidate, against: Objectives) -> tuple[float, ...]:
    """The known costs of a candidate that its score is held against, such that less is better.

    As logarithms: the costs of networks span orders of magnitude.
    """
    known = {name: candidate.costs[name] for name in against if name in candidate.costs}
    signs = {"minimize": 1.0, "maximize": -1.0}
    return tuple(signs[against[name]] * log(max(cost, 1)) for name, cost in known.items())


@checked_fields
@dataclass(frozen=True)
class Training:
    """One training of a candidate, over: `row` is the last line of its metrics.csv.

    `folder` is where it stands in the study's folder, "" where it was taken from a table.
    """

    seed: int
    state: TrainingEnd
    score: float | None = None
    row: Mapping[str, float] = field(default_factory=dict)
    curve: Curve = ()
    seconds: float = 0.0
    folder: str = ""
    reason: str = ""


@checked_fields
@dataclass(frozen=True)
class TrialRecord:
    """A trial as it stands: the candidate, the trainings that are over, and their state.

    `of` is the number of the trial whose candidate a confirmation trains with fresh seeds.
    `known` names the table from which its scores were taken. `attributes` are what the sampler
    notes with the trial.
    """

    number: int
    role: Role
    state: TrialState
    candidate: Candidate
    trainings: Sequence[Training] = ()
    reason: str = ""
    of: int | None = None
    known: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def paused(self, epoch: int) -> "TrialRecord":
        """The record of the trial while its first training waits, after an epoch, to go on."""
        return replace(self, state="paused", reason=f"at epoch {epoch}")

    @property
    def scores(self) -> tuple[float, ...]:
        """The scores of the trainings that finished, in the order of the seeds."""
        done = (each for each in self.trainings if each.state == "finished")
        return tuple(each.score for each in done if each.score is not None)

    @property
    def score(self) -> float | None:
        """The mean of the scores, which the sampler sees; None before the first."""
        return fmean(self.scores) if self.scores else None

    def value(self, name: str) -> float | None:
        """A cost of the candidate, or the mean of a column over the trainings that finished; None
        where neither is known.
        """
        if name in self.candidate.costs:
            return float(self.candidate.costs[name])
        done = [each.row.get(name) for each in self.trainings if each.state == "finished"]
        known = [value for value in done if value is not None]
        return fmean(known) if known and len(known) == len(done) else None

    def values(self, objectives: Objectives) -> list[float] | None:
        """The score, then the value of each further objective; None where one is not known."""
        _, *others = objectives
        found = [self.score, *map(self.value, others)]
        known = [value for value in found if value is not None]
        return known if len(known) == len(found) else None

    def merits(self, objectives: Objectives) -> tuple[float, ...] | None:
        """The same, turned so that more is better."""
        values = self.values(objectives)
        if values is None:
            return None
        directed = zip(values, objectives.values(), strict=True)
        return tuple(-value if way == "minimize" else value for value, way in directed)

    @property
    def spread(self) -> float | None:
        """The standard deviation between seeds; None for fewer than two."""
        return stdev(self.scores) if len(self.scores) > 1 else None

    def as_json(self) -> dict[str, Any]:
        """Plain values, without the curves."""
        return {
            "trial": self.number,
            "role": self.role,
            "state": self.state,
            "name": self.candidate.name,
            "key": self.candidate.key,
            "score": self.score,
            "spread": self.spread,
            "scores": {str(each.seed): each.score for each in self.trainings},
            "costs": dict(self.candidate.costs),
            "spec": self.candidate.network.plain(),
            "recipe": dict(self.candidate.recipe),
            "folders": [each.folder for each in self.trainings],
        }

    @property
    def seconds(self) -> float:
        """What its trainings took together."""
        return sum(each.seconds for each in self.trainings)
