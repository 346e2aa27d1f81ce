"""The layouts in which people and tools leave images and labels. Add one as a line of `KNOWN`."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridgen.data.dataset import Colour
from gridgen.data.folder.classes import ClassList
from gridgen.data.folder.dataset import label_source
from gridgen.data.folder.layout import Layout, unread_label
from gridgen.data.folder.patterns import spelt, told_files, visible_files
from gridgen.data.folder.settings import IMAGES, LABELS, MOST_STORED, SETTINGS, FolderSettings
from gridgen.data.folder.splits import SYNONYMS, split_folders, usual_split
from gridgen.errors import DataError
from gridgen.files import is_file, read_text
from gridgen.names import composed

NIFTI = (".nii", ".nii.gz")
LABELMAP = re.compile(r"(.+?):(\d{1,3}),(\d{1,3}),(\d{1,3})(?::.*)?")


@dataclass(frozen=True)
class ToldNames:
    """The names of classes that a tool wrote down, by what its labels store."""

    ids: Mapping[int, str] = field(default_factory=dict)
    colours: Mapping[Colour, str] = field(default_factory=dict)


def _none(root: Path) -> ToldNames:
    return ToldNames()


def nnunet_names(root: Path) -> ToldNames:
    """The labels of nnU-Net's dataset.json: {name: id}, or {id: name} in its first version.

    A name of several ids, which is a region of other classes, is passed over. Errors: `DataError`.
    """
    path = root / "dataset.json"
    if not is_file(path):
        return ToldNames()
    try:
        labels = json.loads(read_text(path, "utf-8-sig"))["labels"]
        found: dict[int, str] = {}
        for key, value in labels.items():
            if isinstance(value, list):
                continue
            number, name = (key, value) if isinstance(value, str) else (value, key)
            if found.setdefault(_id(number), name) != name:
                raise ValueError(f"{name[:40]!r} has the number of another")
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        fact = f"{path}: its labels cannot be read ({error})"
        raise DataError(f"{fact}; they are names with their numbers") from error
    return ToldNames(ids={number: composed(name.strip()) for number, name in found.items()})


def _id(number: Any) -> int:
    """An id that is a number, or its digits. Errors: `ValueError`."""
    if type(number) is not int and not re.fullmatch(r"[0-9]{1,19}", str(number)):
        raise ValueError(f"{str(number)[:40]!r} is not a whole number")
    if not 0 <= (whole := int(number)) <= MOST_STORED:
        raise ValueError(f"{str(number)[:40]} is not from 0 to {MOST_STORED}")
    return whole


def labelmap_names(root: Path) -> ToldNames:
    """The lines `name:red,green,blue:parts:actions` of CVAT's labelmap.txt. Errors: `DataError`."""
    path = root / "labelmap.txt"
    if not is_file(path):
        return ToldNames()
    try:
        text = read_text(path, "utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    found: dict[Colour, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            matched = LABELMAP.fullmatch(line.strip())
            if matched is None:
                raise DataError(f"{path}:{number}: {line[:60]!r} is not name:red,green,blue::")
            name, *colour = matched.groups()
            red, green, blue = map(int, colour)
            found[red, green, blue] = composed(name.strip())
    return ToldNames(colours=found)


@dataclass(frozen=True)
class KnownLayout:
    """Where the files of a layout lie, in patterns of dataset.yaml."""

    maker: str
    images: str
    labels: str
    lists: str = ""
    """Where text files list the names of a split, if they do."""
    names: Callable[[Path], ToldNames] = _none
    """Reads what the tool tells of its classes. Errors: `DataError`."""

    def __str__(self) -> str:
        return f"{self.images} with {self.labels}"


VOC = "ImageSets/Segmentation/{split}.txt"
COCO = "annotations/instances_{split}.json"
ONE_COCO = COCO.format(split="default")
KNOWN = (
    KnownLayout("gridgen", IMAGES, LABELS),
    KnownLayout("masks", "{split}/images/{name}", "{split}/masks/{name}"),
    KnownLayout("masks", "{split}/images/{name}", "{split}/masks/{name}_mask"),
    KnownLayout("labels", "images/{split}/{name}", "labels/{split}/{name}"),
    KnownLayout("masks", "images/{split}/{name}", "masks/{split}/{name}"),
    KnownLayout("COCO", "{split}/{name}", COCO),
    KnownLayout("COCO", "images/{split}/{name}", COCO),
    KnownLayout("CVAT, COCO", "images/{name}", ONE_COCO),
    KnownLayout("CVAT, COCO", "images/default/{name}", ONE_COCO),
    KnownLayout("Roboflow, COCO", "{split}/{name}", "{split}/_annotations.coco.json"),
    KnownLayout("nnU-Net", "imagesTr/{name}_{channel}", "labelsTr/{name}", names=nnunet_names),
    KnownLayout("CVAT", "JPEGImages/{name}", "SegmentationClass/{name}", VOC, labelmap_names),
    KnownLayout("CVAT", "images/{name}", "SegmentationClass/{name}", VOC, labelmap_names),
    KnownLayout("masks", "{split}_images/{name}", "{split}_masks/{name}"),
    KnownLayout("labels", "{split}_images/{name}", "{split}_labels/{name}"),
    KnownLayout("masks", "{split}/{name}", "{split}_masks/{name}"),
    KnownLayout("masks", "{split}/{name}", "{split}_masks/{name}_mask"),
    KnownLayout("labels", "{split}/{name}", "{split}_labels/{name}"),
    KnownLayout("SegNet", "{split}/{name}", "{split}annot/{name}"),
    KnownLayout("labels", "{folder}/images/{name}", "{folder}/labels/{name}"),
    KnownLayout("masks", "{folder}/images/{name}", "{folder}/masks/{name}"),
    KnownLayout("labels", "images/{name}", "labels/{name}"),
    KnownLayout("masks", "images/{name}", "masks/{name}"),
    KnownLayout("masks", "images/{name}", "masks/{name}_mask"),
    KnownLayout("labels", "images/{name}", "labels/{name}_label"),
    KnownLayout("labels", "images/{name}", "labels/{name}_labels"),
    KnownLayout("masks", "images/image_{name}", "masks/mask_{name}"),
    KnownLayout("NAME_image", "{name}_image", "{name}_mask"),
    *(
        KnownLayout(f"NAME_{end}", images, f"{images}_{end}")
        for end in ("mask", "label", "seg", "segmentation", "gt")
        for images in ("{split}/{name}", "{name}")
    ),
)


@dataclass(frozen=True)
class RecognizedLayout:
    """A folder of a known layout."""

    known: KnownLayout
    layout: Layout
    labelled: Mapping[str, int]
    """Of each split, the number of images that have a label."""
    declared: bool = False
    """Whether its own dataset.yaml says how it lies."""

    @property
    def images(self) -> dict[str, int]:
        """Of each split, the number of images."""
        return {split: len(self.layout.images(split, [])) for split in self.layout.splits}


def recognized(root: Path) -> RecognizedLayout:
    """The known layout by which most images of the folder have a label.

    Errors: `DataError` where there is none; also of a file that tells what the others are.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such directory")
    faults: list[DataError] = []
    found = [each for known in KNOWN if (each := _tried(root, known, faults))]
    with_train = [each for each in found if each.labelled.get("train")]
    if not with_train:
        raise faults[0] if faults else DataError(_nothing(root, found))
    # Of equals the first.
    return max(with_train, key=lambda each: sum(each.labelled.values()))


def declared(root: Path) -> RecognizedLayout:
    """The folder by its own dataset.yaml. Errors: `DataError`, `SpecError`."""
    layout = Layout.of(root)
    known = KnownLayout(SETTINGS, layout.settings.images, layout.settings.labels)
    # What its values stand for is no matter, as long as there may be no classes.
    bare = Layout.of(root, layout.settings.but(values=None))
    labelled = {split: _labelled(bare, split) for split in layout.splits}
    return RecognizedLayout(known, layout, labelled, declared=True)


def _tried(root: Path, known: KnownLayout, faults: list[DataError]) -> RecognizedLayout | None:
    """The folder by this layout, if it has splits; two of one name are added to `faults`."""
    images, labels = (spelt(root, pattern) for pattern in (known.images, known.labels))
    settings = FolderSettings(images=images, labels=labels)
    if "{split}" in images and not split_folders(root, images):
        return None
    if "{folder}" in images:
        folders = split_folders(root, images.replace("{folder}", "{split}"))
        if any(usual_split(folder) in SYNONYMS for folder in folders):
            return None  # splits, which are not to be mixed
    try:
        layout = Layout.of(root, settings)
    except DataError as fault:
        faults.append(fault)
        return None
    labelled = {split: _labelled(layout, split) for split in layout.splits}
    splits = _splits(layout, known, labelled)
    if splits and splits != layout.splits:
        layout = Layout.of(root, settings.but(splits=splits))
        labelled = {split: _labelled(layout, split) for split in splits}
    return RecognizedLayout(known, layout, labelled)


def _splits(layout: Layout, known: KnownLayout, labelled: Mapping[str, int]) -> Mapping[str, str]:
    """The splits that have labels: their folders, or their lists where there are such."""
    if layout.settings.has_lists:
        lists = {split: known.lists.format(split=split) for split in SYNONYMS}
        there = {split: path for split, path in lists.items() if is_file(layout.root / path)}
        return there if "train" in there else layout.splits
    filled = {split: layout.splits[split] for split in layout.splits if labelled[split]}
    # train2017 is train.
    short = {
        usual_split(re.sub(r"[_-]?\d+$", "", split)): folder for split, folder in filled.items()
    }
    return short if len(short) == len(filled) else filled


def _labelled(layout: Layout, split: str) -> int:
    """The number of images that have a label. Errors: `DataError` of a file of annotations."""
    place = layout.place(split, layout.settings.labels)
    if not (is_file(place) if place.suffix == ".json" else place.is_dir()):
        return 0
    faults: list[DataError] = []
    labels = label_source(layout, split, ClassList(()), faults).files
    return len(layout.images(split, faults).keys() & labels.keys()) if labels else 0


def _nothing(root: Path, found: Sequence[RecognizedLayout]) -> str:
    """The message for a folder of no known layout, `found` being without labels in train."""
    for path in visible_files(root):
        if path.name.lower().endswith(NIFTI):
            return f"{path}: NIfTI (.nii.gz) is not read; convert to PNG or TIFF"
    for layout, split in ((each.layout, split) for each in found for split in each.layout.splits):
        if unread := layout.unread_labels(split):
            return unread_label(unread[0])
    for each in found:
        if any(each.labelled.values()):
            splits = ", ".join(each.labelled)
            fact = f"images with labels in {splits}, by {each.layout.settings.images}, none of "
            return f"{root}: {fact}which is train; rename one, or name the splits in {SETTINGS}"
    cure = f"docs/data.md lists the {len(KNOWN)} layouts, and dataset.yaml for others"
    return f"{root}: {told_files(root)}; no images with labels such as {KNOWN[0]}; {cure}"
