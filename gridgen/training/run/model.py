"""A trained network with what is needed to use it: from a run folder, or from a weights file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, get_args

from gridgen.data.folder_files import is_name
from gridgen.emit import GridNetwork, save_network
from gridgen.emit.weights import StoredPrecision, read_network
from gridgen.errors import SpecError, UsageError, WeightsError, unknown
from gridgen.spec import NetworkSpec
from gridgen.training.inference import WHOLE, Inference
from gridgen.training.run.folder import Run
from gridgen.training.tasks import Task, task_for
from gridgen.training.tasks.pixels import generated_colours, generated_names

SUFFIX = ".safetensors"


@dataclass(frozen=True, eq=False)
class Model:
    """A network in evaluation mode, on the CPU, and what it was trained for.

    `named` says whether its classes are known; of a weights file without them they are `class 0`,
    `class 1` ... in colours that the colour-blind can tell apart.
    """

    path: Path
    network: GridNetwork
    spec: NetworkSpec
    task: Task
    data: str | None = None
    """Name of the data that it was trained on, where that is known."""
    named: bool = True
    note: str | None = None
    """A few words that a weights file holds."""
    inference: Inference = WHOLE
    """The inference by which training validated."""
    white: float | None = None
    """The value that became 1 in its images of more than 8 bits, where the data said one."""
    holdout: str | None = None
    """The pattern of the images of train that it was not trained on."""


def open_model(path: str | Path, best: bool = False, size: str | None = None) -> Model:
    """The network of the run folder or of the weights file at `path`.

    `best` takes a run's weights of the best validation, `size` another policy for image sizes
    than the spec's. Errors: `RunError`, `WeightsError`, `SpecError`; `UsageError` for the best of a
    weights file, which holds one set.
    """
    path = Path(path)
    if path.suffix == SUFFIX or path.is_file():
        model = _of_file(path, best)
    else:
        run = Run.open(path)
        model = model_of(run, run.network(best))
    if size is not None:  # no weight depends on it
        grid = model.network.grid
        model.network.grid = replace(grid, spec=grid.spec.but(size=size))
    return model


def model_of(run: Run, network: GridNetwork) -> Model:
    """A network of a run, with what the run knows of it."""
    facts = run.facts
    return Model(
        run.folder,
        network,
        run.spec,
        run.task,
        facts.data,
        inference=run.recipe.inference,
        white=facts.white,
        holdout=facts.holdout,
    )


def _of_file(path: Path, best: bool) -> Model:
    if best:
        raise UsageError(f"--best: {path} holds one set of weights; name the run's folder instead")
    network, metadata = read_network(path)
    spec = network.grid.spec
    named = _about(path, metadata, spec.classes)
    if named is None:
        task = task_for(generated_names(spec.classes), generated_colours(spec.classes))
    else:
        task = task_for(*named)
    data, note, held = (_words(path, metadata, field) for field in ("data", "note", "holdout"))
    inference, white = _seen(path, metadata)
    return Model(path, network, spec, task, data, named is not None, note, inference, white, held)


def export_model(
    model: Model, path: str | Path, precision: str = "fp32", note: str | None = None
) -> Path:
    """Write the network and all that `open_model` tells of it to one file, in fp32 or bf16.

    Errors: `UsageError` for another precision; `GridError`, `FileError`.
    """
    for known in get_args(StoredPrecision):
        if precision == known:
            return save_network(model.network, path, known, _told(model, note))
    raise UsageError(f"--precision: {unknown('precision', precision, get_args(StoredPrecision))}")


def _told(model: Model, note: str | None) -> dict[str, Any]:
    """Metadata of a weights file; of a data folder its name, not where it was."""
    data = Path(model.data).name if model.data else None
    told: dict[str, Any] = {"data": data, "note": note or model.note, "white": model.white}
    told["holdout"] = model.holdout
    if model.inference != WHOLE:
        told["inference"] = model.inference.complete()
    if model.named:
        told["classes"] = list(model.task.classes)
        told["colours"] = [list(colour) for colour in model.task.colours]
    return {field: value for field, value in told.items() if value is not None}


def _about(
    path: Path, metadata: Mapping[str, str], outputs: int
) -> tuple[list[str], list[list[int]]] | None:
    """Classes and colours of a file's metadata; None where it has none. Errors: `WeightsError`."""
    if "classes" not in metadata:
        return None
    classes, colours = (_json(path, metadata, field) for field in ("classes", "colours"))
    if not (isinstance(classes, list) and all(map(_is_name, classes))):
        raise WeightsError(f"{path}: classes: a list of printable names is needed; export it anew")
    if len(set(classes)) != len(classes):
        raise WeightsError(f"{path}: classes: a name is given twice; export it anew")
    if classes and len(classes) != outputs:
        fact = f"{len(classes)} classes, but the network gives {outputs}"
        raise WeightsError(f"{path}: {fact}; export it anew")
    if colours is None:
        return classes, [list(colour) for colour in generated_colours(len(classes))]
    if not (isinstance(colours, list) and all(map(_is_colour, colours))):
        raise WeightsError(f"{path}: colours: red, green, blue in 0..255 are needed; export anew")
    if len(colours) != len(classes):
        fact = f"{len(colours)} colours, but {len(classes)} classes"
        raise WeightsError(f"{path}: {fact}; export it anew")
    return classes, colours


def _json(path: Path, metadata: Mapping[str, str], field: str) -> Any:
    """A field of the metadata; None where it is missing."""
    try:
        return json.loads(metadata.get(field, "null"))
    except ValueError as error:
        raise WeightsError(f"{path}: {field}: not JSON: {error}; export it anew") from error


def _seen(path: Path, metadata: Mapping[str, str]) -> tuple[Inference, float | None]:
    """Inference and white value in a file's metadata. Errors: `WeightsError`."""
    told, white = (_json(path, metadata, field) for field in ("inference", "white"))
    # isinstance would let true pass as 1.
    if white is not None and not (type(white) in (int, float) and 0 < white < inf):
        raise WeightsError(f"{path}: white: {white!r} is not a positive number; export it anew")
    try:
        return (WHOLE if told is None else Inference.of(**told)), white
    except (SpecError, TypeError) as error:
        raise WeightsError(f"{path}: inference: {error}; export it anew") from error


def _words(path: Path, metadata: Mapping[str, str], field: str) -> str | None:
    """A field that is shown to people, with nothing in it that a terminal would obey."""
    words = _json(path, metadata, field)
    return words if words is None or _is_printable(words) else repr(words)


def _is_printable(words: Any) -> bool:
    return isinstance(words, str) and words.isprintable()


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and is_name(name)


def _is_colour(colour: Any) -> bool:
    return (
        isinstance(colour, list)
        and len(colour) == 3
        and all(type(value) is int and 0 <= value <= 255 for value in colour)
    )
