"""`gridgen build`: emit the network of a grid as a weights file with its spec inside."""

from pathlib import Path

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
    written = save_network(network, output or Path("runs") / name)
    report([*describe(grid), ("parameters", f"{parameters:,}"), ("wrote", str(written))])
