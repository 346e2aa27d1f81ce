"""`gridgen supernet score`, `take`, `front`, `check`: what comes of a supernet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.cli.budget import budget_of
from gridgen.cli.tables import print_table
from gridgen.cli.terminal import (
    AsJson,
    Device,
    grid_of,
    print_json,
    print_rows,
    progress,
    require_suffix,
)
from gridgen.errors import UsageError, unknown
from gridgen.spec.source import YAML_SUFFIXES

if TYPE_CHECKING:
    from gridgen.grid import Grid
    from gridgen.space import Budget
    from gridgen.supernet.scoring import SubnetworkScore, SubnetworkScorer

RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder that gridgen supernet made.")
]
Objective = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Score to judge by, as in metrics.csv: val_iou."),
]
SampleSize = Annotated[
    int | None,
    typer.Option(metavar="N", min=2, help="Sub-networks to score where there are more: 300."),
]
Under = Annotated[
    list[str] | None,
    typer.Option(
        "--under",
        metavar="LIMIT=AMOUNT",
        help="What a sub-network may cost: macs=2G, parameters=100k, inference_memory=1GB ...; "
        "of an image as most of val are, or of size=400x400.",
    ),
]


def score(
    run: RunFolder,
    networks: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC...",
            help="YAML files, @TOPOLOGY after one prunes; topologies by name or hash.",
        ),
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
        scored = [each.as_json() for each in found]
        print_json({"scored": scored, "agreement": _agreement_json(scorer)})
        return
    _print_scores(found, scorer)


def _grid_of(name: str, scorer: "SubnetworkScorer", width: int | None = None) -> "Grid":
    """The grid of a spec, or a topology of the supernet's own grid by its name or hash."""
    from gridgen.grid import TOPOLOGIES, build_grid, prune

    if "@" in name or Path(name).suffix in YAML_SUFFIXES:
        return grid_of(name, None, [] if width is None else [f"base_channels={width}"])
    spec = scorer.grid.full.spec
    full = build_grid(spec if width is None else spec.but(base_channels=width))
    if name in TOPOLOGIES:
        return prune(full, name)
    known = {each.name: each.topology for each in scorer.known_topologies()}
    if name not in known:
        raise UsageError(unknown("topology, hash or YAML file", name, TOPOLOGIES))
    return prune(full, known[name])


def _print_scores(found: "list[SubnetworkScore]", scorer: "SubnetworkScorer") -> None:
    from gridgen.supernet.check import Agreement, trust

    names = scorer.metrics
    rows = [("sub-network", *names, "parameters", "MACs")]
    for each in found:
        scores = (f"{each.scores[name]:.4f}" for name in names)
        rows.append((each.name, *scores, *(f"{value:,}" for value in each.costs.values())))
    print_table(rows)
    told = trust(Agreement.read(scorer.run.folder, scorer.digest))
    print_rows([("trust", told), *_unfinished(scorer)])


def _agreement_json(scorer: "SubnetworkScorer") -> dict[str, Any] | None:
    from gridgen.supernet.check import Agreement

    found = Agreement.read(scorer.run.folder, scorer.digest)
    return None if found is None else found.as_json()


def _unfinished(scorer: "SubnetworkScorer") -> list[tuple[str, str]]:
    return [("unfinished", scorer.unfinished)] if scorer.unfinished else []


def take(
    run: RunFolder,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="Weights file: .safetensors."),
    ],
    spec: Annotated[
        str | None, typer.Argument(metavar="[SPEC]", help="YAML file of the network.")
    ] = None,
    topology: Annotated[
        str | None,
        typer.Option("--as", metavar="TOPOLOGY", help="By its name, or the hash that front shows."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(metavar="CONNECTIONS", help="Those to keep: 'lateral_0_*,sub_1_0,up_0_*'."),
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="base_channels of the sub-network; else the supernet's."
        ),
    ] = None,
    under: Under = None,
    objective: Objective = None,
    sample: SampleSize = None,
    device: Device = "auto",
) -> None:
    """Take a sub-network away: by topology and width, or the best within --under.

    The file has its weights with statistics of its own; predict, evaluate, export and
    train --init read it.
    """
    require_suffix(output, ".safetensors", "a weights file")
    chosen = [each for each in (spec, topology, keep, under) if each]
    if len(chosen) != 1:
        raise UsageError("give one of SPEC, --as TOPOLOGY, --keep CONNECTIONS and --under LIMIT")
    if under and width:
        raise UsageError("--width: --under chooses among all widths; leave it out")
    if not under and (objective or sample):
        raise UsageError("--objective and --sample are of --under; leave them out")
    from gridgen.grid import prune
    from gridgen.supernet.scoring import SubnetworkScorer
    from gridgen.training import export_model
    from gridgen.training.run.folder import require_not_kept

    require_not_kept(output)
    scorer = SubnetworkScorer(run, device)
    if under:
        grid = _best_under(scorer, under, objective, sample)
    elif keep is not None:
        full = _grid_of("gridnet", scorer, width)
        grid = prune(full, {"keep": [name.strip() for name in keep.split(",") if name.strip()]})
    else:
        grid = _grid_of(str(spec or topology), scorer, width)
    with progress("scoring") as on_progress:
        (found,) = scorer.score([grid], on_progress)
    path = export_model(scorer.model(grid), output)
    _print_scores([found], scorer)
    print_rows([("wrote", str(path))])


def _best_under(
    scorer: "SubnetworkScorer", under: list[str], objective: str | None, sample: int | None
) -> "Grid":
    from gridgen.supernet.choosing import SAMPLE, best_of, front_of

    with progress("scoring") as on_progress:
        found = front_of(scorer, sample or SAMPLE, objective, _budget(under), on_progress)
    told = f"{len(found.scored):,} sub-networks within the budget, by {found.objective}"
    print_rows([("compared", told)])
    return best_of(found).grid


def _budget(under: list[str] | None) -> "Budget | None":
    return budget_of(under, {}, "--under")


def front(
    run: RunFolder,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Else supernet.html in the run."),
    ] = None,
    objective: Objective = None,
    sample: SampleSize = None,
    under: Under = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Score all sub-networks, or a sample, against what they cost, and write a page."""
    require_suffix(output, ".html", "the page's file")
    from gridgen.supernet.choosing import SAMPLE, best_of, supernet_front
    from gridgen.supernet.page import write_supernet_page

    with progress("scoring") as on_progress:
        found = supernet_front(
            run,
            sample=sample or SAMPLE,
            objective=objective,
            budget=_budget(under),
            device=device,
            on_progress=on_progress,
        )
    path = write_supernet_page(output or run / "supernet.html", found)
    if as_json:
        print_json({**found.as_json(), "page": str(path)})
        return
    best = found.take_command(best_of(found))
    print_rows([*found.rows(), ("wrote", str(path)), ("next", best)])


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
        both = "--benchmark: runs are given too; leave one of the two out"
        raise UsageError(both if alone else "give runs of networks trained alone, or --benchmark")
    from gridgen.supernet.check import FIGURE, FILE, check_supernet
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
        print_rows([*found.rows(), ("wrote", f"{run / FILE}, {run / FIGURE}")])
