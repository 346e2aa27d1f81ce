"""Inferences that suit neither a network nor what it is for, nor the memory that there is."""

from collections.abc import Iterator
from contextlib import contextmanager

from gridgen.analysis import Size, legal_size
from gridgen.analysis.sizes import larger_size
from gridgen.data import Dataset
from gridgen.errors import OutOfMemoryError, SizeError, SpecError
from gridgen.spec import NetworkSpec
from gridgen.training.inference.inference import Inference
from gridgen.training.inference.views import given_sizes
from gridgen.training.step import out_of_memory
from gridgen.training.tasks import Task

BY_FLAG = "see images through windows, --window 512 or fewer pixels"
BY_RECIPE = "set inference: windows in the recipe, or a smaller window."
"""What to do where memory runs out, by command line and in a training."""


def require_inference(inference: Inference, spec: NetworkSpec, task: Task) -> None:
    """The grid takes the windows, and the task's images may be resized where there are scales.

    Errors: `SpecError`.
    """
    fault = unsuited(inference, spec, task)
    if fault is not None:
        raise inference.blame(fault)


def unsuited(inference: Inference, spec: NetworkSpec, task: Task) -> SpecError | None:
    """What `require_inference` says, of a field of the inference and of no file yet."""
    if not task.resizable and inference.scales != (1.0,):
        shown = ", ".join(f"{scale:g}" for scale in inference.scales)
        fact = f"{shown}, but resizing an image changes its noise; set scales: [1]"
        return SpecError(fact, ("scales",))
    side = inference.window
    if side is None:
        return None
    try:
        legal_size(spec, (side, side))
    except SizeError:
        larger, _ = larger_size(spec, (side, side))
        fact = f"{side}, but {spec.needs}; set window: {larger}, or size: pad in the spec"
        return SpecError(fact, ("window",))
    return None


def require_images(inference: Inference, spec: NetworkSpec, dataset: Dataset, split: str) -> None:
    """The grid takes all that it would be given of a dataset, whose images are not read.

    Errors: `SizeError` that names the first image that does not fit.
    """
    for name, size in zip(dataset.names, dataset.sizes, strict=True):
        require_image(inference, spec, size, f"{dataset.name}, {split}, image {name}")


def require_image(inference: Inference, spec: NetworkSpec, size: Size, where: str) -> None:
    """The grid takes all that it would be given of an image of `size`, or a `SizeError` that says
    `where`.
    """
    for given in given_sizes(inference, size, spec):
        require_size(spec, given, where)


def require_size(spec: NetworkSpec, size: Size, where: str) -> None:
    """The grid takes images of `size` (height, width), or a `SizeError` that says `where`."""
    try:
        legal_size(spec, size)
    except SizeError as error:
        raise SizeError(f"{where}: {error}") from error


@contextmanager
def within_memory(name: str, fix: str) -> Iterator[None]:
    """Memory that runs out on the image called `name` is an `OutOfMemoryError` that says so."""
    try:
        yield
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise OutOfMemoryError(f"{name}: memory ran out; {fix}") from error
