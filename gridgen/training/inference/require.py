"""Inferences that suit neither a network nor what it is for, nor the memory that there is."""

from collections.abc import Iterator
from contextlib import contextmanager

from gridgen.analysis import Size
from gridgen.errors import OutOfMemoryError, SpecError
from gridgen.spec import NetworkSpec
from gridgen.training.inference.inference import Inference
from gridgen.training.inference.views import views
from gridgen.training.splits import require_size
from gridgen.training.step import out_of_memory
from gridgen.training.tasks import Task


def require_inference(inference: Inference, spec: NetworkSpec, task: Task) -> None:
    """The grid takes the windows, and the task's images may be resized where there are scales.

    Errors: `SpecError`, `SizeError`.
    """
    if not task.resizable and inference.scales != (1.0,):
        shown = ", ".join(f"{scale:g}" for scale in inference.scales)
        fact = f"{shown}, but resizing an image changes its noise; set scales: [1]"
        raise inference.blame(SpecError(fact, ("scales",)))
    if inference.window is not None:
        require_size(spec, (inference.window, inference.window), "inference, window")


def require_image(inference: Inference, spec: NetworkSpec, size: Size, where: str) -> None:
    """The grid takes all that it would be given of an image of `size`, or a `SizeError` that says
    `where`.
    """
    for view in views(inference, size, spec):
        require_size(spec, view.given, where)


@contextmanager
def within_memory(name: str) -> Iterator[None]:
    """Memory that runs out on the image called `name` is an `OutOfMemoryError` that says so."""
    try:
        yield
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        fix = "see images through windows, --window 512 or fewer pixels"
        raise OutOfMemoryError(f"{name}: memory ran out; {fix}") from error
