"""A trained network with what is needed to use it: from a run folder, or from a weights file."""

import json
import warnings
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BeforeValidator, Field

from gridgen.arguments import PathLike, checked, checked_fields
from gridgen.data.folder.classes import generated_colours, generated_names
from gridgen.data.subsets import FoldField
from gridgen.emit import GridNetwork
from gridgen.emit.averaging import AveragedNetworks
from gridgen.emit.inheriting import parts_of_tensors
from gridgen.emit.weights import SUFFIX, read_network
from gridgen.errors import SpecError, UsageError, WeightsError
from gridgen.files import ends_in, is_file
from gridgen.images.arrays import ImageLike, decoded
from gridgen.images.scale import FILE_SCALE, PixelScale, ScaleFields
from gridgen.shown import Shown, ShownRows
from gridgen.spec import NetworkSpec
from gridgen.text import brief
from gridgen.training.bands import infer
from gridgen.training.inference import WHOLE, Inference, InferenceLike, as_inference
from gridgen.training.run.facts import ClassNames, ColoursField, TaskName
from gridgen.training.run.folder import Run
from gridgen.training.tasks import Task, task_named
from gridgen.training.tasks.requirements import require_image, require_inference


def _shown(words: Any) -> Any:
    """Words with nothing in them that a terminal would obey."""
    plain = words is None or (isinstance(words, str) and words.isprintable())
    return words if plain else repr(words)


IN_MEMORY = Path("<network>")
"""Stands for the file of a network that has none."""
Words = Annotated[str | None, BeforeValidator(_shown)]


class Metadata(ScaleFields):
    """What a weights file says of its network beside the spec; each field is JSON."""

    kind: ClassVar[str] = "weights"

    data: Words = None
    task: TaskName | None = None
    note: Words = None
    holdout: Words = None
    fold: FoldField | None = None
    group: Words = None
    fold_names: str | None = None
    untrained: bool = False
    fresh: tuple[str, ...] = Field(default=(), strict=False)
    inference: Inference = WHOLE
    classes: ClassNames | None = None
    colours: ColoursField | None = None

    @classmethod
    def read(cls, path: Path, metadata: Mapping[str, str]) -> Self:
        """The fields of the file at `path`. Errors: `WeightsError`, one line."""
        found = {}
        for field in cls.model_fields.keys() & metadata.keys():
            try:
                found[field] = json.loads(metadata[field])
            except ValueError as error:
                fact = f"{field}: not JSON: {error}; export it anew"
                raise WeightsError(f"{path}: {fact}") from error
        try:
            return cls(**found)
        except SpecError as error:
            said = str(error).splitlines()[0]
            raise WeightsError(f"{path}: {said}; export it anew") from error


@checked_fields
@dataclass(frozen=True, eq=False, repr=False)
class Model(Shown):
    """A network in evaluation mode, on the CPU, and what it was trained for.

    Called with an image it gives the answer as an array: class ids (H, W), or a restored image
    (H, W, C) in [0, 1].

    `named` says whether its classes are known; of a weights file without them they are `class 0`,
    `class 1` ... in colours that the colour-blind can tell apart.
    """

    path: Path
    network: GridNetwork | AveragedNetworks
    spec: NetworkSpec
    task: Task
    data: str | None = None
    """Name of the data that it was trained on, where that is known."""
    named: bool = True
    note: str | None = None
    """A few words that a weights file holds."""
    inference: Inference = WHOLE
    """The inference by which training validated."""
    scale: PixelScale = FILE_SCALE
    """How the numbers of its images became levels from 0 to 1, where the data said so."""
    holdout: str | None = None
    """The pattern of the images of train that it was not trained on."""
    fold: str | None = None
    """The fold of train, such as 2/5, that it was not trained on but validated by."""
    group: str | None = None
    """The regular expression by which images are together in a fold."""
    fold_names: str | None = None
    """SHA-256 of the names of its images (`digest_of_names`)."""
    untrained: bool = False
    """Whether its weights are those that it was initialized with, as a file says by itself."""
    fresh: tuple[str, ...] = ()
    """The tensors of which that is so where others are trained, after `gridgen convert`."""
    weights: str | None = None
    """Which of a run's weights these are, in words."""
    beside: tuple[Path, ...] = ()
    """Of an ensemble, where the other networks come from."""

    @property
    def networks(self) -> tuple[GridNetwork, ...]:
        """The network, or all those of an ensemble."""
        if isinstance(self.network, GridNetwork):
            return (self.network,)
        return tuple(self.network.networks)  # type: ignore[arg-type]

    @property
    def specs(self) -> tuple[NetworkSpec, ...]:
        """The specs of `networks`, with the policy for image sizes under which they were opened."""
        return tuple(each.grid.spec for each in self.networks)

    @property
    def alone(self) -> GridNetwork:
        """The network of what is no ensemble. Errors: `UsageError`."""
        if not isinstance(self.network, GridNetwork):
            fact = f"{self.path} and {len(self.beside)} more are an ensemble"
            raise UsageError(f"{fact}, which is no single network; take each of them alone")
        return self.network

    @property
    def title(self) -> str:
        """Where it comes from; of an ensemble, where all its networks do."""
        return ", ".join(map(str, (self.path, *self.beside)))

    @checked
    def __call__(
        self, image: ImageLike, inference: InferenceLike | None = None
    ) -> npt.NDArray[np.generic]:
        """The answer for one image: a path, an image of Pillow, an array (H, W) or (H, W, C), or a
        tensor (C, H, W).

        With `inference`, another one than training validated by. Pixels without a value are 255 in
        class ids and 0 in a restored image. Errors: `DataError`, `SizeError`, `SpecError` for an
        inference that does not suit.
        """
        chosen = self.chosen_inference(inference)
        for spec in self.specs:
            require_inference(chosen, spec, self.task)
        given = decoded(image, self.spec.in_channels, self.scale)
        height, width = given.levels.shape[-2:]
        for spec in self.specs:
            require_image(chosen, spec, (height, width), "the image")
        answer = self.task.answer(infer(self.network, given.levels, chosen))
        if given.valid is not None:
            answer = self.task.blanked(answer, given.valid)
        values = answer.numpy()
        return values if values.ndim == 2 else np.moveaxis(values, 0, -1)

    @checked
    def chosen_inference(
        self, given: InferenceLike | None = None, device: torch.device | None = None
    ) -> Inference:
        """What is asked for; else what training validated by, in fp32, so that answers and scores
        do not depend on the machine. On a device, else where the network is. Errors: `SpecError`.
        """
        chosen = self.answering if given is None else as_inference(given)
        return chosen.on(device or self.device)

    @property
    def answering(self) -> Inference:
        """How images are seen where nothing is asked for: as training validated, in fp32."""
        return self.inference.but(precision="fp32")

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def rows(self) -> ShownRows:
        """Where it comes from, and what it is."""
        rows = [("from", self.title), (self.task.name, self.spec.shape)]
        if self.untrained:
            return [*rows, ("weights", "as initialized, not trained")]
        if self.fresh:
            return [*rows, ("weights", f"as initialized in {brief(parts_of_tensors(self.fresh))}")]
        rows += [("weights", self.weights)] if self.weights else []
        return rows + ([("trained on", self.data)] if self.data else [])


