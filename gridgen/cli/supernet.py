"""`gridgen supernet`: one training whose sub-networks can all be scored and taken away."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.cli.subnetworks import check, front, score, take
from gridgen.cli.terminal import SPEC, MaybeDevice, Output, errors_beginning, grid_of, parted
from gridgen.cli.train import (
    Data,
    FoldOption,
    GroupOption,
    HeldOut,
    Init,
    InTensorBoard,
    RecipeName,
    RecipeSettings,
    ResumeIfBegun,
    TrainingSeed,
    print_run,
    recipe_of,
    watching,
)
from gridgen.errors import UsageError, unknown
from gridgen.spec import Source
from gridgen.spec.kinds import kind_of
from gridgen.spec.source import YAML_SUFFIXES

if TYPE_CHECKING:
    from gridgen.grid import Grid
    from gridgen.study import Study

TRAIN = "train"


class TrainByDefault(typer.core.TyperGroup):
    """A group whose first command need not be named: `supernet SPEC` is `supernet train SPEC`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command before what is none, unless it is one misspelt."""
        known = [*self.commands, *ctx.help_option_names]
        if args and args[0] not in known:
            near = get_close_matches(args[0], self.commands, cutoff=0.7)
            if near and not Path(args[0]).exists():
                raise UsageError(f"gridgen supernet: {unknown('command', args[0], self.commands)}")
            args = [TRAIN, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=TrainByDefault,
    help="Train all sub-networks of a grid at once; score them, take one away. "
    "`gridgen supernet SPEC` is `gridgen supernet train SPEC`.",
    rich_markup_mode=None,
)


@app.callback()
def _supernet() -> None:
    """Train all sub-networks of a grid at once; score them, take one away."""


@app.command(TRAIN)
def train(
    network: Annotated[
        str, typer.Argument(metavar="STUDY|SPEC", help=f"YAML file of a study. Or: {SPEC}")
    ],
    data: Data = None,
    settings: RecipeSettings = None,
    recipe: RecipeName = None,
    output: Output = None,
    holdout: HeldOut = None,
    fold: FoldOption = None,
    group: GroupOption = None,
    seed: TrainingSeed = None,
    init: Init = None,
    device: MaybeDevice = None,
    tensorboard: InTensorBoard = False,
    resume_if_begun: ResumeIfBegun = False,
) -> None:
    """Train the largest network of a study's space, or of a spec, and its sub-networks with it.

    Of a spec they are all sub-topologies; --set recipe.supernet.base_channels=[4, 8] trains widths
    too. gridgen train --resume RUN goes on with what was stopped.
    """
    of_spec, of_recipe = parted(settings)
    study = _study_of(network)
    if study is not None:
        whole: Grid | Study = _changed(study, data, of_spec, of_recipe)
        data = None
    else:
        whole = grid_of(network, None, of_spec)
        if data is None:
            raise UsageError("give --data (gridgen list datasets) beside a spec, or a study")
    from gridgen.supernet.plan import train_supernet
    from gridgen.training.processes.devices import nothing_left_to_stop, rank

    with watching(tensorboard) as watch:
        run = train_supernet(
            whole,
            data,
            recipe if data is None else recipe_of(recipe, data, of_recipe),
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
    with nothing_left_to_stop():
        if rank() == 0:
            print_run(run)


def _study_of(name: str) -> "Study | None":
    """The study in a YAML file, or None where it holds a spec, or the name is no file's."""
    path = Path(name)
    if path.suffix not in YAML_SUFFIXES or not path.is_file():
        return None
    if kind_of(Source.read(path).data) != "study":
        return None
    from gridgen.study import Study

    return Study.load(path)


def _changed(
    study: "Study", data: str | None, of_spec: list[str], of_recipe: dict[str, Any]
) -> "Study":
    """The study with other data and with fields of its recipe replaced."""
    from gridgen.training.recipe import changed_recipe

    if of_spec:
        raise UsageError(f"--set {of_spec[0]}: the study has the spec; set recipe.FIELD alone")
    with errors_beginning("--set recipe: "):
        recipe = changed_recipe(study.training, of_recipe)
    changes = {} if data is None else {"data": data}
    return study.but(recipe=recipe.plain(), **changes)


for command in (score, take, front, check):
    app.command(command.__name__)(command)
