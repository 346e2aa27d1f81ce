"""`gridgen search`: train candidates of a study, and answer which is best."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.cli.budget import Limits, budgeted
from gridgen.cli.tables import print_table
from gridgen.cli.terminal import AsJson, MaybeDevice, Output, given, print_json, print_rows
from gridgen.errors import Interrupted, UsageError, unknown

ENGINES = ("local", "ray")
MOST_PRINTED = 20
"""Sampled candidates that are printed."""

if TYPE_CHECKING:
    from gridgen.study import Result, Study
    from gridgen.study.engine.ray_cluster import RayCluster


def search(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="YAML file of the study.")],
    trials: Annotated[
        int | None, typer.Option(min=1, help="Candidates to train, those of before included.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="A dataset's name, or a folder, in place of the study's.")
    ] = None,
    budget: Limits = None,
    parallel: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Candidates to train at once: one, or as many as fit in a cluster.",
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(metavar="|".join(ENGINES), help="Train on this machine, or in a Ray cluster."),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Of the Ray cluster; else that of this machine."),
    ] = None,
    cpus: Annotated[
        float | None, typer.Option(metavar="N", help="CPUs of a training in a cluster; 1.")
    ] = None,
    gpus: Annotated[
        float | None,
        typer.Option(metavar="N", help="GPUs of a training in a cluster; 1 where it has any."),
    ] = None,
    reproducible: Annotated[
        bool,
        typer.Option(
            "--reproducible", help="Propose in waves: the same trials, however many at once."
        ),
    ] = False,
    known: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Rows of this trials.csv count as trained."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Of a new study: sqlite; journal, a file of lines; or the address of a database, "
            "postgresql://USER@HOST/DATABASE."
        ),
    ] = None,
    supernet: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Score candidates by this run of gridgen supernet; train those to confirm alone.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Sample and count candidates; train nothing.")
    ] = False,
    output: Output = None,
    device: MaybeDevice = None,
    as_json: AsJson = False,
) -> None:
    """Search with Optuna; calling it again goes on. Writes the best spec, tables and a report."""
    cluster = _cluster(engine, {"address": address, "cpus": cpus, "gpus": gpus})
    asked = _asked(budgeted(study, budget), data, reproducible, supernet)
    if dry_run:
        unused = {"-o": output, "--known": known, "--storage": storage, "--parallel": parallel}
        if extra := given(**unused, **{"--device": device, "--engine": cluster}):
            fact = "--dry-run trains and writes nothing, and reads no trials"
            raise UsageError(f"{fact}; leave out {' and '.join(extra)}")
        _sample(asked, trials or asked.trials, as_json)
        return
    from gridgen.study.driver.writing import asked_of
    from gridgen.study.report.observer import SearchProgress

    folder = output or Path("runs") / f"search-{study.stem}"
    try:
        result = _search(asked, known)(
            asked,
            folder=folder,
            trials=trials,
            parallel=parallel,
            storage=storage,
            device=device or "auto",
            cluster=cluster,
            watch=SearchProgress(asked_of(asked, folder)),
        )
    except KeyboardInterrupt:
        told = f"the search in {folder} was stopped; the same command goes on"
        raise Interrupted(told, SIGINT) from None
    if as_json:
        print_json(result.as_json())
    else:
        _print(result)


def _cluster(engine: str, settings: dict[str, Any]) -> "RayCluster | None":
    """The cluster that options describe; None for this machine alone."""
    given = {name: value for name, value in settings.items() if value is not None}
    if engine not in ENGINES:
        raise UsageError(unknown("engine", engine, ENGINES))
    if engine == "local":
        if given:
            name = next(iter(given))
            raise UsageError(f"--{name} is of a cluster; give --engine ray too, or leave it out")
        return None
    from gridgen.study.engine.ray_cluster import RayCluster

    return RayCluster(**given)


def _search(study: "Study", known: Path | None) -> "Callable[..., Result]":
    """How candidates are scored: by training them, or by a supernet."""
    if study.supernet is None:
        from gridgen.study import search as run_search

        return partial(run_search, known=known)
    from gridgen.supernet.searching import search_by_supernet

    if known is not None:
        fact = "scores by a supernet and of trainings are not the same"
        raise UsageError(f"--known: {fact}; leave it out, or search without a supernet")
    return search_by_supernet


def _asked(study: "Study", data: str | None, reproducible: bool, supernet: Path | None) -> "Study":
    changes: dict[str, Any] = {} if data is None else {"data": data}
    changes |= {} if supernet is None else {"supernet": str(supernet)}
    return study.but(**changes, **({"reproducible": True} if reproducible else {}))


def _print(result: "Result") -> None:
    if result.entries:
        # Names come last in the table, and first where they are to begin at one place.
        print_table([(row[-1], *row[:-1]) for row in result.table()])
    print_rows([*result.rows(), ("wrote", ", ".join(str(path) for path in result.files))])
    print(result.answer.headline)


def _sample(study: "Study", many: int, as_json: bool) -> None:
    """Print candidates as a search would ask for them, had all the same score."""
    from gridgen.study.driver.dry_run import sampled

    found = sampled(study, many)
    if as_json:
        print_json(found.as_json())
        return
    for candidate in found.candidates[:MOST_PRINTED]:
        print(f"{candidate.costs['parameters']:>12,}  {candidate.name}")
    more = len(found.candidates) - MOST_PRINTED
    if more > 0:
        print(f"{'':>12}  and {more:,} more")
    reasons = [("refused", f"{n:,}: {reason}") for reason, n in found.refused.most_common(5)]
    stopped = [("stopped", found.stopped)] if found.stopped else []
    unchecked = [("unchecked", found.unchecked)] if found.unchecked else []
    untimed = []
    if study.latency is not None:
        table = study.latency.table
        told = f"predicted by {table}" if table else "not measured, so nothing is refused by it"
        untimed = [("latency", told)]
    sampled_rows = [("sampled", f"{len(found.candidates):,} candidates"), *untimed]
    print_rows([*sampled_rows, *reasons, *stopped, *unchecked])
