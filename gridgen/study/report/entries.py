"""A trial as the page shows it when its point is opened: picture, spec, costs, scores, command."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from gridgen.grid import build_grid
from gridgen.pages.page import ChartCurve, chart
from gridgen.render.sketch import sketch
from gridgen.space.choices import value_text
from gridgen.space.quantities import QUANTITIES
from gridgen.spec import GridSpec, NetworkSpec
from gridgen.spec.document import dump
from gridgen.spec.network import settings
from gridgen.study.language.objectives import LATENCY, latency_text
from gridgen.study.report.asked import Asked
from gridgen.study.report.statistics import SeedScores, signed
from gridgen.study.trials import Training, TrialRecord
from gridgen.training.loop.progress import duration

BASE = "specs/gridnet.yaml"
BASE_FIELDS = ("streams", "columns", "base_channels", "classes", "total_dropout")
"""What the file says, so that a command has to say it too."""
PAPER = "paper_"


def target(record: TrialRecord) -> str:
    """What the part of the page about a trial is called."""
    return f"trial-{record.number}"


def entry(record: TrialRecord, asked: Asked, drawn: bool) -> dict[str, Any]:
    """Values for the template. Without `drawn` it has neither a picture nor a curve."""
    made, digits = record.candidate, asked.digits
    return {
        "target": target(record),
        "title": f"Trial {record.number}: {made.name}",
        "role": role_text(record),
        "verdict": verdict(record, asked),
        "about": _about(record),
        "costs": cost_rows(made.costs),
        "trainings": training_rows(record.trainings, digits),
        "spec": dump(made.network),
        "command": build_command(made.network, f"trial-{record.number}.safetensors"),
        "sketch": sketch(build_grid(made.network)) if drawn else None,
        "chart": curves_of(record, asked) if drawn else None,
    }


def _about(record: TrialRecord) -> list[tuple[str, str]]:
    """What is to be said of a trial beside its scores, where there is anything."""
    told = {
        "why": record.reason,
        "recipe": changes(record.candidate.recipe),
        "scores from": record.known,
        "time": duration(record.seconds) if record.trainings else "",
    }
    return [(label, text) for label, text in told.items() if text]


def role_text(record: TrialRecord) -> str:
    """The role of a trial in a few words."""
    if record.role == "confirmation" and record.of is not None:
        return f"trial {record.of} again, with fresh seeds"
    return record.role


def verdict(record: TrialRecord, asked: Asked) -> str:
    """How a trial ended: its state, and its score where it has one."""
    shown = brief_score(record, asked.digits)
    if not shown:
        return record.state
    stopped = "" if record.scores else " when it was stopped"
    return f"{record.state}, {asked.objective} {shown}{stopped}"


def brief_score(record: TrialRecord, digits: int) -> str:
    """The mean of the seeds with their spread, or the last score that was reached."""
    if record.scores:
        return SeedScores("", record.scores).told(digits)
    last = last_score(record)
    return "" if last is None else signed(last, digits)


def last_score(record: TrialRecord) -> float | None:
    """The score of a trial, or the last one that a training of it reached."""
    if record.score is not None:
        return record.score
    reached = [each.score for each in record.trainings if each.score is not None]
    return reached[-1] if reached else None


def changes(recipe: Mapping[str, Any]) -> str:
    """The changes of the recipe in a row."""
    return ", ".join(f"{name} {value_text(value)}" for name, value in recipe.items())


def cost_rows(costs: Mapping[str, int]) -> list[tuple[str, str]]:
    """The costs of a candidate in full, in the order in which quantities are listed."""
    order = [*QUANTITIES]
    known = sorted(costs, key=lambda name: [*order, name].index(name.removeprefix(PAPER)))
    return [(cost_title(name), cost_text(name, costs[name])) for name in known]


def cost_title(name: str) -> str:
    """What a cost is called; `paper_` stands before those that the paper's formulas give."""
    quantity = name.removeprefix(PAPER)
    title = "MACs" if quantity == "macs" else quantity.replace("_", " ")
    return f"{title} by the paper's formula" if quantity != name else title


def counted(cost: int | None) -> str:
    """A number of a table; "" where it is not known."""
    return "" if cost is None else f"{cost:,}"


def cost_text(name: str, cost: int) -> str:
    """A cost in full, with its unit."""
    if name == LATENCY:
        return latency_text(cost)
    quantity = QUANTITIES.get(name)
    return f"{cost:,}" if quantity is None or name == "macs" else quantity.exact(cost)


def training_rows(trainings: Sequence[Training], digits: int) -> list[list[str]]:
    """The trainings of a trial as a table, its titles first; empty before the first is over."""
    if not trainings:
        return []
    rows = [
        [
            str(each.seed),
            each.state,
            "" if each.score is None else signed(each.score, digits),
            duration(each.seconds),
            each.folder,
            each.reason,
        ]
        for each in trainings
    ]
    titles = ["seed", "state", "score", "time", "folder", "note"]
    # Columns of which no training says anything are left out.
    kept = [n for n in range(len(titles)) if any(row[n] for row in rows)]
    return [[row[n] for n in kept] for row in (titles, *rows)]


def curves_of(record: TrialRecord, asked: Asked) -> dict[str, Any] | None:
    """The learning curves of a trial, one for each seed."""
    curves = [ChartCurve("", "val", each.curve, dots=True) for each in record.trainings]
    drawn = chart(f"{asked.objective} of each seed", "epoch", curves)
    return drawn and drawn | {"name": target(record)}


def build_command(network: NetworkSpec, output: str) -> str:
    """The command line that builds a network again, from a file or an architecture of gridgen."""
    fields = _own_fields(network)
    name = fields.pop("architecture", BASE)
    if isinstance(network, GridSpec):
        complete = network.complete()
        fields = {field: complete.get(field) for field in BASE_FIELDS} | fields
    command = ["gridgen", "build", str(name)]
    for field, value in fields.items():
        command += ["--set", f"{field}={value_text(value)}"]
    return shlex.join([*command, "-o", output])


def _own_fields(network: NetworkSpec) -> dict[str, Any]:
    """The fields that differ from the defaults, wherever the network was read from."""
    kind, complete = type(network), network.complete()
    needed = {n for n, field in kind.model_fields.items() if field.is_required()} | {*WIDTHS}
    bare = kind(**{name: complete[name] for name in needed & complete.keys()})
    told, without = (settings(kind(**each.complete())) for each in (network, bare))
    return {
        name: value
        for name, value in told.items()
        if name in needed or value != without.get(name, _ABSENT)
    }


WIDTHS = ("base_channels", "channels")
"""Fields of a grid of which one has to be given."""
_ABSENT = object()
