"""`gridgen study`: look at a study on disk, take its best network, repair it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.cli.budget import budget_of
from gridgen.cli.tables import print_table
from gridgen.cli.terminal import (
    AsJson,
    MaybeDevice,
    Output,
    given,
    print_json,
    print_rows,
    print_wrapped_rows,
    progress,
)
from gridgen.errors import UsageError, unknown

if TYPE_CHECKING:
    from gridgen.study.trials import TrialRecord

ACTIONS = ("status", "best", "ensemble", "export", "repair", "retry")


def study(
    folder: Annotated[Path, typer.Argument(metavar="PATH", help="Folder of a search.")],
    action: Annotated[
        str, typer.Argument(metavar="ACTION", help=f"{', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}.")
    ] = "status",
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="best: write its trained network: .safetensors."),
    ] = None,
    under: Annotated[
        list[str] | None,
        typer.Option(
            "--under",
            metavar="LIMIT=AMOUNT",
            help="best: of those within a limit, such as parameters=300k, macs=2G, latency=20ms.",
        ),
    ] = None,
    among: Annotated[
        int | None, typer.Option(metavar="N", help="ensemble: of the N best networks; else 10.")
    ] = None,
    most: Annotated[
        int | None, typer.Option(metavar="N", help="ensemble: N networks at most; else 5.")
    ] = None,
    output: Output = None,
    device: MaybeDevice = None,
    as_json: AsJson = False,
) -> None:
    """How a search stands; its best network, or several; its tables; mend it; run failures again.

    best writes the spec to -o; ensemble chooses networks that are best together by what the study
    held out, or else by val; export writes trials.csv and trainings.csv into the folder -o.
    """
    if action not in ACTIONS:
        raise UsageError(unknown("action", action, ACTIONS))
    if weights is not None and action != "best":
        raise UsageError(f"{action}: --weights is an option of best; leave it out")
    if under and action != "best":
        raise UsageError(f"{action}: --under is an option of best; leave it out")
    chosen = given(among=among, most=most, device=device)
    if chosen and action != "ensemble":
        raise UsageError(f"{action}: --{min(chosen)} is an option of ensemble; leave it out")
    if output is not None and action not in ("best", "export"):
        raise UsageError(f"{action}: -o is an option of best and export; leave it out")
    match action:
        case "status":
            _status(folder, as_json)
        case "best":
            _best(folder, weights, output, under, as_json)
        case "ensemble":
            _ensemble(folder, chosen, as_json)
        case "export":
            _export(folder, output, as_json)
        case "repair":
            _repair(folder, as_json)
        case "retry":
            _retry(folder, as_json)


def _status(folder: Path, as_json: bool) -> None:
    from gridgen.study.looking import study_status

    found = study_status(folder)
    if as_json:
        print_json(found.as_json())
    else:
        print_wrapped_rows(found.rows())


def _best(
    folder: Path,
    weights: Path | None,
    output: Path | None,
    under: list[str] | None,
    as_json: bool,
) -> None:
    from gridgen.study.language.objectives import LATENCY, latency_text
    from gridgen.study.looking import confirmed_scores, described_trial, study_best

    limits, latency = timed_limit(under or [])
    best = study_best(folder, weights, output, budget_of(limits, {}, "--under"), latency)
    if as_json:
        print_json(best.as_json())
        return
    costs = [
        (name.replace("_", " "), latency_text(cost) if name == LATENCY else f"{cost:,}")
        for name, cost in best.candidate.costs.items()
    ]
    written = ", ".join(str(path) for path in (weights, output) if path is not None)
    wrote = [("wrote", written)] if written else []
    again = ", ".join(f"{each:.4f}" for each in confirmed_scores(folder, best))
    fresh = [("fresh seeds", again)] if again else []
    print_rows([("best", described_trial(best)), *fresh, *costs, *wrote])


def timed_limit(under: list[str]) -> tuple[list[str], float | None]:
    """The limits that arithmetic knows, and that of the latency in milliseconds.

    Errors: `UsageError` for what is neither.

    >>> timed_limit(["macs=2G", "latency=20ms"])
    (['macs=2G'], 20.0)
    >>> timed_limit(["training_memory=8GB", "batch=4"])  # how a limit is counted may be said too
    (['training_memory=8GB', 'batch=4'], None)
    """
    from gridgen.space import Budget
    from gridgen.space.quantities import QUANTITIES
    from gridgen.study.language.objectives import LATENCY

    others = [each for each in under if not each.startswith("latency=")]
    for name in (each.partition("=")[0] for each in others):
        if name not in Budget.model_fields:
            limits = (*(each.field for each in QUANTITIES.values()), LATENCY)
            raise UsageError(f"--under: {unknown('limit', name, limits)}")
    asked = [each.removeprefix("latency=") for each in under if each not in others]
    if len(asked) > 1:
        raise UsageError("--under: latency is given twice; give it once")
    if not asked:
        return others, None
    number = asked[0].removesuffix("ms").strip()
    try:
        limit = float(number)
    except ValueError:
        limit = 0.0
    if not 0 < limit < float("inf"):
        raise UsageError(f"--under: latency: {asked[0]!r} is no time; write milliseconds, 20ms")
    return others, limit


def _ensemble(folder: Path, options: dict[str, Any], as_json: bool) -> None:
    from gridgen.study.ensembles import study_ensemble

    with progress("answers") as on_progress:
        found = study_ensemble(folder, **options, on_progress=on_progress)
    if as_json:
        print_json(found.as_json())
        return
    print_table(found.table())
    print()
    print_rows(found.rows())


def _export(folder: Path, output: Path | None, as_json: bool) -> None:
    from gridgen.study.looking import export_study
    from gridgen.study.store.standing import study_trials

    written = export_study(folder, output)
    if as_json:
        print_json([each.as_json() for each in study_trials(folder)])
        return
    print_rows([("wrote", ", ".join(map(str, written)))])


def _repair(folder: Path, as_json: bool) -> None:
    from gridgen.study.store import repair_study

    told = repair_study(folder)
    if as_json:
        print_json(told.as_json())
        return
    notes = [("", note) for note in told.notes]
    kept = [] if told.damaged is None else [("kept", f"{told.damaged}, which was damaged")]
    print_wrapped_rows([("whole", f"{told.whole:,} trials"), *notes, *kept])


def _retry(folder: Path, as_json: bool) -> None:
    from gridgen.study.store import retry_study

    failed = retry_study(folder)
    if as_json:
        print_json([each.as_json() for each in failed])
        return
    print_wrapped_rows([*map(_failure, failed), ("to run again", f"{len(failed):,} trials")])


def _failure(record: "TrialRecord") -> tuple[str, str]:
    return f"trial {record.number}", record.reason.splitlines()[0] if record.reason else ""
