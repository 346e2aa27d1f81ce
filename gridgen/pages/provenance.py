"""What a page says of a training beside its scores: network, environment, commands."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from gridgen.analysis.counting import count
from gridgen.errors import GridgenError
from gridgen.grid import Grid
from gridgen.memory import training_memory
from gridgen.training import Run
from gridgen.training.recipe import setting_of
from gridgen.training.run import MetricsRow
from gridgen.training.run.steplog import StepRow
from gridgen.training.watching.pace import overall, pace_text

WORDS = {"cpu": "a CPU", "cuda": "one GPU"}


def network(grid: Grid, run: Run) -> list[tuple[str, str]]:
    """What the grid is, and what a step of the recipe costs."""
    side, recipe = run.recipe.crop.size, run.recipe
    counted = count(grid, (side, side))
    kept = f"{grid.spec.title}, {len(grid.connections)} of {len(grid.full.connections)} connections"
    rows = [
        ("grid", grid.spec.shape),
        ("topology", kept),
        ("parameters", f"{counted.parameters.total:,}"),
        (f"MACs for an image of {side}x{side}", f"{counted.macs.total:,}"),
    ]
    kind = "cpu" if (run.facts.machine or run.facts.device).startswith("cpu") else "cuda"
    try:
        needed = training_memory(grid, (side, side), setting_of(recipe).but(device=kind))
    except GridgenError:
        return rows
    told = f"{needed / 2**20:,.0f} MiB, counted for a batch of {recipe.batch} on {WORDS[kind]}"
    return [*rows, ("memory of a step", told)]


def environment(run: Run, steps: Sequence[StepRow]) -> list[tuple[str, str]]:
    """What run.json says; runs made before it said so leave lines out."""
    facts, pace = run.facts, overall(steps)
    told = {
        "data": facts.data,
        "held out": facts.holdout,
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
    """How it was started, how to repeat it from this folder alone, and what comes next."""
    facts, folder = run.facts, str(run.folder)
    told = [("As it was started", _started(facts.command or ()))]
    again = ["gridgen", "train", f"{folder}/spec.yaml", "--data", facts.data]
    again += ["--recipe", f"{folder}/recipe.yaml", "--seed", str(facts.seed)]
    again += ["--holdout", facts.holdout] if facts.holdout else []
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
    """The command line; a program of the user's own is shown as it is."""
    if not command:
        return None
    program, *arguments = command
    ours = Path(program).stem == "gridgen" or program.endswith("gridgen/__main__.py")
    return shlex.join(["gridgen" if ours else program, *arguments])
