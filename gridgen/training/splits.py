"""The splits that a training reads, checked against spec and recipe before anything is written."""

from gridgen.analysis import legal_size
from gridgen.data import Dataset, load_dataset
from gridgen.errors import SizeError, SpecError
from gridgen.spec import NetworkSpec
from gridgen.training.recipe import Recipe


def load_splits(spec: NetworkSpec, data: str, recipe: Recipe) -> tuple[Dataset, Dataset]:
    """The train and val splits of `data`.

    Errors: `DataError`; `SpecError` where classes or channels differ; `SizeError` where a crop or
    an image of val has a size that the grid cannot take.
    """
    train, val = load_dataset(data, "train"), load_dataset(data, "val")
    for split in (train, val):
        require_fit(spec, split)
    require_size(spec, (recipe.crop.size, recipe.crop.size), "recipe, crop.size")
    for index, size in enumerate(val.sizes):
        require_size(spec, size, f"{val.name}, val, image {index}")
    return train, val


def require_fit(spec: NetworkSpec, dataset: Dataset) -> None:
    """The spec's classes and in_channels are the dataset's, or a `SpecError` at its line."""
    wanted = {"classes": len(dataset.classes), "in_channels": dataset.channels}
    for field, value in wanted.items():
        given = getattr(spec, field)
        if given != value:
            said = given if field in spec.model_fields_set else f"{field} is {given} by default"
            fact = f"{said}, but the data {dataset.name} has {value}; set {field}: {value}"
            raise spec.blame(SpecError(fact, (field,)))


def require_size(spec: NetworkSpec, size: tuple[int, int], where: str) -> None:
    """The grid takes images of `size` (height, width), or a `SizeError` that says `where`."""
    try:
        legal_size(spec, size)
    except SizeError as error:
        raise SizeError(f"{where}: {error}") from error
