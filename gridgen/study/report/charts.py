"""The charts of a search: scores in the order of trials, scores against costs, learning curves."""

from collections.abc import Mapping, Sequence
from typing import Any

from gridgen.pages.page import ChartCurve, chart
from gridgen.pages.plot import PlotPoint, plot, stepped
from gridgen.study.fronts import pareto_front
from gridgen.study.report.answer import SearchAnswer, of_role, ranked
from gridgen.study.report.entries import last_score, role_text, target, verdict
from gridgen.study.report.tradeoffs import objective_title
from gridgen.study.trials import TrialRecord

COSTS = ("parameters", "macs", "activations", "training_memory")
UNITS = {
    "training_memory": "training memory, bytes",
    "inference_memory": "inference memory, bytes",
    "latency": "latency, microseconds",
}
MOST_CURVES = 300
"""Learning curves in one chart; of more trainings, those of the best trials."""
SHAPES = {"searched": "circle", "baseline": "square", "confirmation": "diamond"}


def history(records: Sequence[TrialRecord], answer: SearchAnswer) -> dict[str, Any] | None:
    """The score of each trial by its number, and the best so far as a line of steps."""
    last = max((record.number for record in records), default=0)
    return plot(
        f"{answer.asked.objective} of each trial",
        "trial",
        [_point(record, record.number, answer) for record in records],
        [ChartCurve("best so far", "best", stepped(_records_set(records), last))],
        whole=True,
    )


def _records_set(records: Sequence[TrialRecord]) -> list[tuple[float, float]]:
    """The trials that were better than all before."""
    found: list[tuple[float, float]] = []
    done = [record for record in of_role(records, "searched") if record.state == "finished"]
    for record in sorted(done, key=lambda each: each.number):
        if record.score is not None and (not found or record.score > found[-1][1]):
            found.append((record.number, record.score))
    return found


def against_costs(records: Sequence[TrialRecord], answer: SearchAnswer) -> list[dict[str, Any]]:
    """Score against each cost, with the front of those that nothing cheaper beats."""
    scored = [
        record
        for record in records
        if record.role != "confirmation" and last_score(record) is not None
    ]
    found, against = [], answer.asked.against
    for cost in dict.fromkeys((*against, *COSTS)):
        known = [(each, x) for each in scored if (x := each.value(cost)) is not None]
        done = [each for each in answer.entries if each.value(cost) is not None]
        more = against.get(cost) == "maximize"
        drawn = plot(
            f"{answer.asked.objective} against {objective_title(cost)}",
            UNITS.get(cost, objective_title(cost)),
            [_point(each, x, answer) for each, x in known],
            # A step holds for all that costs more, which is no front where more is better.
            [] if more else [ChartCurve("front", "front", stepped(front(done, cost)))],
            answer.asked.limits.get(cost),
        )
        if drawn is not None:
            found.append(drawn | {"name": _named(cost), "button": objective_title(cost)})
    return found


def _named(cost: str) -> str:
    """A name that HTML takes: those of classes may hold anything."""
    return "".join(letter if letter.isalnum() or letter == "_" else "-" for letter in cost)


def front(records: Sequence[TrialRecord], cost: str) -> list[tuple[float, float]]:
    """Cost and score of those candidates that none is better and as cheap, the cheapest first."""
    costs = [each.value(cost) or 0.0 for each in records]
    scores = [each.score or 0.0 for each in records]
    return [(costs[place], scores[place]) for place in pareto_front(costs, scores)]


def _point(record: TrialRecord, x: float, answer: SearchAnswer) -> PlotPoint:
    """The point of a trial: hollow where it has no score of its own, at the foot without any."""
    score = last_score(record)
    style: str = "hollow" if record.state != "finished" else record.role
    if answer.best is not None and record.number == answer.best.number:
        style = "winner"
    shape = "cross" if score is None else SHAPES[record.role]
    label = f"Trial {record.number}, {role_text(record)}: {verdict(record, answer.asked)}"
    return PlotPoint(x, score, target(record), label, style, shape)


def learning(records: Sequence[TrialRecord], answer: SearchAnswer) -> dict[str, Any] | None:
    """The learning curves of all trainings, those of the best and the baseline in colour."""
    best, baseline = answer.best, answer.baseline
    marked: Mapping[int, tuple[str, str]] = {
        **({best.number: ("best", "val")} if best else {}),
        **({baseline.number: ("baseline", "holdout")} if baseline else {}),
    }
    curves = []
    for record in _best_first(records):
        title, style = marked.get(record.number, ("other trainings", "faint"))
        curves += [ChartCurve(title, style, each.curve) for each in record.trainings if each.curve]
    # What is drawn last lies above the others.
    drawn = chart(f"{answer.asked.objective} by epoch", "epoch", curves[:MOST_CURVES][::-1])
    return drawn and drawn | {"name": "learning"}


def curves_left_out(records: Sequence[TrialRecord]) -> int:
    """How many trainings have a learning curve beyond those that are drawn."""
    many = sum(bool(each.curve) for record in records for each in record.trainings)
    return max(many - MOST_CURVES, 0)


def _best_first(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """All trials: baselines, then the others by score, then those without one."""
    done = ranked(records)
    first = of_role(done, "baseline")
    scored = [each for each in done if each not in first]
    return [*first, *scored, *(each for each in records if each not in done)]
