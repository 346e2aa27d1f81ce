"""Cityscapes as it is downloaded: street scenes, 19 classes, and which car is which.

Source: M. Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR
2016, and the list `helpers/labels.py` of the official scripts (cityscapesscripts 2.3.0).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from gridgen.arguments import PathLike
from gridgen.data.dataset import IGNORE, Colour, Sample, require_split
from gridgen.data.folder import unequal
from gridgen.errors import DataError
from gridgen.images import Window
from gridgen.images.files import read_header, read_ids, read_pixels
from gridgen.images.rules import IdArray
from gridgen.names import composed


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


IMAGE_FOLDER, LABEL_FOLDER = "leftImg8bit", "gtFine"


@dataclass(frozen=True)
class SceneFiles:
    """The three files of one image: CITY_SEQUENCE_FRAME and what they end in."""

    name: str
    image: Path
    label: Path
    instances: Path

    def size(self) -> tuple[int, int]:
        """(height, width) of all three files, by their headers; `DataError` if they differ."""
        size = read_header(self.image).size
        for path in (self.label, self.instances):
            if (other := read_header(path).size) != size:
                raise DataError(unequal(path, other, self.image, size))
        return size


def scenes(root: Path, split: str) -> list[SceneFiles]:
    """The scenes of a split, sorted by name. Reads no file.

    Errors: `DataError` for a missing folder, with the archive that holds it; for test, whose labels
    are withheld; for a file whose partner is missing or whose name breaks the pattern.
    """
    _require_layout(root, split)
    images = _by_name(root / IMAGE_FOLDER / split, f"_{IMAGE_FOLDER}.png")
    labels = _by_name(root / LABEL_FOLDER / split, "_gtFine_labelIds.png")
    if not images:
        raise DataError(
            f"{root / IMAGE_FOLDER / split}: no images; they are CITY/*_{IMAGE_FOLDER}.png"
        )
    for name in sorted(images.keys() ^ labels.keys()):
        if name in labels:
            wanted = _partner(root / IMAGE_FOLDER / split, name, f"_{IMAGE_FOLDER}.png")
            raise DataError(f"{labels[name]}: no image; it would be {wanted}")
        wanted = _partner(root / LABEL_FOLDER / split, name, "_gtFine_labelIds.png")
        raise DataError(f"{images[name]}: no label; it would be {wanted}")
    return [_scene(name, images[name], labels[name]) for name in sorted(images)]


def is_cityscapes(root: Path) -> bool:
    """True if the folder has the layout of Cityscapes."""
    return (root / IMAGE_FOLDER).is_dir()


def _require_layout(root: Path, split: str) -> None:
    """Refuse a folder that lacks what the two archives unpack to, for this split."""
    if not root.is_dir():
        raise DataError(f"{root}: no such directory")
    if root.name in (IMAGE_FOLDER, LABEL_FOLDER):
        raise DataError(f"{root}: a part of Cityscapes; give the folder that holds both of them")
    for part in (IMAGE_FOLDER, LABEL_FOLDER):
        if not (root / part).is_dir():
            raise DataError(f"{root / part}: no such directory; unpack {_archive(part)} in {root}")
    splits = sorted(path.name for path in (root / IMAGE_FOLDER).glob("[!.]*") if path.is_dir())
    if split == "test" and split in splits:
        fact = "the labels of test are withheld, only the benchmark's server scores it; use val"
        raise DataError(f"{root}: {fact}")
    require_split(f"cityscapes:{root}", split, [name for name in splits if name != "test"])
    labels = root / LABEL_FOLDER / split
    if not labels.is_dir():
        archive = _archive(LABEL_FOLDER)
        raise DataError(f"{labels}: no such directory; unpack {archive} in {root}")


def _archive(part: str) -> str:
    return f"{part}_trainvaltest.zip"


def _by_name(folder: Path, ending: str) -> dict[str, Path]:
    """The visible files of all cities with that ending, by their names without it."""
    found = {}
    for path in sorted(folder.glob(f"[!.]*/[!.]*{ending}")):
        name, city = composed(path.name.removesuffix(ending)), composed(path.parent.name)
        parts = name.split("_")
        if parts[0] != city or [part.isdecimal() for part in parts[1:]] != [True, True]:
            expected = f"{city}_SEQUENCE_FRAME{ending}"
            raise DataError(f"{path}: a name that is not {expected}; rename or remove it")
        found[name] = path
    return found


def _scene(name: str, image: Path, label: Path) -> SceneFiles:
    instances = label.with_name(label.name.replace("_labelIds.png", "_instanceIds.png"))
    if not instances.is_file():
        raise DataError(f"{instances}: missing; unpack {_archive(LABEL_FOLDER)} again")
    return SceneFiles(name, image, label, instances)


def _partner(folder: Path, name: str, ending: str) -> Path:
    """The path that the file of `name` would have."""
    return folder / name.split("_")[0] / f"{name}{ending}"


class Cityscapes:
    """One split of a folder into which the two archives were unpacked.

    `leftImg8bit/{split}/{city}/NAME_leftImg8bit.png` goes with `gtFine/{split}/{city}/
    NAME_gtFine_labelIds.png` and `NAME_gtFine_instanceIds.png`. A label holds train ids 0..18, and
    `IGNORE` elsewhere; instances have the numbers of their file. Opening a split pairs the files
    and compares the sizes in their headers; pixels are read when a sample is asked for.

    Errors: `DataError` that names file and fix: what is missing, has no partner or another size
    when the split is opened; what is damaged or holds an id that is none when it is read.
    """

    name = "cityscapes"
    task = "segmentation"
    classes = tuple(label.name for label in TRAINED)
    colours = tuple(label.colour for label in TRAINED)
    channels = 3

    def __init__(self, root: PathLike, split: str = "train") -> None:
        self._scenes = scenes(Path(root), split)
        self.names = tuple(scene.name for scene in self._scenes)
        self.sizes = tuple(scene.size() for scene in self._scenes)

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> Sample:
        scene = self._scenes[index]
        return Sample(
            name=scene.name,
            image=read_pixels(scene.image, self.channels).levels,
            label=self.label(index),
            instances=partial(_read, scene.instances, INSTANCES, "instance number"),
        )

    def window(self, index: int, window: Window) -> Sample:
        """The part of a sample; only its pixels are converted."""
        scene = self._scenes[index]
        return Sample(
            name=scene.name,
            image=read_pixels(scene.image, self.channels, window=window).levels,
            label=_read(scene.label, TRAIN_IDS, "label id", window),
        )

    @property
    def label_files(self) -> tuple[Path, ...]:
        """The files of the labels, in the order of the samples."""
        return tuple(scene.label for scene in self._scenes)

    def label(self, index: int) -> torch.Tensor:
        """The label of a sample; its image is not read."""
        return _read(self._scenes[index].label, TRAIN_IDS, "label id")


def _read(path: Path, table: IdArray, what: str, window: Window | None = None) -> torch.Tensor:
    """(H, W): the table's entry for each pixel of the file, or of its part in `window`."""
    ids = read_ids(path, window)
    inside = ids.max(initial=0) < len(table)
    if not inside or (found := table[ids]).min(initial=0) == UNKNOWN:
        wrong = ids[found == UNKNOWN].flat[0] if inside else ids.max()
        fact = f"a pixel of {wrong}, which is not a valid {what} of Cityscapes"
        raise DataError(f"{path}: {fact}; unpack its archive again")
    return torch.from_numpy(found)
