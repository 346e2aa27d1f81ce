"""Writing a trained network, with what is needed to use it, to one weights file."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from gridgen.arguments import PathLike, checked
from gridgen.emit import save_network
from gridgen.emit.weights import StoredPrecision
from gridgen.errors import UsageError, unknown
from gridgen.training.inference import WHOLE
from gridgen.training.run.folder import require_not_kept
from gridgen.training.run.model import Model, open_model


@checked
def export_model(
    model: Model | PathLike, path: PathLike, precision: str = "fp32", note: str | None = None
) -> Path:
    """Write the network and all that `open_model` tells of it to one file, in fp32 or bf16.

    `model` may be a run or a weights file too.

    Errors: `UsageError` for another precision, and where a run keeps its own weights; `GridError`,
    `FileError`.
    """
    require_not_kept(path)
    return write_model(
        model if isinstance(model, Model) else open_model(model), path, precision, note
    )


def write_model(
    model: Model, path: PathLike, precision: str = "fp32", note: str | None = None
) -> Path:
    """The same, for the run that keeps the file. Errors: as `export_model`."""
    return save_network(model.alone, path, stored_precision(precision), _told(model, note))


def stored_precision(name: str) -> StoredPrecision:
    """The precision of a weights file by its name. Errors: `UsageError`."""
    for known in get_args(StoredPrecision):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise UsageError(f"--precision: {unknown('precision', name, get_args(StoredPrecision))}")


def _told(model: Model, note: str | None) -> dict[str, Any]:
    """Metadata of a weights file; of a data folder its name, not where it was."""
    data = Path(model.data).name if model.data else None
    told: dict[str, Any] = {"data": data, "note": note or model.note}
    told |= asdict(model.scale)
    told |= {"holdout": model.holdout, "fold": model.fold, "group": model.group}
    told |= {"fold_names": model.fold_names}
    told |= {"untrained": model.untrained or None, "fresh": model.fresh or None}
    if model.inference != WHOLE:
        told["inference"] = model.inference.complete()
    if model.named:
        told["task"] = model.task.name
        told["classes"] = list(model.task.classes)
        told["colours"] = [list(colour) for colour in model.task.colours]
    return {field: value for field, value in told.items() if value is not None}
