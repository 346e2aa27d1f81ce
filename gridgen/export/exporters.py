"""The forms in which a network is taken away: a function and a line of `EXPORTERS` for each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gridgen.arguments import PathLike, checked
from gridgen.errors import UsageError, WeightsError, unknown
from gridgen.export.source import source_of
from gridgen.files import write_file
from gridgen.grid import GridLike, as_grid
from gridgen.training.run.model import Model, export_model

Exported = GridLike | Model
"""A network by its grid or spec, without weights, or a trained one."""


@dataclass(frozen=True)
class Exporter:
    """A form of file: how names of its files end, what it is, and what writes them.

    `write` is given the network, the file, the precision of weights and a note, and tells which
    files it wrote.
    """

    suffix: str
    description: str
    write: Callable[[Exported, Path, str, str | None], tuple[Path, ...]]


def _safetensors(network: Exported, path: Path, precision: str, note: str | None) -> tuple[Path]:
    if not isinstance(network, Model):
        fact = "a spec has no trained weights; export a run"
        raise WeightsError(f"{fact}, or write initialized ones with gridgen build")
    return (export_model(network, path, precision, note),)


def _source(network: Exported, path: Path, precision: str, note: str | None) -> tuple[Path, ...]:
    if not isinstance(network, Model):
        return (write_file(path, source_of(network)),)
    weights = path.with_suffix(".safetensors")
    files = [write_file(path, source_of(network.network.grid, weights.name))]
    # The file that is read may be the one that stands beside the source.
    if weights.resolve() != network.path.resolve():
        files.append(export_model(network, weights, precision, note))
    return tuple(files)


EXPORTERS = {
    "safetensors": Exporter(
        ".safetensors",
        "weights, and inside them spec, classes and colours",
        _safetensors,
    ),
    "source": Exporter(
        ".py", "one Python file that imports torch alone, with the weights beside it", _source
    ),
}
DEFAULT = "safetensors"


@checked
def export_network(
    network: Exported,
    path: PathLike,
    to: str | None = None,
    *,
    precision: str = "fp32",
    note: str | None = None,
) -> tuple[Path, ...]:
    """Write a network in a form that is named, or that the end of the file's name says.

    Gives the files that were written. Errors: `UsageError` for another form, or a file whose name
    ends otherwise; `WeightsError` where weights are needed and `network` is a spec; `FileError`.
    """
    path = Path(path)
    name = exporter_of(path, to)
    given = network if isinstance(network, Model) else as_grid(network)
    return EXPORTERS[name].write(given, path, precision, note)


def exporter_of(path: Path | None, to: str | None) -> str:
    """The form of a file, which `to` or the end of its name says. Errors: `UsageError`."""
    if to is not None and to not in EXPORTERS:
        raise UsageError(f"--to: {unknown('form', to, EXPORTERS)}")
    if path is None:
        return to or DEFAULT
    for name, exporter in EXPORTERS.items():
        if path.suffix == exporter.suffix and to in (None, name):
            return name
    if to is not None:
        raise UsageError(f"-o: {path} does not end in {EXPORTERS[to].suffix}, as {to} must")
    ends = " or ".join(f"{each.suffix} ({name})" for name, each in EXPORTERS.items())
    raise UsageError(f"-o: {path} does not say in which form; end it in {ends}")
