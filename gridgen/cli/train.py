"""`gridgen train`: train a network, or go on with a training."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridgen.cli.terminal import SPEC, As, Output, Settings, describe, grid_of, report
from gridgen.errors import UsageError
from gridgen.grid import build_grid

if TYPE_CHECKING:
    from gridgen.training import Run


def train(
    spec: Annotated[
        str | None,
        typer.Argument(metavar="SPEC", help=SPEC),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="A dataset's name, or the path of a folder.")
    ] = None,
    topology: As = None,
    settings: Settings = None,
    recipe: Annotated[
        str | None, typer.Option(help="paper, modern, demo or a YAML file; else what suits the data.")
    ] = None,
    output: Output = None,
    holdout: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="Training images to score instead of training on, by name: '0006R0*'.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=2**31 - 1, help="Of weights, order and augmentation; 0 if not given."
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with the training in this folder.")
    ] = None,
) -> None:
    """Train on a dataset; the run folder holds weights, metrics, checkpoints and pictures."""
    if resume is not None and any(
        given is not None for given in (spec, data, topology, settings, recipe, output, holdout, seed)
    ):
        raise UsageError(
            "--resume takes everything from the run; give nothing beside it but --device"
        )
    if resume is None and (spec is None or data is None):
        raise UsageError("give a spec and --data (gridgen list datasets), or --resume RUN")
    grid = grid_of(spec, topology, settings) if spec is not None else None
    from gridgen import training
    from gridgen.training.devices import rank
    from gridgen.training.interrupts import nothing_left_to_stop
    from gridgen.training.watch import Terminal, Watch

    watch = Terminal() if rank() == 0 else Watch()
    if resume is not None:
        run = training.resume(resume, device=device, watch=watch)
    else:
        assert grid is not None
        assert data is not None
        run = training.train(
            grid,
            data,
            recipe,
            folder=output,
            holdout=holdout,
            seed=seed or 0,
            device=device or "auto",
            watch=watch,
        )
    with nothing_left_to_stop():
        if rank() == 0:
            _report(run)


def _report(run: "Run") -> None:
    metric, last = run.task.metric, run.rows()[-1]
    held_out = [("held out", metric.shown(last[metric.holdout]))] if metric.holdout in last else []
    names = ("weights.safetensors", "metrics.csv", "steps.csv", "curve.png", "predictions.png")
    report(
        [
            *describe(build_grid(run.spec)),
            (f"val {metric.title}", metric.shown(last[metric.val])),
            *held_out,
            ("next", f"gridgen evaluate {run.folder} --data {run.facts['data']}"),
            ("wrote", ", ".join(str(run.folder / name) for name in names)),
        ]
    )
