"""Network specs, whichever kind they are: from a name, a file, or what an artifact stores."""

from pathlib import Path
from typing import Any

from gridgen.architectures.names import ARCHITECTURES
from gridgen.errors import SpecError, unknown
from gridgen.spec import GridSpec, NetworkSpec, Source


def load_spec(name: str | Path) -> NetworkSpec:
    """The spec in the YAML file `name`, or of the architecture of that name.

    Errors: `SpecError` that shows file, line and field, or names the nearest architecture.

    >>> load_spec("unet-2015").classes, load_spec("specs/gridnet.yaml").classes
    (2, 19)
    """
    named = str(name)
    if named in ARCHITECTURES and not Path(name).exists():
        return spec_of({"architecture": named})
    if not Path(name).exists() and not Path(name).suffix:
        raise SpecError(f"{unknown('architecture', named, ARCHITECTURES)}; nor is it a file")
    source = Source.read(name)
    try:
        return _kind(source.data).from_source(source)
    except SpecError as error:
        raise source.blame(error) if error.field == ("architecture",) else error from error


def spec_of(fields: dict[str, Any]) -> NetworkSpec:
    """The spec with these fields, as `complete` and `plain` give them. Errors: `SpecError`."""
    return _kind(fields).of(**fields)


def _kind(fields: dict[str, Any]) -> type[NetworkSpec]:
    """A published network where the field `architecture` says so, else the paper's family."""
    if "architecture" not in fields:
        return GridSpec
    name = fields["architecture"]
    if not isinstance(name, str) or name not in ARCHITECTURES:
        fact = unknown("architecture", str(name), ARCHITECTURES)
        raise SpecError(fact, ("architecture",))
    return ARCHITECTURES[name]
