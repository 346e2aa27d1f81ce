"""What a search with several objectives found: its front in words, as a table, and its volume."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gridgen.grid import build_grid
from gridgen.pages.page import ChartCurve
from gridgen.pages.plot import PlotPoint, plot, stepped
from gridgen.render.sketch import sketch
from gridgen.space.quantities import QUANTITIES
from gridgen.study.fronts import as_good, front_of, hypervolume, scaled
from gridgen.study.language.objectives import COSTS, LATENCY, latency_text
from gridgen.study.report.asked import Asked
from gridgen.study.report.entries import cost_title, target
from gridgen.study.report.statistics import signed
from gridgen.study.trials import Objectives, TrialRecord
from gridgen.text import bytes_text, macs_text

MOST_ROWS = 30
"""Candidates of a front that a page lists."""


def objective_title(name: str) -> str:
    """What an objective is called: a cost by its name in words, a score as its column is."""
    return cost_title(name) if name in COSTS else name


def value_text(name: str, value: float | None, digits: int) -> str:
    """The value of an objective as tables have it."""
    if value is None:
        return ""
    if name not in COSTS:
        return signed(value, digits)
    if name == LATENCY:
        return latency_text(int(value))
    brief = {"MACs": macs_text, "bytes": bytes_text}.get(QUANTITIES[name].unit.word)
    return brief(int(value)) if brief is not None else QUANTITIES[name].exact(int(value))


def front_told(asked: Asked, front: Sequence[TrialRecord], baselines: Sequence[TrialRecord]) -> str:
    """Where the front lies, and which baselines it beats, in a few sentences."""
    ones = "candidate is" if len(front) == 1 else "candidates are"
    ends = [front[0]] if len(front) == 1 else [front[0], front[-1]]
    told = " to ".join(_values_told(asked, each) for each in ends)
    titles = [*map(objective_title, asked.objectives)]
    return " ".join(
        (
            f"{len(front)} {ones} beaten by no other in {_listed(titles)}: {told}.",
            *(f"{_against(asked, front, each)}." for each in baselines),
        )
    )


def _values_told(asked: Asked, record: TrialRecord) -> str:
    told = [_value_told(name, record, asked.digits) for name in asked.against]
    score = f"{asked.objective} {signed(record.score or 0.0, asked.digits)}"
    return f"{score} with {_listed(told)} (trial {record.number})"


def _value_told(name: str, record: TrialRecord, digits: int) -> str:
    """The value of an objective in a sentence, with its noun where the value has no unit."""
    text = value_text(name, record.value(name), digits)
    return text if text.endswith("MAC") else f"{objective_title(name)} {text}"


def _against(asked: Asked, front: Sequence[TrialRecord], baseline: TrialRecord) -> str:
    theirs = baseline.merits(asked.objectives)
    name = f"The baseline {baseline.candidate.name}"
    if theirs is None:
        return f"{name} has no value for each of them"
    ours = [(each.number, each.merits(asked.objectives) or theirs) for each in front]
    better = [number for number, own in ours if own != theirs and as_good(own, theirs)]
    level = [number for number, own in ours if own == theirs]
    beaten = [number for number, own in ours if own != theirs and as_good(theirs, own)]
    if better:
        return f"{name} is beaten by {_numbered(better)}"
    if level:
        return f"{name} is level with {_numbered(level)}"
    if beaten:
        return f"{name} beats {_numbered(beaten)} in everything"
    return f"{name} is beaten by none of them"


def _numbered(numbers: Sequence[int]) -> str:
    return f"trial{'s' * (len(numbers) > 1)} {_listed([str(number) for number in numbers])}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def front_rows(
    asked: Asked, front: Sequence[TrialRecord], baselines: Sequence[TrialRecord]
) -> list[list[str]]:
    """A front as a table, its titles first, the baselines last."""
    titles = ["trial", asked.objective, *map(objective_title, asked.against), "candidate"]
    return [titles, *(_front_row(asked, each) for each in (*front, *baselines))]


def _front_row(asked: Asked, record: TrialRecord) -> list[str]:
    values = [value_text(name, record.value(name), asked.digits) for name in asked.against]
    number = str(record.number) if record.role == "searched" else record.role
    score = "" if record.score is None else signed(record.score, asked.digits)
    return [number, score, *values, record.candidate.name]


def front_section(
    asked: Asked, front: Sequence[TrialRecord], baselines: Sequence[TrialRecord]
) -> dict[str, Any]:
    """A front as a page shows it: a table with the baselines below, and pictures."""
    shown = front[:MOST_ROWS]
    rows = front_rows(asked, shown, baselines)
    return {
        "rows": [[number, name, *values] for number, *values, name in rows],
        "left_out": len(front) - len(shown),
        "sketches": [
            (
                target(each),
                f"trial {each.number}: {each.candidate.name}",
                sketch(build_grid(each.candidate.network)),
            )
            for each in shown
        ],
    }


def volumes(records: Sequence[TrialRecord], objectives: Objectives) -> list[float]:
    """The volume that the first records beat, of each number of them from one on.

    Every objective goes from 0 for the worst of all to 1 for the best of all.
    """
    # Linear, unlike the order at a rung: a reader compares shares of a budget.
    merits = [each.merits(objectives) for each in records]
    points = scaled([each for each in merits if each is not None])
    found, best = list[float](), np.empty((0, len(objectives)))
    for point in points:
        # What is beaten adds nothing, so a front of few is all that is to be looked at.
        best = np.concatenate([best, point[None]])
        best = best[front_of(best.tolist())]
        found.append(hypervolume(best.tolist(), [0.0] * len(objectives)))
    return found


def volume_chart(records: Sequence[TrialRecord], asked: Asked) -> dict[str, Any] | None:
    """The volume after each searched trial that finished."""
    ended = (each for each in records if each.role == "searched" and each.state == "finished")
    done = [each for each in ended if each.merits(asked.objectives) is not None]
    if len({each.merits(asked.objectives) for each in done}) < 2:
        return None
    found = volumes(done, asked.objectives)
    steps = [(float(each.number), volume) for each, volume in zip(done, found, strict=True)]
    last = max(each.number for each in records)
    return plot(
        "share of the volume that the front beats",
        "trial",
        [
            PlotPoint(x, y, target(each), f"After trial {each.number}: {y:.3f}", "searched")
            for each, (x, y) in zip(done, steps, strict=True)
        ],
        [ChartCurve("volume", "best", stepped(steps, last))],
        whole=True,
    )
