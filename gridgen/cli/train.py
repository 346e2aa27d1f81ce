"""`gridgen train`: train a network, or go on with a training."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.cli.terminal import (
    SPEC,
    As,
    MaybeDevice,
    Output,
    describe,
    errors_beginning,
    grid_of,
    parted,
    print_rows,
)
from gridgen.errors import UsageError
from gridgen.grid import build_grid

if TYPE_CHECKING:
    from gridgen.training import Run
    from gridgen.training.loop.watch import Watch
    from gridgen.training.tasks.fitting import RecipeLike


Data = Annotated[str | None, typer.Option(help="A dataset's name, or the path of a folder.")]
RecipeSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="A field of the spec, or of the recipe as recipe.FIELD=VALUE.",
    ),
]
RecipeName = Annotated[
    str | None,
    typer.Option(help="paper, modern, demo or a YAML file; else what suits the data."),
]
HeldOut = Annotated[
    str | None,
    typer.Option(
        metavar="PATTERN",
        help="Training images to score instead of training on, by name: '0006R0*'.",
    ),
]
FoldOption = Annotated[
    str | None,
    typer.Option(
        metavar="K/N",
        help="Cross-validation: the K-th of N parts of train is val, the rest is trained on.",
    ),
]
GroupOption = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        help="With --fold: names whose first group is equal are in one part: '^[^_]+'.",
    ),
]
TrainingSeed = Annotated[
    int | None,
    typer.Option(min=0, max=2**31 - 1, help="Of weights, order and augmentation; 0 if not given."),
]
Init = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN|FILE",
        help="Begin with the weights of a run or a file, of whatever grid, where they fit.",
    ),
]
InTensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Also write RUN/tensorboard, for TensorBoard.")
]
ResumeIfBegun = Annotated[
    bool,
    typer.Option(
        "--resume-if-begun",
        help="Go on with the run in -o if this command began it, for jobs that are run again.",
    ),
]
BESIDE_RESUME = {"resume", "device", "tensorboard"}


def train(
    context: typer.Context,
    spec: Annotated[str | None, typer.Argument(metavar="SPEC", help=SPEC)] = None,
    data: Data = None,
    topology: As = None,
    settings: RecipeSettings = None,
    recipe: RecipeName = None,
    output: Output = None,
    holdout: HeldOut = None,
    fold: FoldOption = None,
    group: GroupOption = None,
    seed: TrainingSeed = None,
    init: Init = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            metavar="PARTS",
            help="Leave the weights of these parts as they are: 'stem,lateral_0_*'.",
        ),
    ] = None,
    device: MaybeDevice = None,
    tensorboard: InTensorBoard = False,
    resume_if_begun: ResumeIfBegun = False,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with the training in this folder.")
    ] = None,
) -> None:
    """Train on a dataset; the run folder holds weights, metrics, checkpoints and pictures."""
    if resume is not None and _given(context) - BESIDE_RESUME:
        raise UsageError(
            "--resume takes everything from the run; "
            "give nothing beside it but --device and --tensorboard"
        )
    if resume is None and (spec is None or data is None):
        raise UsageError("give a spec and --data (gridgen list datasets), or --resume RUN")
    of_spec, of_recipe = parted(settings)
    if freeze is not None:
        parts = [part.strip() for part in freeze.split(",") if part.strip()]
        if not parts or "freeze" in of_recipe:
            fix = "give --set recipe.freeze or --freeze" if parts else "name parts, such as 'stem'"
            raise UsageError(f"--freeze: {fix}")
        of_recipe["freeze"] = parts
    grid = grid_of(spec, topology, of_spec) if spec is not None else None
    from gridgen import training
    from gridgen.training.processes.devices import nothing_left_to_stop, rank

    with watching(tensorboard) as watch:
        if resume is not None:
            run = training.resume(resume, device=device, watch=watch)
        else:
            assert grid is not None
            assert data is not None
            run = training.train(
                grid,
                data,
                recipe_of(recipe, data, of_recipe),
                folder=output,
                holdout=holdout,
                fold=fold,
                group=group,
                seed=seed or 0,
                init=init,
                device=device or "auto",
                resume_if_begun=resume_if_begun,
                watch=watch,
            )
    # The run is complete: a late signal must not change the exit code.
    with nothing_left_to_stop():
        if rank() == 0:
            print_run(run)


def recipe_of(name: str | None, data: str, settings: dict[str, Any]) -> "RecipeLike | None":
    """The recipe with fields replaced, or its name where none are; of one that is fitted to the
    data, the fields.
    """
    if not settings:
        return name
    from gridgen.data import find_dataset
    from gridgen.training.recipe import changed_recipe, load_recipe

    if name is None and find_dataset(data).fitted:
        return settings
    loaded = load_recipe(name or find_dataset(data).recipe)
    with errors_beginning("--set recipe: "):
        return changed_recipe(loaded, settings)


def _given(context: typer.Context) -> set[str]:
    """The parameters that the user gave."""
    # A default of typer looks like a given value; only the source tells them apart.
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}


@contextmanager
def watching(tensorboard: bool) -> Iterator["Watch"]:
    """Who is told; of several processes, the first one's."""
    from gridgen.training.loop.progress import on_stderr
    from gridgen.training.loop.watch import Several, TensorBoard, Watch
    from gridgen.training.processes.devices import rank

    # Several processes would print every line as often.
    if rank() > 0:
        yield Watch()
        return
    others = [TensorBoard()] if tensorboard else []
    with on_stderr() as lines:
        yield Several(lines, *others)


def print_run(run: "Run") -> None:
    """What was trained, its scores, and what can be done with it."""
    from gridgen.training.run.steplog import overall, pace_text

    pace = overall(run.steps.rows())
    data, folder = shlex.quote(run.facts.data), shlex.quote(str(run.folder))
    names = ("weights.safetensors", "metrics.csv", "steps.csv", "curve.png", "predictions.png")
    print_rows(
        [
            *describe(build_grid(run.spec)),
            *_scores(run),
            *([("pace", pace_text(pace._asdict()))] if pace else []),
            *(("odd", line) for line in run.remarks),
            *_next(run, folder, data),
            ("wrote", ", ".join(str(run.folder / name) for name in names)),
        ]
    )


def _next(run: "Run", folder: str, data: str) -> list[tuple[str, str]]:
    """What can be done with it."""
    if run.recipe.supernet is None:
        first = f"gridgen evaluate {folder} --data {data}"
        return [("next", first), ("", f"gridgen report {folder}")]
    commands = f"score {folder} unet", f"front {folder}", f"take {folder} --as unet -o FILE"
    return [("" if n else "next", f"gridgen supernet {each}") for n, each in enumerate(commands)]


def _scores(run: "Run") -> list[tuple[str, str]]:
    """The last validation's, and the best one's where that was another."""
    from gridgen.training.run.folder import best_row

    metric, rows = run.task.metric, run.rows()
    last, best = rows[-1], best_row(rows, run.objective)
    scores = [(f"val {metric.title}", metric.shown(last[metric.val]))]
    if metric.holdout in last:
        scores.append(("held out", metric.shown(last[metric.holdout])))
    if best is not last:
        told = f"{metric.shown(best[run.objective])} at epoch {best['epoch']:.0f}"
        scores.append(("best", f"{told}; --best takes its weights"))
    return scores
