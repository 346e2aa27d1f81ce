"""What labels must hold so that a network can learn from them, and what is odd in them.

A training refuses by these sentences before its first step; `gridgen data check` says the same.
"""

from collections.abc import Sequence

from gridgen.data.dataset import IGNORE, Dataset, OnDisk, holds_ids
from gridgen.data.frequencies import Frequencies, count_pixels
from gridgen.errors import DataError
from gridgen.progress import OnProgress, no_progress

TRAIN = "train"
SHOWN = 3
"""Names in a line; of others their number is told."""


def too_few_classes(name: str, classes: Sequence[str]) -> str | None:
    """What keeps the dataset called `name` from being learned: it tells nothing apart.

    None for two classes or more, and for labels that tell no classes.
    """
    if len(classes) != 1:
        return None
    fact = f"{name}: its only class is {classes[0]}, so that every answer is right"
    return f"{fact}; list what is not {classes[0]} as a class too, such as background"


def nothing_labelled(name: str, split: str, images: int) -> str:
    """What keeps a split without a labelled pixel from being used."""
    fact = f"{name}, {split}: no pixel of its {images} image{'s' * (images != 1)} has a class"
    use = "learn" if split == TRAIN else "score"
    return f"{fact}, so there is nothing to {use}; label some"


def absent_classes(split: str, classes: Sequence[str], pixels: Sequence[int]) -> str | None:
    """The classes that no pixel of a split is of, in a line; None if there are none.

    >>> absent_classes("val", ["sky", "road", "bus"], [9, 0, 0])
    'val: no pixel is road, bus, which cannot be scored'
    """
    absent = [name for name, number in zip(classes, pixels, strict=True) if not number]
    if not absent:
        return None
    use = "learned" if split == TRAIN else "scored"
    return f"{split}: no pixel is {named(absent)}, which cannot be {use}"


def named(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def require_two_classes(dataset: Dataset) -> None:
    """Refuse a dataset with a single class: `DataError`."""
    if (fault := too_few_classes(dataset.name, dataset.classes)) is not None:
        raise DataError(fault)


def require_labelled(
    dataset: Dataset, split: str, on_progress: OnProgress = no_progress
) -> Frequencies | None:
    """Refuse a split without a labelled pixel; its frequencies, where its labels are files.

    Others may have to be drawn or computed with their images, so they are read until one is found
    that holds a class. None for them, and where labels tell no classes. Errors: `DataError`.
    """
    if not dataset.classes:
        return None
    if isinstance(dataset, OnDisk) and holds_ids(dataset.label(0)):
        found = count_pixels(dataset, on_progress)
        if any(found.pixels):
            return found
    elif any((dataset[index].label != IGNORE).any() for index in range(len(dataset))):
        return None
    raise DataError(nothing_labelled(dataset.name, split, len(dataset)))
