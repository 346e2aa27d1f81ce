"""The page of a training: scores, curves, network, environment, and the commands that repeat it."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gridgen.analysis.counting import count
from gridgen.arguments import PathLike, checked
from gridgen.errors import GridgenError, RenderError
from gridgen.files import read_text, write_file
from gridgen.grid import Grid, build_grid
from gridgen.memory import training_memory
from gridgen.pages.page import ChartCurve, chart, embedded, embedded_file, rendered
from gridgen.render import draw
from gridgen.spec.document import dump
from gridgen.training import Run
from gridgen.training.loop.progress import loss_text
from gridgen.training.recipe import setting_of
from gridgen.training.run.folder import FIELDS, MetricsRow, best_row
from gridgen.training.run.steplog import StepRow, overall, pace_text
from gridgen.training.tasks import Metric, Task
from gridgen.training.tasks.table import ScoreTable

FOLDED = 12
"""Number of validations from which on their table is folded."""
SHOWN = 0.98
"""Share of the losses that the chart must hold, since the first ones tower over all others."""
NAME = "report.html"


@checked
def write_report(run: PathLike, path: PathLike | None = None) -> Path:
    """Write the page of `run` or of its folder, finished or not; by default to RUN/report.html.

    Errors: `RunError` and `SpecError` for what is damaged in the run, `FileError`.
    """
    run = Run.open(run)
    return write_file(path or run.folder / NAME, report_page(run))


def report_page(run: Run) -> str:
    """The page as HTML. Only counts are computed again; the rest is read from the folder."""
    rows, steps, grid = run.rows(), run.steps.rows(), build_grid(run.spec)
    metric, objective = run.task.metric, run.objective
    charts = _charts(rows, steps, metric)
    return rendered(
        "report",
        heading=f"{run.folder.resolve().name}: {grid.spec.title} on {Path(run.facts.data).name}",
        verdict=verdict(rows, metric, objective),
        unfinished=_unfinished(run, rows, steps),
        remarks=run.remarks,
        facts=_cards(rows, steps, metric, objective),
        charts=[each | {"name": number} for number, each in enumerate(charts)],
        validations=_validations(rows, run.task, objective),
        evaluations=_evaluations(run.folder),
        predictions=embedded_file(run.folder / "predictions.png"),
        network=network(grid, run),
        picture=_picture(grid),
        environment=environment(run, steps),
        commands=commands(run, rows),
        files=[("spec.yaml", dump(run.spec)), ("recipe.yaml", dump(run.recipe))],
    )


def verdict(rows: Sequence[MetricsRow], metric: Metric, objective: str) -> str:
    """The best validation and the last one, in a sentence."""
    if not rows:
        return "No validation yet."
    best, last = best_row(rows, objective), rows[-1]
    if best is last:
        told = f"The last validation, at epoch {last['epoch']:.0f}, is the best"
        return f"{told}: {_scores(last, metric)}."
    told = f"The best validation, at epoch {best['epoch']:.0f}: {_scores(best, metric)}"
    return f"{told}. The last, at epoch {last['epoch']:.0f}: {_scores(last, metric)}."


def _scores(row: MetricsRow, metric: Metric) -> str:
    told = f"val {metric.title} {metric.shown(row[metric.val])}"
    if metric.holdout not in row:
        return told
    return f"held out {metric.title} {metric.shown(row[metric.holdout])}, {told}"


def _unfinished(run: Run, rows: Sequence[MetricsRow], steps: Sequence[StepRow]) -> str | None:
    if run.is_finished(rows):
        return None
    step = max([row["step"] for row in [*rows, *steps]], default=0)
    epochs = run.recipe.epochs
    if not rows:
        return f"Not finished: {step:.0f} steps are logged, none of its {epochs} epochs is scored."
    total = rows[0]["step"] / rows[0]["epoch"] * epochs
    return f"Not finished: step {step:.0f} of {total:.0f} is the last that is logged."


def _cards(
    rows: Sequence[MetricsRow], steps: Sequence[StepRow], metric: Metric, objective: str
) -> list[tuple[str, str]]:
    cards = []
    if rows:
        best, last = best_row(rows, objective), rows[-1]
        which = [("best", best)] if best is last else [("best", best), ("last", last)]
        cards = [
            (f"{split} {metric.title}, {when}", metric.shown(row[column]))
            for when, row in which
            for split, column in (("val", metric.val), ("held out", metric.holdout))
            if column in row
        ]
    pace = overall(steps)
    if pace:
        cards.append(("images/s", f"{pace.images_per_second:.3g}"))
        cards.append(("of the time waiting for data", f"{pace.waiting:.0%}"))
    return cards


def _charts(
    rows: Sequence[MetricsRow], steps: Sequence[StepRow], metric: Metric
) -> list[dict[str, Any]]:
    """Charts of loss, metric on each split and learning rate, without empty ones."""
    losses = [(row["step"], row["loss"]) for row in steps or rows]
    rates = [(row["step"], row["learning_rate"]) for row in steps or rows]
    columns = {"train": metric.train, "holdout": metric.holdout, "val": metric.val}
    scores = [
        ChartCurve(
            split.replace("holdout", "held out"),
            split,
            [(row["epoch"], row[column]) for row in rows if column in row],
            dots=True,
        )
        for split, column in columns.items()
    ]
    title = metric.title + (f" in{metric.unit}" if metric.unit else "")
    drawn = [
        chart("loss", "step", [ChartCurve("loss", "val", losses)], SHOWN),
        chart(title, "epoch", scores),
        chart("learning rate", "step", [ChartCurve("learning rate", "val", rates)]),
    ]
    return [each for each in drawn if each]


def _validations(rows: Sequence[MetricsRow], task: Task, objective: str) -> dict[str, Any] | None:
    if not rows:
        return None
    best = best_row(rows, objective)
    # What each class scores is told by an evaluation, in a table of its own.
    brief = [{name: value for name, value in row.items() if "." not in name} for row in rows]
    marks = ["best" if row is best else "" for row in rows]
    shown = [[*_row(row, task.metric), mark] for row, mark in zip(brief, marks, strict=True)]
    titles = [*(_title(name, task) for name in brief[0]), ""]
    return {"rows": [titles, *shown], "folded": len(rows) > FOLDED}


def _title(column: str, task: Task) -> str:
    """The title of a column of metrics.csv."""
    split, _, what = column.partition("_")
    if split not in ("train", "val", "holdout"):
        return column.replace("_", " ")
    return f"{split.replace('holdout', 'held out')} {task.numbers.get(what, what)}"


def _row(row: MetricsRow, metric: Metric) -> list[str]:
    """Cells of a validation: counts, rates in three or four digits, scores as in reports."""
    counted = [f"{row['epoch']:.0f}", f"{row['step']:.0f}"]
    rates = [f"{row['learning_rate']:.3g}", loss_text(row["loss"])]
    scores = [f"{row[name]:.{metric.digits}f}" for name in row if name not in FIELDS]
    return [*counted, *rates, *scores]


def _evaluations(folder: Path) -> list[dict[str, Any]]:
    """Tables of the evaluations that `gridgen evaluate -o RUN/FOLDER` wrote."""
    found = []
    for path in sorted(folder.glob("*/scores.json")):
        try:
            scores = json.loads(read_text(path))
            tables = [ScoreTable("", **table).shown() for table in scores["tables"].values()]
            under = f"{scores['images']} images of {scores['data']}, {scores['split']}"
            odd = [str(line) for line in scores.get("remarks", ())]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # of an older version, or not ours
        heading = f"Evaluation {path.parent.name}"
        found.append({"heading": heading, "under": under, "remarks": odd, "tables": tables})
    return [each for each in found if each["tables"]]


def _picture(grid: Grid) -> str | None:
    """The grid as `gridgen render` draws it, where a program for that is installed."""
    try:
        return embedded(draw(grid).render("svg"))
    except RenderError:
        return None


WORDS = {"cpu": "a CPU", "cuda": "one GPU"}


def network(grid: Grid, run: Run) -> list[tuple[str, str]]:
    """The grid in words, and the costs of one step of the recipe."""
    side, recipe = run.recipe.crop.size, run.recipe
    counted = count(grid, (side, side))
    kept = f"{grid.spec.title}, {len(grid.connections)} of {len(grid.full.connections)} connections"
    rows = [
        ("grid", grid.spec.shape),
        ("topology", kept),
        ("parameters", f"{counted.parameters.total:,}"),
        (f"MACs for an image of {side}x{side}", f"{counted.macs.total:,}"),
    ]
    # Runs of older versions say what they were asked for, such as "auto", but not what they got.
    kind = "cpu" if (run.facts.machine or run.facts.device).startswith("cpu") else "cuda"
    try:
        needed = training_memory(grid, (side, side), setting_of(recipe).but(device=kind))
    except GridgenError:
        return rows
    told = f"{needed / 2**20:,.0f} MiB, counted for a batch of {recipe.batch} on {WORDS[kind]}"
    return [*rows, ("memory of a step", told)]


def environment(run: Run, steps: Sequence[StepRow]) -> list[tuple[str, str]]:
    """The facts in run.json. Runs of older versions hold fewer of them."""
    facts, pace = run.facts, overall(steps)
    told = {
        "data": facts.data,
        "task": run.task.name,
        "held out": facts.holdout,
        "val": f"fold {facts.fold} of train" if facts.fold else None,
        "classes": ", ".join(facts.classes),
        "seed": facts.seed,
        "begun": facts.begun,
        "device": facts.machine or facts.device,
        "processes": facts.processes,
        "platform": facts.platform,
        "torch": facts.torch,
        "python": facts.python,
        "pace": pace_text(pace._asdict()) if pace else None,
        "folder": run.folder.resolve(),
    }
    return [(label, str(value)) for label, value in told.items() if value not in (None, "")]


def commands(run: Run, rows: Sequence[MetricsRow]) -> list[tuple[str, str]]:
    """Commands that started the run, that repeat it from its folder, and that come next."""
    facts, folder = run.facts, str(run.folder)
    told = [("As it was started", _started(facts.command or ()))]
    again = ["gridgen", "train", f"{folder}/spec.yaml", "--data", facts.data]
    again += ["--recipe", f"{folder}/recipe.yaml", "--seed", str(facts.seed)]
    again += ["--holdout", facts.holdout] if facts.holdout else []
    again += ["--fold", facts.fold] if facts.fold else []
    again += ["--group", facts.group] if facts.group else []
    again += ["--device", facts.device] if facts.device != "auto" else []
    again += ["-o", f"{folder}-again"]
    told.append(("Again, from this folder's files", shlex.join(again)))
    if run.is_finished(rows):
        evaluate = ["gridgen", "evaluate", folder, "--data", facts.data]
        told.append(("Scores, image by image", shlex.join([*evaluate, "-o", f"{folder}/val"])))
    else:
        told.append(("Go on with it", shlex.join(["gridgen", "train", "--resume", folder])))
    return [(label, command) for label, command in told if command]


def _started(command: Sequence[str]) -> str | None:
    """The command line, beginning with `gridgen` unless a program of the user's own started it."""
    if not command:
        return None
    program, *arguments = command
    # `python -m gridgen` has the path of a file as its program, which a reader could not repeat.
    ours = Path(program).stem == "gridgen" or program.endswith("gridgen/__main__.py")
    return shlex.join(["gridgen" if ours else program, *arguments])
