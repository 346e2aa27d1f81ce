"""`gridgen supernet`: one training whose sub-networks can all be scored and taken away."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.cli.budget import budget_of
from gridgen.cli.tables import print_table
from gridgen.cli.terminal import (
    SPEC,
    AsJson,
    Device,
    Output,
    errors_beginning,
    grid_of,
    parted,
    print_json,
    print_rows,
    progress,
    require_suffix,
)
from gridgen.cli.train import (
    Data,
    Fold,
    Group,
    HeldOut,
    Init,
    InTensorBoard,
    MaybeDevice,
    RecipeName,
    RecipeSettings,
    ResumeIfBegun,
    TrainingSeed,
    print_run,
    recipe_of,
    watching,
)
from gridgen.errors import UsageError
from gridgen.spec import Source
from gridgen.spec.kinds import kind_of
from gridgen.spec.source import YAML_SUFFIXES

if TYPE_CHECKING:
    from gridgen.grid import Grid
    from gridgen.space import Budget
    from gridgen.study import Study
    from gridgen.supernet.scoring import SubnetworkScore, SubnetworkScorer

TRAIN = "train"


class TrainByDefault(typer.core.TyperGroup):
    """A group whose first command need not be named: `supernet SPEC` is `supernet train SPEC`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command before what is none."""
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named or not args else [TRAIN, *args])


app = typer.Typer(
    cls=TrainByDefault,
    help="Train all sub-networks of a grid at once; score them, take one away.",
    rich_markup_mode=None,
)
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder that gridgen supernet made.")
]
Objective = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Score to judge by, as in metrics.csv: val_iou."),
]
Sample = Annotated[
    int, typer.Option(metavar="N", min=2, help="Sub-networks to score where there are more.")
]
Under = Annotated[
    list[str] | None,
    typer.Option(
        "--under",
        metavar="LIMIT=AMOUNT",
        help="What a sub-network may cost: macs=2G, parameters=100k, inference_memory=1GB ...",
    ),
]


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
    fold: Fold = None,
    group: Group = None,
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


@app.command("score")
def score(
    run: RunFolder,
    networks: Annotated[
        list[str], typer.Argument(metavar="SPEC...", help=f"{SPEC} Or a topology alone.")
    ],
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Score sub-networks with the weights of the supernet, without training; each is kept."""
    from gridgen.supernet.scoring import SubnetworkScorer

    scorer = SubnetworkScorer(run, device)
    grids = [_grid_of(name, scorer) for name in networks]
    with progress("scoring") as on_progress:
        found = scorer.score(grids, on_progress)
    if as_json:
        print_json([each.as_json() for each in found])
        return
    _print_scores(found, scorer)


def _grid_of(name: str, scorer: "SubnetworkScorer") -> "Grid":
    """The grid of a spec, or a topology of the supernet's own grid by name."""
    from gridgen.grid import TOPOLOGIES, prune

    return prune(scorer.grid.full, name) if name in TOPOLOGIES else grid_of(name)


def _print_scores(found: "list[SubnetworkScore]", scorer: "SubnetworkScorer") -> None:
    from gridgen.supernet.agreement import Agreement, trust

    names = scorer.metrics
    rows = [("sub-network", *names, "parameters", "MACs")]
    for each in found:
        scores = (f"{each.scores[name]:.4f}" for name in names)
        rows.append((each.name, *scores, *(f"{value:,}" for value in each.costs.values())))
    print_table(rows)
    print_rows([("trust", trust(Agreement.read(scorer.run.folder, scorer.weights)))])


@app.command("take")
def take(
    run: RunFolder,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="Weights file: .safetensors."),
    ],
    topology: Annotated[
        str | None, typer.Option("--as", metavar="TOPOLOGY", help="One that has a name.")
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(metavar="CONNECTIONS", help="Those to keep: 'lateral_0_*,sub_1_0,up_0_*'."),
    ] = None,
    width: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="base_channels, those of the whole else.")
    ] = None,
    under: Under = None,
    objective: Objective = None,
    sample: Sample = 300,
    device: Device = "auto",
) -> None:
    """Take a sub-network away: by topology and width, or the best within --under.

    The file has its weights with statistics of its own; predict, evaluate, export and
    train --init read it.
    """
    require_suffix(output, ".safetensors", "a weights file")
    chosen = [each for each in (topology, keep) if each is not None]
    if len(chosen) != (under is None) or (under and width):
        raise UsageError("give --as TOPOLOGY or --keep CONNECTIONS, or --under alone")
    from gridgen.supernet.scoring import SubnetworkScorer
    from gridgen.training import export_model

    scorer = SubnetworkScorer(run, device)
    if under:
        grid = _best_under(scorer, under, objective, sample)
    else:
        grid = _chosen(scorer, topology, keep, width)
    with progress("scoring") as on_progress:
        (found,) = scorer.score([grid], on_progress)
    path = export_model(scorer.model(grid), output)
    _print_scores([found], scorer)
    print_rows([("wrote", str(path))])


def _chosen(
    scorer: "SubnetworkScorer", topology: str | None, keep: str | None, width: int | None
) -> "Grid":
    from gridgen.grid import build_grid, prune

    spec = scorer.grid.full.spec
    full = build_grid(spec if width is None else spec.but(base_channels=width))
    if topology is not None:
        return prune(full, topology)
    assert keep is not None
    return prune(full, {"keep": [name.strip() for name in keep.split(",") if name.strip()]})


def _best_under(
    scorer: "SubnetworkScorer", under: list[str], objective: str | None, sample: int
) -> "Grid":
    from gridgen.supernet.choosing import best_of, front_of

    with progress("scoring") as on_progress:
        found = front_of(scorer, sample, objective, _budget(under), on_progress)
    return best_of(found).grid


def _budget(under: list[str] | None) -> "Budget | None":
    return budget_of(under, {})


@app.command("front")
def front(
    run: RunFolder,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Else supernet.html in the run."),
    ] = None,
    objective: Objective = None,
    sample: Sample = 300,
    under: Under = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Score all sub-networks, or a sample, against what they cost, and write a page."""
    require_suffix(output, ".html", "the page's file")
    from gridgen.supernet.choosing import supernet_front
    from gridgen.supernet.page import write_supernet_page

    with progress("scoring") as on_progress:
        found = supernet_front(
            run,
            sample=sample,
            objective=objective,
            budget=_budget(under),
            device=device,
            on_progress=on_progress,
        )
    path = write_supernet_page(output or run / "supernet.html", found)
    if as_json:
        print_json({**found.as_json(), "page": str(path)})
        return
    print_rows([*found.rows(), ("wrote", str(path))])


@app.command("check")
def check(
    run: RunFolder,
    alone: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[ALONE]...", help="Runs of networks trained alone, or searches."),
    ] = None,
    benchmark: Annotated[
        bool, typer.Option("--benchmark", help="Against the topologies of gridgen topologies.")
    ] = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Compare scores without training with those of networks trained alone: Kendall's tau."""
    if bool(alone) == benchmark:
        raise UsageError("give runs of networks trained alone, or --benchmark")
    from gridgen.supernet.agreement import check_supernet
    from gridgen.tabular import topology_benchmark

    with progress("scoring") as on_progress:
        found = check_supernet(
            run,
            alone or (),
            benchmark=topology_benchmark() if benchmark else None,
            device=device,
            on_progress=on_progress,
        )
    if as_json:
        print_json(found.as_json())
    else:
        print_rows(found.rows())