@checked
def open_model(path: PathLike, best: bool = False, size: str | None = None) -> Model:
    """The network of a run, or of the run folder or weights file at `path`.

    `best` takes a run's weights of the best validation, `size` another policy for image sizes
    than the spec's. Errors: `RunError`, `WeightsError`, `SpecError`; `UsageError` for the best of a
    weights file, which holds one set. Warns of weights that nobody has trained.
    """
    model = read_model(path := Path(path), best)
    fact = "weights as they were initialized; nothing was learned"
    if model.fresh:
        parts = brief(parts_of_tensors(model.fresh))
        fact = f"weights of {parts} are as they were initialized; train from them with --init"
    if model.untrained or model.fresh:
        warnings.warn(f"{path}: {fact}", stacklevel=3)
    if size is not None:  # no weight depends on it
        grid = model.alone.grid
        model.alone.grid = replace(grid, spec=grid.spec.but(size=size))
    return model


def model_in_memory(network: GridNetwork) -> Model:
    """A copy of a network, of which no file says what it was trained for."""
    copied = deepcopy(network).cpu().float().eval()
    spec = network.grid.spec
    return Model(IN_MEMORY, copied, spec, _task(IN_MEMORY, Metadata(), spec.classes), named=False)


def read_model(path: PathLike, best: bool = False) -> Model:
    """The network of a run or a file, without a word on what it has learned; errors as above."""
    path = Path(path)
    if ends_in(path, SUFFIX) or is_file(path):
        return _of_file(path, best)
    run = Run.open(path)
    return model_of(run, run.network(best), best)


def model_of(run: Run, network: GridNetwork, best: bool = False) -> Model:
    """A network of a run, with what the run knows of it."""
    facts = run.facts
    average = f", moving average ({run.recipe.ema:g})" if run.recipe.ema is not None else ""
    return Model(
        run.folder,
        network,
        run.spec,
        run.task,
        facts.data,
        inference=run.recipe.inference,
        scale=facts.scale,
        holdout=facts.holdout,
        fold=facts.fold,
        group=facts.group,
        fold_names=facts.fold_names,
        weights=f"{'the best validation' if best else 'the last epoch'}{average}",
    )


def _of_file(path: Path, best: bool) -> Model:
    if best:
        raise UsageError(f"--best: {path} holds one set of weights; name the run's folder instead")
    network, metadata = read_network(path)
    spec, told = network.grid.spec, Metadata.read(path, metadata)
    return Model(
        path,
        network,
        spec,
        _task(path, told, spec.classes),
        told.data,
        told.classes is not None,
        told.note,
        told.inference,
        told.scale,
        told.holdout,
        told.fold,
        told.group,
        told.fold_names,
        told.untrained,
        told.fresh,
    )


def _task(path: Path, told: Metadata, outputs: int) -> Task:
    """The task of a network of so many outputs. Errors: `WeightsError`."""
    classes, colours = told.classes, told.colours
    if classes is None:
        return task_named(told.task, generated_names(outputs), generated_colours(outputs))
    if colours is None:
        colours = generated_colours(len(classes))
    if classes and len(classes) != outputs:
        fact = f"{len(classes)} classes, but the network gives {outputs}"
    elif len(colours) != len(classes):
        fact = f"{len(colours)} colours, but {len(classes)} classes"
    else:
        return task_named(told.task, classes, colours)
    raise WeightsError(f"{path}: {fact}; export it anew")
