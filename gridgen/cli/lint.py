"""`gridgen lint`: what a network will do that its author may not want, and how to mend it."""

from gridgen.cli.terminal import As, Settings, SpecName


def lint(spec: SpecName, topology: As = None, settings: Settings = None) -> None:
    """Say what in a network is likely a mistake, and what to change."""
    raise NotImplementedError
