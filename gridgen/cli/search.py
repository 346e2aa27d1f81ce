"""`gridgen search`: search grids under a budget."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.budget import Limits, budgeted
from gridgen.cli.terminal import Device, Output, print_rows

SHOWN = 10


def search(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="YAML file of the study.")],
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Candidates to train, those of before included."),
    ] = None,
    budget: Limits = None,
    output: Output = None,
    device: Device = "auto",
) -> None:
    """Search with Optuna; calling it again goes on. Writes the best spec, a table, a picture."""
    from gridgen.space.choices import described
    from gridgen.study import search as run_search
    from gridgen.study.engine import ChildTraining
    from gridgen.study.report import SearchProgress

    loaded = budgeted(study, budget)
    folder = output or Path("runs") / f"search-{study.stem}"
    result = run_search(
        loaded,
        folder=folder,
        trials=trials,
        evaluate=ChildTraining(loaded, device),
        watch=SearchProgress(loaded.objective, loaded.space),
    )
    print(f"{'trial':>5}  {loaded.objective:>7}  {'parameters':>11}  spec")
    for entry in result.entries[:SHOWN]:
        words = described(entry.spec, loaded.space)
        print(f"{entry.number:>5}  {entry.score:>7.4f}  {entry.parameters:>11,}  {words}")
    left_out = f"{result.refused} refused without building, {result.pruned} pruned, "
    names = ("best.yaml", "trials.csv", "scores.png") if result.entries else ("trials.csv",)
    print_rows(
        [
            ("trained", f"{len(result.entries)}; {left_out}{result.failed} failed"),
            ("wrote", ", ".join(str(folder / name) for name in names)),
        ]
    )
