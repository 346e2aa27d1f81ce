"""What a recipe's augmentation makes of a batch, on the device that trains."""

from gridgen.training.augmentation.augmentation import (
    KORNIA,
    Augment,
    augmentation,
    require_augmentation,
)

__all__ = ["KORNIA", "Augment", "augmentation", "require_augmentation"]
