"""`gridgen build`: emit the network of a grid as a weights file with its spec inside."""

from pathlib import Path

from gridgen.cli.terminal import As, Output, SpecPath, describe, grid_of, report


def build(spec: SpecPath, topology: As = None, output: Output = None) -> None:
    """Build the network, freshly initialized, and write it as safetensors, spec inside."""
    grid = grid_of(spec, topology)
    from gridgen.emit import GridNetwork, save_network

    network = GridNetwork(grid)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    name = f"{spec.stem}-{grid.spec.title}.safetensors"
    written = save_network(network, output or Path("runs") / name)
    report([*describe(grid), ("parameters", f"{parameters:,}"), ("wrote", str(written))])
