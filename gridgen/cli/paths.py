"""`gridgen paths`: the paths from input to output."""

from gridgen.cli.terminal import As, Settings, SpecName


def paths(spec: SpecName, topology: As = None, settings: Settings = None) -> None:
    """Count the paths from input to output by length, and what passes where."""
    raise NotImplementedError
