"""Splits of a folder as lists of names: no image is copied or moved."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from gridgen.arguments import PathLike, checked
from gridgen.data.dataset import IGNORE
from gridgen.data.division import better_seed, chosen_for_val, grouped
from gridgen.data.folder.classes import ClassList, read_classes
from gridgen.data.folder.dataset import label_source
from gridgen.data.folder.labels import labels_in
from gridgen.data.folder.layout import Layout, SampleFiles, no_images, short_names, unpaired
from gridgen.data.folder.rewriting import Fields, with_fields
from gridgen.data.folder.settings import SETTINGS, FolderSettings
from gridgen.data.labelled import absent_classes
from gridgen.errors import DataError, FileError, SpecError, UsageError
from gridgen.files import is_file, read_bytes, read_text, write_file
from gridgen.progress import OnProgress, no_progress
from gridgen.shown import Shown, ShownRows

LISTS = {"train": "splits/train.txt", "val": "splits/val.txt"}
Shows = Mapping[str, frozenset[int]]
"""The ids of the classes that the label of each name shows."""
ImageFiles = Mapping[str, tuple[Path, ...]]
"""The files of each image by its name."""


@dataclass(frozen=True, eq=False, repr=False)
class SplitLists(Shown):
    """Lists of names that were written, and the classes that have no pixel in one of them."""

    lists: Mapping[str, tuple[str, ...]]
    """The names of train and of val."""
    groups: int
    """Number of groups of names that stay together."""
    absent: tuple[str, ...]
    """A line for each list in which classes have no pixel."""
    better_seed: int | None
    """A seed by which every class that can be is in both, where this one does not do that."""
    unread: Mapping[str, int]
    """The folders that were splits before and are none now, and their numbers of images."""
    files: tuple[Path, ...]

    def rows(self) -> ShownRows:
        """Label and value of each line of a report."""
        rows = [(split, _images_text(len(names))) for split, names in self.lists.items()]
        if self.groups < sum(map(len, self.lists.values())):
            rows.append(("groups", f"{self.groups:,}, none of them in both"))
        rows += [("odd", line) for line in self.absent]
        if self.better_seed is not None:
            rows.append(("", f"--seed {self.better_seed} brings more classes into both"))
        if self.unread:
            each = (f"{folder} ({_images_text(n)})" for folder, n in self.unread.items())
            rows.append(("left out", f"{', '.join(each)}: in neither list; the files stay"))
        return [*rows, ("wrote", ", ".join(map(str, self.files)))]

    def as_json(self) -> dict[str, Any]:
        """The contents as JSON types."""
        return {
            "lists": {split: list(names) for split, names in self.lists.items()},
            "groups": self.groups,
            "absent": list(self.absent),
            "better_seed": self.better_seed,
            "left_out": dict(self.unread),
            "written": [str(path) for path in self.files],
        }


@checked
def split_data(
    folder: PathLike,
    val: float = 0.2,
    seed: int = 0,
    *,
    group: str | None = None,
    force: bool = False,
    on_progress: OnProgress = no_progress,
) -> SplitLists:
    """Divide the images of a folder, or of its split train, into train and val, by lists of names.

    Writes splits/train.txt and splits/val.txt, or the lists that dataset.yaml names, and the lines
    of dataset.yaml that say so; all its other lines stay. `val` is the share of images that come
    into val. Names, with `_` for the `/` of folders, for which the first group of the regular
    expression `group`, or all that it matches, is equal stay together. The lists follow from the
    names and the seed alone, and a name that is added moves few others.

    `on_progress` is called for each label; without classes.txt no label is read. Errors:
    `DataError`, `SpecError`, `UsageError`, `FileError`, all with nothing written; among them that
    of a folder with other splits already, unless `force`: lists of train and val are made anew,
    other lists stay, and the folders of other splits than train are splits no more.
    """
    if not 0 < val < 1:
        raise UsageError(f"--val: {val:g} is not between 0 and 1; write 0.2 for a fifth")
    layout = Layout.of(Path(folder))
    _require_undivided(layout, force)
    settings = _with_lists(layout)
    images, listed = _images(layout, settings), ClassList(())
    shows = dict.fromkeys(images, frozenset[int]())
    if is_file(layout.root / "classes.txt"):
        listed = read_classes(layout.root / "classes.txt")
        shows = _shows(_undivided(layout, settings), images, listed, on_progress)
    # By the names that samples have, as folds have it: a folder's `/` is `_`.
    shown = short_names(images)
    groups = {key: [shown[s] for s in few] for key, few in grouped(shown, group).items()}
    chosen = chosen_for_val(groups, val, seed)
    lists = {split: tuple(n for n in shows if (n in chosen) == (split == "val")) for split in LISTS}
    files = _write(layout, settings, lists, force)
    classes = [line.name for line in listed.classes]
    absent = [absent_classes(s, classes, _showing(shows, lists[s], len(classes))) for s in lists]
    return SplitLists(
        lists=lists,
        groups=len(groups),
        absent=tuple(line for line in absent if line is not None),
        better_seed=better_seed(shows, groups, val, seed),
        unread=_unread(layout),
        files=files,
    )


def _images_text(number: int) -> str:
    return f"{number:,} image{'s' * (number != 1)}"


def _unread(layout: Layout) -> dict[str, int]:
    """The folders of splits beside train, of which lists know nothing, and their images."""
    if layout.settings.has_lists:
        return {}
    others = sorted(layout.splits.items() - {("train", layout.splits["train"])})
    return {folder: len(layout.images(split, [])) for split, folder in others}


def _require_undivided(layout: Layout, force: bool) -> None:
    """Refuse to change splits that somebody made: `DataError`."""
    if force:
        return
    others = layout.splits.keys() - {"train"}
    if "val" in others:
        fix = "--force divides train anew"
        if not layout.settings.has_lists:
            fix += f" and leaves the images of {layout.root / layout.splits['val']} out"
        raise DataError(f"{layout.root} has val already; {fix}")
    if others and not layout.settings.has_lists:
        said = ", ".join(sorted(others))
        fact = f"{layout.root} has {said} beside train, for which lists have no place"
        fix = f"gridgen train --fold 1/5 needs no val, and --force leaves {said} out"
        raise DataError(f"{fact}; {fix}")
    if layout.settings.splits:
        fact = f"{layout.root / SETTINGS} says already what splits are"
        raise DataError(f"{fact}; --force writes train and val anew")


def _with_lists(layout: Layout) -> FolderSettings:
    """The settings of the folder with lists for train and val, and those that it has for others.

    Errors: `DataError` where there is no train to divide, or where a split that is named has a
    folder, which lists have no place for.
    """
    settings = layout.settings
    if settings.has_lists:
        return settings.but(splits=LISTS | _places(settings))
    layout.require("train")
    for split in sorted(_places(settings).keys() - LISTS.keys()):
        fact = f"{layout.root / SETTINGS}: splits.{split} is a folder, and train will be a list"
        raise DataError(f"{fact}; remove that line")
    images, labels = (
        pattern.replace("{split}", layout.splits["train"])
        for pattern in (settings.images, settings.labels)
    )
    return settings.but(images=images, labels=labels, splits=LISTS)


def _places(settings: FolderSettings) -> dict[str, str]:
    return dict(settings.splits or {})


def _images(layout: Layout, settings: FolderSettings) -> ImageFiles:
    """The files of all images that are to be divided: those that no other list names.

    Errors: `DataError`.
    """
    others = _places(settings).keys() - LISTS.keys()
    elsewhere = frozenset[str]().union(*(layout.names(split) or () for split in others))
    whole = _undivided(layout, settings)
    images = {n: f for n, f in whole.images("train").items() if n not in elsewhere}
    if not images:
        raise DataError(no_images(whole.place("train", settings.images)))
    for name, files in images.items():
        _require_listable(name, files[0])
    return images


def _undivided(layout: Layout, settings: FolderSettings) -> Layout:
    """The folder with all its images in train."""
    return Layout.of(layout.root, settings.but(splits=None))


def _shows(
    whole: Layout, images: ImageFiles, listed: ClassList, on_progress: OnProgress
) -> dict[str, frozenset[int]]:
    """What each image shows, in the order of names; labels are read once. Errors: `DataError`."""
    faults: list[DataError] = []
    source = label_source(whole, "train", listed, faults)
    for name in sorted(images.keys() - source.files.keys()):
        faults.append(DataError(unpaired(whole, "train", name, images, source.files)))
    if faults:
        raise faults[0]
    shows, short = {}, {name: shown for shown, name in short_names(images).items()}
    for number, name in enumerate(images, 1):
        label = labels_in(source, SampleFiles(short[name], images[name], source.files[name]))
        pixels = np.bincount(label.ravel(), minlength=IGNORE)[: len(listed.classes)]
        shows[name] = frozenset(np.flatnonzero(pixels).tolist())
        on_progress(number, len(images))
    return shows


def _require_listable(name: str, path: Path) -> None:
    """Refuse a name that a line of a list does not give back: `DataError`."""
    if [name.strip()] != name.splitlines() or not name.isprintable():
        raise DataError(f"{path}: a list has no line for the name {name!r}; rename it")


def _showing(shows: Shows, names: Iterable[str], classes: int) -> list[int]:
    """The number of images that show each class."""
    shown = Counter(chain.from_iterable(shows[name] for name in names))
    return [shown[number] for number in range(classes)]


def _write(
    layout: Layout, settings: FolderSettings, lists: Mapping[str, Iterable[str]], force: bool
) -> tuple[Path, ...]:
    """Write the lists, then dataset.yaml where it changes; all or, on an error, nothing."""
    places = _places(settings)
    texts = {layout.root / places[s]: "".join(f"{n}\n" for n in lists[s]) for s in lists}
    for path in texts:
        if path.exists() and not force:
            raise DataError(f"{path} exists already; --force writes over it")
    if settings.complete() != layout.settings.complete():
        texts[layout.root / SETTINGS] = _rewritten(layout, settings)
    before = {path: read_bytes(path) if is_file(path) else None for path in texts}
    try:
        for path, text in texts.items():
            write_file(path, text)
    except BaseException:  # Ctrl-C too: between the two lists, an image would be in both
        for path, raw in before.items():
            with suppress(FileError, OSError):
                path.unlink() if raw is None else write_file(path, raw)
        raise
    return tuple(texts)


def _rewritten(layout: Layout, settings: FolderSettings) -> str:
    """The text of dataset.yaml with other patterns and splits. Errors: `DataError`."""
    path = layout.root / SETTINGS
    text = read_text(path) if path.exists() else ""
    fields: Fields = {"splits": _places(settings)}
    if settings.images != layout.settings.images:
        fields = {"images": settings.images, "labels": settings.labels, **fields}
    new = with_fields(text, fields)
    with suppress(SpecError):
        if FolderSettings.parse(new).complete() == settings.complete():
            return new
    # Such as a list of one line and a mapping in another: YAML knows many ways to write a file.
    raise DataError(f"{path} cannot be changed line by line; write a field in each line")
