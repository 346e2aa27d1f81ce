"""Sub-networks to look at, all or a sample, and those of them that nothing as cheap beats."""

import shlex
from dataclasses import dataclass
from math import isnan
from random import Random
from typing import Any

from gridgen.arguments import PathLike, checked
from gridgen.errors import SpecError, UsageError
from gridgen.grid import Grid, GridSpec, build_grid
from gridgen.grid.subtopologies import Subtopology, named_subtopologies
from gridgen.progress import OnProgress, no_progress
from gridgen.shown import Shown, ShownRows
from gridgen.space import Budget
from gridgen.space.subnetworks import LEVELS, Chosen, Subnetworks
from gridgen.study.fronts import pareto_front
from gridgen.supernet.check import Agreement, trust
from gridgen.supernet.scoring import SubnetworkScore, SubnetworkScorer
from gridgen.text import number_text

SAMPLE = 300
"""Sub-networks that are scored where there are more."""
TRIES = 20
"""Draws for each network of a sample, until those that were found are taken for all."""


def candidates(
    networks: Subnetworks,
    sample: int = SAMPLE,
    seed: int = 0,
    budget: Budget | None = None,
    on_progress: OnProgress = no_progress,
) -> list[Grid]:
    """All sub-networks that a budget allows; where there are more than `sample`, so many of them:
    the smallest, the whole, those with names, and others at random.

    Those that are too many to list are drawn towards cheaper ones where there is a budget, and
    fewer may be found than it allows. Errors: `SpecError` where it allows none.
    """
    found: dict[Chosen, Grid] = {}
    for chosen in _first(networks):
        _look(networks, chosen, budget, found)
    random = Random(seed)
    if networks.topologies is not None:
        rest = [each for each in networks if each not in found]
        random.shuffle(rest)
        for chosen in rest:
            if len(found) >= sample:
                break
            on_progress(len(found), sample)
            _look(networks, chosen, budget, found)
    else:
        levels = (0.0,) if budget is None else LEVELS
        for _ in range(TRIES * sample):
            if len(found) >= sample:
                break
            on_progress(len(found), sample)
            _look(networks, networks.draw(random, random.choice(levels)), budget, found)
    if not found:
        assert budget is not None
        smallest = budget.verdict(networks.spec(networks.smallest))
        fact = next(each.broken for each in smallest if not each.within)
        raise SpecError(f"the smallest sub-network is over the budget: {fact}; allow more")
    return list(found.values())[:sample]


def _look(
    networks: Subnetworks, chosen: Chosen, budget: Budget | None, found: dict[Chosen, Grid]
) -> None:
    """Add a network that is new and within the budget."""
    if chosen not in found:
        grid = build_grid(networks.spec(chosen))
        if budget is None or all(each.within for each in budget.verdict(grid)):
            found[chosen] = grid


def _first(networks: Subnetworks) -> list[Chosen]:
    """The smallest, the whole, and those that have names."""
    listed, named = networks.topologies, named_subtopologies(networks.whole)
    wide = (Chosen(each, networks.largest.width) for each in named)
    known = [each for each in wide if listed is None or each.topology in listed]
    return list(dict.fromkeys([networks.smallest, networks.largest, *known]))


@dataclass(frozen=True, eq=False, repr=False)
class SupernetFront(Shown):
    """Sub-networks of a supernet with their scores, those first that nothing as cheap beats.

    `trust` says how far scores without training agree with those of networks trained alone.
    """

    run: str
    objective: str
    metrics: tuple[str, ...]
    """The columns of the metric, on each split that was scored."""
    scored: tuple[SubnetworkScore, ...]
    number: int
    """Sub-networks that there are."""
    agreement: Agreement | None

    @property
    def front(self) -> list[SubnetworkScore]:
        """Those that no other beats with as few multiply-accumulates, the cheapest first."""
        # A class that neither occurs nor is predicted has no score.
        scored = [each for each in self.scored if not isnan(each.scores[self.objective])]
        macs = [each.costs["macs"] for each in scored]
        scores = [each.scores[self.objective] for each in scored]
        return [scored[place] for place in pareto_front(macs, scores)]

    def take_command(self, each: SubnetworkScore) -> str:
        """The command line that takes a sub-network away."""
        spec = each.grid.spec
        topology = each.topology or Subtopology.of(each.grid).name
        command = ["gridgen", "supernet", "take", self.run, "--as", topology]
        if isinstance(spec, GridSpec) and spec.base_channels:
            command += ["--width", str(spec.base_channels)]
        return shlex.join([*command, "-o", f"{topology}.safetensors"])

    def rows(self) -> ShownRows:
        """The number of networks, the front, and how far it can be trusted."""
        told = f"{len(self.scored):,} of {self.number:,} sub-networks, by {self.objective}"
        rows = [("scored", told)]
        for each in self.front:
            told = f"{each.scores[self.objective]:.4f}"
            rows.append((f"{number_text(each.costs['macs'])} MACs", f"{told}  {each.name}"))
        return [*rows, ("trust", trust(self.agreement))]

    def as_json(self) -> dict[str, Any]:
        """Plain values of the front and of all that was scored."""
        return {
            "objective": self.objective,
            "number": self.number,
            "front": [each.as_json() for each in self.front],
            "scored": [each.as_json() for each in self.scored],
            "agreement": None if self.agreement is None else self.agreement.as_json(),
        }


@checked
def supernet_front(
    run: PathLike,
    *,
    sample: int = SAMPLE,
    objective: str | None = None,
    budget: Budget | None = None,
    device: str = "auto",
    on_progress: OnProgress = no_progress,
) -> SupernetFront:
    """Scores of all sub-networks of a supernet, or of a sample of them, against what they cost.

    Without an `objective`, the column by which the run chose its best weights. Errors: as
    `score_subnetworks`; `SpecError` where a budget allows none; `UsageError` where none has a score
    in that column.
    """
    return front_of(SubnetworkScorer(run, device), sample, objective, budget, on_progress)


def front_of(
    scorer: SubnetworkScorer,
    sample: int,
    objective: str | None,
    budget: Budget | None,
    on_progress: OnProgress,
) -> SupernetFront:
    """What `supernet_front` returns, of a run that is open."""
    if sample < 2:
        raise UsageError(f"sample is {sample}; give 2 at least, the smallest and the whole")
    column = scorer.objective(objective)
    if budget is not None and budget.size is None:
        budget = budget.but(size=scorer.size)
    seed = scorer.run.facts.seed
    grids = candidates(scorer.networks, sample, seed, budget, on_progress)
    scored = tuple(scorer.score(grids, on_progress))
    found = Agreement.read(scorer.run.folder, scorer.digest)
    number, folder = scorer.networks.number, str(scorer.run.folder)
    front = SupernetFront(folder, column, scorer.metrics, scored, number, found)
    if not front.front:
        fact = f"--objective: no sub-network has a score in {column}"
        raise UsageError(f"{fact}; give {scorer.metrics[0]}")
    return front


def best_of(found: SupernetFront) -> SubnetworkScore:
    """The sub-network with the highest score; of equal ones the cheapest."""
    return found.front[-1]
