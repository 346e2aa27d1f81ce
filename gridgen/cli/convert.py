"""The command `gridgen convert`: weights of others for a published network."""

from pathlib import Path
from typing import Annotated

import typer

from gridgen.cli.terminal import Settings, describe, fields_of, print_rows, require_suffix
from gridgen.errors import UsageError
from gridgen.files import is_file, read_text, write_file
from gridgen.spec.document import dump


def convert(
    weights: Annotated[
        Path, typer.Argument(metavar="FILE", help="Of others: .safetensors, .pth, .pt or .bin.")
    ],
    name: Annotated[
        str,
        typer.Option("--as", metavar="NAME", help="The architecture, or a spec file of one."),
    ],
    settings: Settings = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Else NAME.safetensors in runs."),
    ] = None,
) -> None:
    """Make a network of weights that others trained, such as a ResNet of torchvision.

    What the file decides (depth, width, classes, how images are normalized) goes into the spec,
    which is written beside the weights; what it lacks is initialized. gridgen train begins from
    both: SPEC.yaml --init FILE.
    """
    require_suffix(output, ".safetensors", "a weights file")
    from gridgen.emit import save_network
    from gridgen.layouts import convert as convert_file
    from gridgen.training.run.folder import require_not_kept

    made = convert_file(weights, name, **fields_of(settings))
    grid = made.network.grid
    path = output or Path("runs") / f"{grid.spec.title}.safetensors"
    if path.resolve() == weights.resolve():
        raise UsageError(f"-o: {path} is the file that is read; name another")
    spec, text = path.with_suffix(".yaml"), dump(grid.spec)
    for each in (path, spec):
        require_not_kept(each)
    if is_file(spec) and read_text(spec) != text:
        fact = f"-o: beside it {spec} would be written, which holds something else"
        raise UsageError(f"{fact}; name another")
    written = save_network(made.network, path, about={"fresh": list(made.inheritance.fresh)})
    wrote = f"{written}, {write_file(spec, text)}"
    print_rows([*describe(grid), *made.rows(), ("wrote", wrote)])
