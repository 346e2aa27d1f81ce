"""The labels of Cityscapes, and tables between label ids and train ids.

Source: M. Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR
2016, and the list `helpers/labels.py` of the official scripts (cityscapesscripts 2.3.0).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridgen.data.dataset import IGNORE, Colour


@dataclass(frozen=True)
class Label:
    """One kind of region.

    `id` is the value in label files and submitted predictions; `train_id` is the class that a
    network predicts, None for labels that are neither trained nor scored; `has_instances` is true
    if single objects are numbered.
    """

    name: str
    id: int
    train_id: int | None
    category: str
    has_instances: bool
    colour: Colour


LABELS = (
    Label("unlabeled", 0, None, "void", False, (0, 0, 0)),
    Label("ego vehicle", 1, None, "void", False, (0, 0, 0)),
    Label("rectification border", 2, None, "void", False, (0, 0, 0)),
    Label("out of roi", 3, None, "void", False, (0, 0, 0)),
    Label("static", 4, None, "void", False, (0, 0, 0)),
    Label("dynamic", 5, None, "void", False, (111, 74, 0)),
    Label("ground", 6, None, "void", False, (81, 0, 81)),
    Label("road", 7, 0, "flat", False, (128, 64, 128)),
    Label("sidewalk", 8, 1, "flat", False, (244, 35, 232)),
    Label("parking", 9, None, "flat", False, (250, 170, 160)),
    Label("rail track", 10, None, "flat", False, (230, 150, 140)),
    Label("building", 11, 2, "construction", False, (70, 70, 70)),
    Label("wall", 12, 3, "construction", False, (102, 102, 156)),
    Label("fence", 13, 4, "construction", False, (190, 153, 153)),
    Label("guard rail", 14, None, "construction", False, (180, 165, 180)),
    Label("bridge", 15, None, "construction", False, (150, 100, 100)),
    Label("tunnel", 16, None, "construction", False, (150, 120, 90)),
    Label("pole", 17, 5, "object", False, (153, 153, 153)),
    Label("polegroup", 18, None, "object", False, (153, 153, 153)),
    Label("traffic light", 19, 6, "object", False, (250, 170, 30)),
    Label("traffic sign", 20, 7, "object", False, (220, 220, 0)),
    Label("vegetation", 21, 8, "nature", False, (107, 142, 35)),
    Label("terrain", 22, 9, "nature", False, (152, 251, 152)),
    Label("sky", 23, 10, "sky", False, (70, 130, 180)),
    Label("person", 24, 11, "human", True, (220, 20, 60)),
    Label("rider", 25, 12, "human", True, (255, 0, 0)),
    Label("car", 26, 13, "vehicle", True, (0, 0, 142)),
    Label("truck", 27, 14, "vehicle", True, (0, 0, 70)),
    Label("bus", 28, 15, "vehicle", True, (0, 60, 100)),
    Label("caravan", 29, None, "vehicle", True, (0, 0, 90)),
    Label("trailer", 30, None, "vehicle", True, (0, 0, 110)),
    Label("train", 31, 16, "vehicle", True, (0, 80, 100)),
    Label("motorcycle", 32, 17, "vehicle", True, (0, 0, 230)),
    Label("bicycle", 33, 18, "vehicle", True, (119, 11, 32)),
    Label("license plate", -1, None, "vehicle", False, (0, 0, 142)),
)

DRAWN = tuple(label for label in LABELS if label.id >= 0)
"""The labels in label files, in the order of their ids 0..33; license plates have no pixels."""
TRAINED = tuple(label for label in DRAWN if label.train_id is not None)
"""The 19 labels that are trained and scored, in the order of their train ids, and of their ids."""
CATEGORIES = tuple(dict.fromkeys(label.category for label in TRAINED))
"""The 7 categories that are scored; the eighth, void, is not."""
UNKNOWN = -1
PER_LABEL = 1000
"""A pixel of instance n of a label has the number label id * 1000 + n; a pixel of no numbered
instance has the label id alone.
"""


def ids_of(labels: Iterable[Label]) -> list[int]:
    """The ids of labels, in their order."""
    return [label.id for label in labels]


def _train_ids() -> npt.NDArray[np.int64]:
    ids = np.full(256, UNKNOWN, dtype=np.int64)
    for label in DRAWN:
        ids[label.id] = IGNORE if label.train_id is None else label.train_id
    return ids


def _instances() -> npt.NDArray[np.int32]:
    numbers = np.arange(1 << 16, dtype=np.int32)
    single = ids_of(label for label in DRAWN if label.has_instances)
    numbers[~np.isin(numbers // PER_LABEL, single)] = UNKNOWN
    numbers[:PER_LABEL] = 0
    return numbers


def _label_ids() -> npt.NDArray[np.uint8]:
    ids = np.zeros(256, dtype=np.uint8)
    ids[: len(TRAINED)] = ids_of(TRAINED)
    return ids


INSTANCES = _instances()
"""(65536,): maps a number of an instance file to itself, the id of a label without instances to 0,
and any other number to `UNKNOWN`.
"""
TRAIN_IDS = _train_ids()
"""(256,): the train id of each label id; `IGNORE` where it has none, `UNKNOWN` for other ids."""
LABEL_IDS = _label_ids()
"""(256,): the label id of each train id; 0, unlabeled, for `IGNORE` and all other values."""
