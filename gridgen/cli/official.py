"""The option `--official` of `gridgen evaluate`: Cityscapes' own scores, beside the paper's."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridgen.cli.table import print_table
from gridgen.cli.terminal import progress, report

if TYPE_CHECKING:
    from gridgen.training.scoring.official import Benchmark, Verdict

Official = Annotated[
    bool,
    typer.Option("--official", help="Cityscapes: its four official scores too; keeps label ids."),
]


def benchmark_of(data: str, split: str, model: str, output: Path | None) -> "Benchmark":
    """What is to see the answers; label ids go to cityscapes-SPLIT in `output`, or in the run."""
    from gridgen.training.scoring.official import Benchmark

    path = Path(model)
    folder = output or (path if path.is_dir() else path.with_suffix(""))
    return Benchmark(data, split, folder / f"cityscapes-{split}")


def verdict_of(benchmark: "Benchmark") -> "Verdict":
    """What the official script says of what was seen."""
    with progress("official scores") as on_progress:
        return benchmark.verdict(on_progress)


def show(verdict: "Verdict", model: str) -> None:
    """The table, and below it where it comes from."""
    print()
    print_table(verdict.table(model))
    print()
    report(verdict.rows())
