"""The forms in which a network is taken away: a function and a line of `EXPORTERS` for each."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gridgen.arguments import PathLike, checked, checked_fields
from gridgen.emit import GridNetwork
from gridgen.emit.weights import StoredPrecision, load_tensors
from gridgen.errors import GridgenError, UsageError, WeightsError, unknown
from gridgen.export.exported_program import exported_program_of
from gridgen.export.int8 import loss_of, quantized, require_calibrating
from gridgen.export.onnx import onnx_of
from gridgen.export.rewriting import rewritten
from gridgen.export.source import source_of
from gridgen.export.unseen import CLOSE, Compared
from gridgen.files import ends_in, is_file, write_file
from gridgen.grid import GridLike, as_grid
from gridgen.progress import OnProgress, no_progress
from gridgen.shown import Shown, ShownRows
from gridgen.training.run.exporting import export_model, stored_precision
from gridgen.training.run.folder import require_not_kept
from gridgen.training.run.model import Model, model_in_memory

Exported = GridLike | Model
"""A network by its grid or spec, without weights, or one that has some."""


@dataclass(frozen=True)
class ExportSetting:
    """How a network is written: precision of weights, a note in the file, compared or not."""

    precision: str = "fp32"
    note: str | None = None
    verify: bool = True
    runtime: str | None = None
    data: str | None = None
    on_progress: OnProgress = no_progress

    @property
    def stored(self) -> StoredPrecision:
        """The precision of a weights file. Errors: `UsageError` for int8."""
        return stored_precision(self.precision)

    @property
    def plain(self) -> bool:
        """Whether nothing was asked for that needs trained weights."""
        return self == ExportSetting(on_progress=self.on_progress)


@checked_fields
@dataclass(frozen=True, repr=False)
class Written(Shown):
    """The files that were written, the one that was asked for first, and what was checked."""

    files: tuple[Path, ...]
    checked: ShownRows = field(default_factory=list)

    def rows(self) -> ShownRows:
        """Label and value of each line."""
        return [*self.checked, ("wrote", ", ".join(map(str, self.files)))]


@dataclass(frozen=True)
class Exporter:
    """A form of file: the end of its name, a line about it, and what writes it."""

    suffix: str
    description: str
    write: Callable[[Exported, Path, ExportSetting], Written]
    untrained: bool = False
    """Whether `gridgen build` writes it too, of a network that nobody trained."""


def _trained(network: Exported) -> Model:
    """A network that has weights. Errors: `WeightsError`."""
    if not isinstance(network, Model):
        fact = "a spec has no trained weights; export a run"
        raise WeightsError(f"{fact}, or write initialized ones with gridgen build")
    return network


def _safetensors(network: Exported, path: Path, how: ExportSetting) -> Written:
    return Written((export_model(_trained(network), path, how.stored, how.note),))


def _source(network: Exported, path: Path, how: ExportSetting) -> Written:
    _require_importable(path)
    if not isinstance(network, Model):
        return Written((write_file(path, source_of(network)),))
    weights = path.with_suffix(".safetensors")
    source = source_of(network.network.grid, weights.name)
    # The file that is read may be the one that stands beside the source.
    read = weights.resolve() == network.path.resolve()
    if read and (how.precision, how.note) == ("fp32", None):
        return Written((write_file(path, source),))
    require_not_kept(weights)
    _require_ours(weights, network, how, again=is_file(path) and not read)
    beside = export_model(network, weights, how.stored, how.note)
    return Written((write_file(path, source), beside))


def _require_importable(path: Path) -> None:
    """Refuse a file that would hide a module of Python from it. Errors: `UsageError`."""
    if path.stem in {*sys.stdlib_module_names, *NEEDED}:
        fact = f"-o: {path.name} would stand in the place of Python's module {path.stem}"
        raise UsageError(f"{fact}; name it otherwise")


def _require_ours(weights: Path, network: Model, how: ExportSetting, again: bool) -> None:
    """Refuse to write over weights that nobody named: another network's, or, unless their source
    stands there, so that both are written `again`, others than those that are written.

    Errors: `UsageError`.
    """
    if is_file(weights):
        try:
            known, about = load_tensors(weights)
        except WeightsError:
            known, about = {}, {}
        same = json.loads(about.get("spec", "null")) == network.spec.complete()
        if not same or not (again or _are_those_of(known, about, network, how)):
            fact = f"-o: beside it {weights} would be written, which holds something else"
            raise UsageError(f"{fact}; name another")


def _are_those_of(
    tensors: Mapping[str, Tensor], about: Mapping[str, str], model: Model, how: ExportSetting
) -> bool:
    """Whether a file has the weights of a model, in the precision and with the note of `how`."""
    own = model.alone.state_dict()
    rounded = any(each.dtype == torch.bfloat16 for each in tensors.values())
    noted = json.loads(about.get("note", "null")) == (how.note or model.note)
    return (noted and rounded == (how.stored == "bf16")) and all(
        torch.equal(each, own[name].cpu().to(each.dtype)) for name, each in tensors.items()
    )


def _onnx(network: Exported, path: Path, how: ExportSetting) -> Written:
    model = _trained(network)
    if how.runtime not in (None, *RUNTIMES):
        raise UsageError(f"--for: {unknown('runtime', str(how.runtime), RUNTIMES)}")
    data = _calibrated_on(model, how)
    model.alone.to("cpu")  # what is exported, calibrated and compared with lies there
    made = rewritten(model.alone) if how.runtime else model.alone
    raw, compared = onnx_of(made, _about(model, how), how.verify, of=model.alone)
    rows = _told(compared, "fp32" if data else "")
    if data:
        raw = quantized(raw, model, data, how.on_progress)
        rows += [("int8", str(loss_of(raw, model, data, how.on_progress)))] if how.verify else []
    return Written((write_file(path, raw),), rows)


def _calibrated_on(model: Model, how: ExportSetting) -> str | None:
    """The data by which int8 is calibrated; None for fp32. Errors: `UsageError`."""
    if how.precision not in ("fp32", "int8"):
        raise UsageError(f"--precision: ONNX is fp32 or int8, not {how.precision}")
    if how.precision == "fp32":
        if how.data is not None:
            raise UsageError("--data calibrates int8; add --precision int8, or leave it out")
        return None
    data = how.data or model.data
    if data is None:
        raise UsageError(f"--precision int8: {model.path} does not say its data; add --data")
    try:
        require_calibrating(model, data)
    except GridgenError as error:
        raise UsageError(f"--data: {error}") from error
    return data


def _program(network: Exported, path: Path, how: ExportSetting) -> Written:
    model = _trained(network)
    if how.precision != "fp32":
        raise UsageError(f"--precision: a program of torch.export is fp32, not {how.precision}")
    model.alone.to("cpu")
    raw, compared = exported_program_of(model.alone, _about(model, how), how.verify)
    return Written((write_file(path, raw),), _told(compared))


def _about(model: Model, how: ExportSetting) -> dict[str, Any]:
    """What a file says of itself beside its spec."""
    about = {"task": model.task.name, "classes": list(model.task.classes)} if model.named else {}
    note = how.note or model.note
    return about | ({"note": note} if note else {})


def _told(compared: Sequence[Compared], what: str = "") -> ShownRows:
    if not compared:
        return []
    values = "half of all values " if compared[0].by_median else ""
    said = f"{what} with torch, {values}up to {CLOSE:.0e} of the largest value apart".strip()
    return [("compared", said), *(("", str(each)) for each in compared)]


NEEDED = ("torch", "numpy", "safetensors")
"""Modules that a program with the source of a network imports."""
RUNTIMES = {"openvino": "normalization folded, deconvolutions of stride 2 as convolutions"}
"""What `--for` knows, and how the network is rewritten for it."""
EXPORTERS = {
    "safetensors": Exporter(
        ".safetensors",
        "weights, and inside them spec, classes and colours",
        _safetensors,
        untrained=True,
    ),
    "source": Exporter(
        ".py",
        "one Python file that imports torch alone, with the weights beside it",
        _source,
        untrained=True,
    ),
    "onnx": Exporter(".onnx", "ONNX, any batch and size, compared with torch; fp32 or int8", _onnx),
    "program": Exporter(
        ".pt2", "a program of torch.export, any batch and size, compared with torch", _program
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
    verify: bool = True,
    runtime: str | None = None,
    data: str | None = None,
    on_progress: OnProgress = no_progress,
) -> Written:
    """Write a network in a form that is named, or that the end of the file's name says; of a
    `GridNetwork` the weights that it has, of a spec or a grid none.

    With `verify`, what another program runs is compared with torch before it is written. Of ONNX,
    `runtime` openvino rewrites it for that one, `precision` int8 quantizes it by images of `data`
    (else of what it was trained on), which `on_progress` tells of. Errors:
    `UsageError` for another form, or a file whose name ends otherwise; `WeightsError` where
    weights are needed and `network` is a spec; `ExportError`; `FileError`.
    """
    path = Path(path)
    name = exporter_of(path, to)
    how = ExportSetting(precision, note, verify, runtime, data, on_progress)
    if name != "onnx" and (runtime, data) != (None, None):
        raise UsageError(f"--for and --data are for ONNX; {name} has neither")
    given: Exported = network
    if isinstance(network, GridNetwork):
        given = model_in_memory(network)
    elif not isinstance(network, Model):
        given = as_grid(network)
    if not isinstance(given, Model) and not how.plain:
        given_for = "--precision, --note, --no-verify, --for and --data are for trained weights"
        raise UsageError(f"{given_for}; a spec has none")
    return EXPORTERS[name].write(given, path, how)


def exporter_of(path: Path | None, to: str | None, untrained: bool = False) -> str:
    """The form of a file, which `to` or the end of its name says. Errors: `UsageError`, which names
    the forms of `untrained` networks alone where it is of one.
    """
    if to is not None and to not in EXPORTERS:
        raise UsageError(f"--to: {unknown('form', to, EXPORTERS)}")
    if path is None:
        return to or DEFAULT
    for name, exporter in EXPORTERS.items():
        if ends_in(path, exporter.suffix) and to in (None, name):
            return name
    if to is not None:
        raise UsageError(f"-o: {path} does not end in {EXPORTERS[to].suffix}, as {to} must")
    forms = {name: each for name, each in EXPORTERS.items() if each.untrained or not untrained}
    ends = ", ".join(f"{each.suffix} ({name})" for name, each in forms.items())
    raise UsageError(f"-o: {path} does not say in which form; end it in {ends}")
