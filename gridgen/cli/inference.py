"""The options by which a command is told how a trained network is put to images."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridgen.errors import SpecError

if TYPE_CHECKING:
    from gridgen.training.inference import Inference
    from gridgen.training.run.model import Model

ModelPath = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="Folder that gridgen train made, or a weights file."),
]
How = Annotated[
    str | None,
    typer.Option(
        "--inference",
        metavar="NAME|FILE",
        help="whole, windows, multiscale, paper, or a YAML file; else as training validated.",
    ),
]
Window = Annotated[
    int | None,
    typer.Option(metavar="N", help="See images through windows of N pixels a side; saves memory."),
]
Precision = Annotated[str | None, typer.Option(help="fp32 or bf16, over what the inference says.")]


def inference_of(
    model: "Model", name: str | None, window: int | None, precision: str | None
) -> "Inference":
    """What the options say, over what the model says; a window alone is one with weights."""
    from gridgen.training.inference import load_inference

    if name is None and window is not None and model.inference.window is None:
        name = "windows"
    loaded = model.inference if name is None else load_inference(name)
    changes: dict[str, Any] = {"window": window, "precision": precision}
    given = {field: value for field, value in changes.items() if value is not None}
    try:
        return loaded.but(**given) if given else loaded
    except SpecError as error:
        raise type(error)(f"--{error}") from error
