"""What the memory of a recipe's steps depends on beside network and crop."""

from gridgen.memory import Setting
from gridgen.training.recipe.recipe import Recipe


def setting_of(recipe: Recipe) -> Setting:
    """What is counted for a step of `recipe`, as one device takes it.

    >>> from gridgen.training.recipe import load_recipe
    >>> setting_of(load_recipe("modern")).averaged
    True
    """
    return Setting(
        batch=recipe.batch,
        precision=recipe.precision,
        optimizer=recipe.optimizer.name,
        averaged=recipe.ema is not None,
        recompute=recipe.recompute,
    )
