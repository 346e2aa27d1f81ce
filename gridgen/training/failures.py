"""What stops a training in the middle, in one line that says what to do."""

from torch import distributed

from gridgen.errors import DataError, FileError, OutOfMemoryError, TrainingError
from gridgen.training.recipe import Recipe
from gridgen.training.step import out_of_memory


def explained(error: Exception, recipe: Recipe) -> TrainingError | None:
    """`error` as one that the user can put right; None for a bug of ours."""
    batch, crop = recipe.batch, recipe.crop.size
    said = str(error)
    if isinstance(error, TrainingError):
        return type(error)(said)
    if isinstance(error, DataError | FileError):
        return TrainingError(f"{said.rstrip('.')}.")
    if isinstance(error, distributed.DistError) or "gloo/transport" in said:
        return TrainingError("Another process of this training has ended.")
    if out_of_memory(error):
        return OutOfMemoryError(f"Memory ran out at batch {batch}. Lower batch or crop.size.")
    if "more than 1 value per channel" in said:
        fact = f"A BN sees one value per channel at batch {batch}, crop.size {crop}"
        fix = "Raise batch; a larger crop.size helps only where no layer pools the whole image"
        return TrainingError(f"{fact}. {fix}.")
    if isinstance(error, RuntimeError) and "shared memory" in said:
        fact = "Shared memory for loaded images ran out"
        return TrainingError(f"{fact}. Lower workers in the recipe.")
    if "items of ancdata" in said:  # what Python says where a pipe brings a file too many
        fact = "Too many open files for the processes that load images"
        return TrainingError(f"{fact}. Raise `ulimit -n`, or lower workers in the recipe.")
    if isinstance(error, OSError):
        return TrainingError(f"{error.filename or 'A file'}: {error.strerror or error}.")
    return None
