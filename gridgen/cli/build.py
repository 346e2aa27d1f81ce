"""`gridgen build`: emit the network of a grid as a weights file with its spec inside."""

from pathlib import Path

from gridgen.cli.lint import summary
from gridgen.cli.terminal import (
    As,
    Output,
    Settings,
    SpecName,
    describe,
    grid_of,
    output_name,
    report,
)
from gridgen.errors import UsageError
from gridgen.grid import Grid


def build(
    spec: SpecName, topology: As = None, settings: Settings = None, output: Output = None
) -> None:
    """Build the network, freshly initialized, and write it as safetensors, spec inside."""
    if output is not None and output.suffix != ".safetensors":
        raise UsageError(f"-o: {output} does not end in .safetensors, as the weights' file must")
    grid = grid_of(spec, topology, settings)
    from gridgen.emit import GridNetwork, save_network

    network = GridNetwork(grid)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    name = f"{output_name(spec, grid)}.safetensors"
    rows = [*describe(grid), ("parameters", f"{parameters:,}")]
    rows += _lints(grid, [spec, *(("--as", topology) if topology else ()), *_given(settings)])
    written = save_network(network, output or Path("runs") / name)
    report([*rows, ("wrote", str(written))])


def _lints(grid: Grid, command: list[str]) -> list[tuple[str, str]]:
    """A row where lints find something at the size and batch that they take by themselves."""
    from gridgen.analysis.lints import Case, lint

    findings = lint(Case(grid))
    return [("lints", summary(findings, command))] if findings else []


def _given(settings: list[str] | None) -> list[str]:
    return [word for setting in settings or () for word in ("--set", setting)]
