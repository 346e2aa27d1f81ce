"""What is counted of labels before a training begins, and what the classes weigh by it."""

from gridgen.data.frequencies import Frequencies, count_pixels
from gridgen.data.labelled import TRAIN, require_labelled
from gridgen.training.loop.watch import Watch
from gridgen.training.recipe import Recipe
from gridgen.training.tasks import HOLDOUT, VAL
from gridgen.training.tasks.requirements import Splits

POWERS = {"median-frequency": 1.0, "root-frequency": 0.5}


def counted_labels(splits: Splits, recipe: Recipe, watch: Watch) -> dict[str, Frequencies]:
    """Count the labels that are files, and the training labels where the recipe needs them.

    Errors: `DataError` for a split without a labelled pixel, and for a label that cannot be read.
    """
    found = {}
    for name, dataset in zip((TRAIN, VAL, HOLDOUT), splits, strict=True):
        counted = require_labelled(dataset, name, watch.counted) if dataset else None
        if counted is None and name == TRAIN and recipe.class_weights != "none":
            counted = count_pixels(splits.train, watch.counted)
        if counted is not None:
            found[name] = counted
    return found


def class_weights(recipe: Recipe, train: Frequencies | None) -> tuple[float, ...] | None:
    """Weights of the classes in the loss, as the recipe asks, from their frequencies on train."""
    if train is None or recipe.class_weights == "none":
        return None
    return train.weights(POWERS[recipe.class_weights], recipe.class_weight_cap)
