"""Memory on the terminal: the options that say what for, and the table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.cli.table import bar, print_table
from gridgen.errors import SpecError
from gridgen.text import bytes_text

if TYPE_CHECKING:
    from gridgen.memory import Memory, Setting

BAR = 30
LABELS = {
    "parameters": "parameters",
    "gradients": "gradients",
    "optimizer": "optimizer's state",
    "saved": "saved for backward",
    "peak_training": "peak of training",
    "peak_inference": "peak of inference",
}

Batch = Annotated[
    int | None, typer.Option(help="Images at once; asks for memory, as the next three do.")
]
Precision = Annotated[str | None, typer.Option(help="fp32, or bf16 or fp16 under autocast.")]
Optimizer = Annotated[str | None, typer.Option(help="sgd, adam or adamw.")]
Recompute = Annotated[
    str | None, typer.Option(help="What the backward pass computes again: none, unit or column.")
]


def given(**options: Any) -> dict[str, Any]:
    """Those options that are given."""
    return {name: value for name, value in options.items() if value is not None}


def setting_of(options: Mapping[str, Any]) -> "Setting":
    """The setting that options ask for. Errors: `SpecError` that begins with the option."""
    from gridgen.memory import Setting

    try:
        return Setting.of(**options)
    except SpecError as error:
        raise SpecError(f"--{error}") from error


def print_memory(memory: "Memory", setting: "Setting") -> None:
    """What is needed, as bytes and as bars beside the peak of training."""
    again = "" if setting.recompute == "none" else f", each {setting.recompute} computed again"
    print(
        f"\nmemory for a batch of {setting.batch}, {setting.precision}, {setting.optimizer}{again}"
    )
    amounts = memory.as_json()
    most = memory.peak_training
    print_table(
        [
            (label, bytes_text(amounts[name]), bar(amounts[name] / most, BAR))
            for name, label in LABELS.items()
        ]
    )
