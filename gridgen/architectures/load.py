"""Network specs, whichever kind they are: from a name, a file, or what an artifact stores."""

from pathlib import Path
from typing import Annotated, Any

from gridgen.arguments import PathLike, checked
from gridgen.errors import GridError, SpecError, unknown
from gridgen.files import is_file, is_folder
from gridgen.grid import TOPOLOGIES, Architecture, Grid, build_grid
from gridgen.spec import DraftSpec, GridSpec, NetworkSpec, Source
from gridgen.spec.network import changed
from gridgen.spec.source import YAML_SUFFIXES

KIND = ("architecture",)


@checked
def load_spec(name: Annotated[PathLike, "a name or a path"], **settings: Any) -> NetworkSpec:
    """The spec in the YAML file `name`, or of the architecture of that name; fields replaced.

    Errors: `SpecError` that shows file, line and field, or names the nearest architecture.

    >>> load_spec("unet-2015", in_channels=3).shape
    '3 channels, 2 classes, streams 5, base channels 64'
    >>> load_spec("specs/gridnet.yaml").title
    'gridnet'
    """
    return changed(_load(name), settings)


def spec_of(fields: dict[str, Any]) -> NetworkSpec:
    """The spec with these fields, as `complete` and `plain` give them. Errors: `SpecError`."""
    return _kind(fields)(**fields)


def require_rebuildable(grid: Grid) -> None:
    """What an artifact stores, the spec, gives this grid again. Errors: `GridError`.

    A grid that `Draft` filled is not what its spec builds.
    """
    fix = "so it could not be loaded again; train its GridNetwork yourself, or add an architecture"
    try:
        if isinstance(grid.spec, DraftSpec):
            raise SpecError("a draft is not what a file says")
        again = build_grid(spec_of(grid.spec.complete()))
    except SpecError as error:
        raise GridError(f"{grid.spec.title}: {error}, {fix}") from error
    if _content(again) != _content(grid):
        fact = f"the spec of {grid.spec.title} builds another grid than this one"
        raise GridError(f"{fact}, {fix}")


def _content(grid: Grid) -> tuple[object, ...]:
    maps = [(feature_map, grid.info(feature_map)) for feature_map in grid.maps]
    ends = grid.input, grid.output, grid.stem, grid.head, grid.sides
    return grid.connections, maps, ends


def _load(name: PathLike) -> NetworkSpec:
    if not str(name):
        raise SpecError("a spec has a name: a YAML file's, or an architecture's")
    if not is_file(name) and not Path(name).suffix and not _is_other_folder(name):
        _require_no_topology(str(name))
        published = _published(str(name), "spec file or architecture")
        return published(architecture=str(name))
    source = Source.read(name)
    try:
        return _kind(source.data).from_source(source)
    except SpecError as error:
        raise source.blame(error) if error.field == KIND else error from error


def _is_other_folder(name: PathLike) -> bool:
    """Whether a folder is there, and no architecture is called so."""
    from gridgen.architectures.names import ARCHITECTURES

    return is_folder(name) and str(name) not in ARCHITECTURES


def _require_no_topology(name: str) -> None:
    """A topology is no spec, but what one is pruned to."""
    from gridgen.architectures.names import ARCHITECTURES

    if name not in TOPOLOGIES:
        return
    near = [known for known in ARCHITECTURES if name in known]
    also = f"; as an architecture there is {' or '.join(near)}" if near else ""
    raise SpecError(f"{name!r} is a topology; write SPEC --as {name}, or SPEC@{name}{also}")


def _kind(fields: dict[str, Any]) -> type[NetworkSpec]:
    """A published network where the field `architecture` says so, else the paper's family."""
    if "architecture" not in fields:
        return GridSpec
    return _published(str(fields["architecture"]), "architecture")


def _published(name: str, what: str) -> type[Architecture]:
    """The architecture of that name. The list is only imported where one is asked for."""
    from gridgen.architectures.names import ARCHITECTURES

    if name not in ARCHITECTURES:
        if beside := [f"{name}{end}" for end in YAML_SUFFIXES if is_file(f"{name}{end}")]:
            raise SpecError(f"no {what} is called {name!r}; did you mean {beside[0]!r}?", KIND)
        raise SpecError(unknown(what, name, ARCHITECTURES), KIND)
    return ARCHITECTURES[name]
