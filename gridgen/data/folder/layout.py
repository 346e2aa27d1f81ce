"""Which files of a folder belong together: its splits, and the images and labels of each."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from gridgen.data.dataset import require_split
from gridgen.data.folder.patterns import (
    literal_folders,
    name_of,
    path_expression,
    path_of,
    visible_files,
)
from gridgen.data.folder.settings import CLASSES, SETTINGS, FolderSettings, read_settings
from gridgen.data.folder.splits import splits_of
from gridgen.errors import DataError, reason_of
from gridgen.files import is_file, read_text
from gridgen.images.files import LABEL_SUFFIXES, SUFFIXES
from gridgen.names import composed
from gridgen.text import brief

LOSSY = tuple(suffix for suffix in SUFFIXES if suffix not in LABEL_SUFFIXES)
NO_LABELS = (*LOSSY, ".gif")
"""Endings of images from which no label is read, though people have such."""


@dataclass(frozen=True)
class SampleFiles:
    """An image, in one file or several, and its label."""

    name: str
    """Unique within the split and fit for a file name: what `{name}` stood for, `/` as `_`."""
    images: tuple[Path, ...]
    """One file, or one for each channel."""
    label: Path
    """A raster image, or the JSON file that holds its annotations."""


@dataclass(frozen=True)
class Layout:
    """A folder and where its settings say that its files lie."""

    root: Path
    settings: FolderSettings
    splits: Mapping[str, str]
    """Of each split, what `{split}` stands for, or its list of names; "" for all there are."""
    _listed: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    """The names in lists that have been read."""

    @classmethod
    def of(cls, root: Path, settings: FolderSettings | None = None) -> "Layout":
        """The layout of the folder, by its dataset.yaml unless other settings are given.

        Errors: `DataError`, `SpecError` in dataset.yaml.
        """
        if not root.is_dir():
            raise DataError(f"{root}: no such directory")
        settings = settings or read_settings(root)
        return cls(root, settings, splits_of(root, settings))

    def require(self, split: str) -> None:
        """Refuse a split that is not there, and lists that share a name, as those of two divisions
        do: `DataError`, with what makes a val for a training.
        """
        if split == "val" and split not in self.splits and "train" in self.splits:
            fact = f"{self.root}: no split val beside {', '.join(sorted(self.splits))}"
            fix = f"gridgen data split {quote(str(self.root))} makes one"
            raise DataError(f"{fact}; {fix}, gridgen train --fold 1/5 needs none")
        require_split(str(self.root), split, self.splits)
        mine = self.names(split) or frozenset()
        for other in (each for each in self.splits if each != split):
            if shared := sorted(mine & (self.names(other) or frozenset())):
                fact = f"{self.root / self.splits[split]}: {brief(shared)}"
                raise DataError(f"{fact} in {self.splits[other]} too; keep a name in one list")

    def place(self, split: str, pattern: str) -> Path:
        """The folder in which all files of a pattern lie, or the JSON file."""
        filled = self._filled(split, pattern)
        return self.root / (filled if filled.endswith(".json") else literal_folders(filled))

    def images(
        self, split: str, faults: list[DataError] | None = None
    ) -> dict[str, tuple[Path, ...]]:
        """The image files of a split by their names.

        Errors: `DataError` for two files of one name, and for an image of other channel numbers
        than most of the folder, which goes to `faults` where they are given.
        """
        found = self._channels(split, faults)
        if "{channel}" in self.settings.images:
            everywhere = [each for s in self.splits for each in self._channels(s, []).values()]
            for fault in _unlike_channels(found.values(), everywhere):
                _tell(fault, faults)
        return {name: tuple(found[name][c] for c in sorted(found[name])) for name in sorted(found)}

    def _channels(self, split: str, faults: list[DataError] | None) -> dict[str, dict[str, Path]]:
        """The files of each image by their channel numbers, "" where they have none."""
        found: dict[str, dict[str, Path]] = {}
        for match, path in self._files(split, self.settings.images, SUFFIXES):
            channel = match.groupdict().get("channel") or ""
            _add(found.setdefault(name_of(match), {}), channel, path, faults)
        return found

    def labels(self, split: str, faults: list[DataError] | None = None) -> dict[str, Path]:
        """The label files of a split by their names. Errors: as of `images`."""
        found: dict[str, Path] = {}
        for match, path in self._files(split, self.settings.labels, LABEL_SUFFIXES):
            _add(found, name_of(match), path, faults)
        return found

    def unread_labels(self, split: str) -> list[Path]:
        """Files that would be labels, were they of another format."""
        return [path for _, path in self._files(split, self.settings.labels, NO_LABELS)]

    def names(self, split: str) -> frozenset[str] | None:
        """The names that a split lists; None where it takes all. Errors: `DataError`."""
        if not self.settings.has_lists or not (place := self.splits[split]):
            return None
        if split not in self._listed:
            self._listed[split] = self._read_names(split, place)
        return self._listed[split]

    def _read_names(self, split: str, place: str) -> frozenset[str]:
        path = self.root / place
        try:
            lines = read_text(path, "utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            told = f"{path}: {reason_of(error)}; it lists the names of {split}"
            raise DataError(told) from error
        return frozenset(composed(line.strip()) for line in lines if line.strip())

    def unlike(self, split: str) -> list[Path]:
        """The visible files beside images and labels that are neither by their endings."""
        lists = self.splits.values() if self.settings.has_lists else ()
        known = {self.root / name for name in (SETTINGS, CLASSES, *lists)}
        known.add(self.place(split, self.settings.labels))
        found = {
            path: None
            for pattern, suffixes in (
                (self.settings.images, SUFFIXES),
                (self.settings.labels, LABEL_SUFFIXES),
            )
            if not pattern.endswith(".json")
            for path in visible_files(self.place(split, pattern))
            if path.suffix.lower() not in suffixes and path not in known
        }
        return list(found)

    def _filled(self, split: str, pattern: str) -> str:
        # A path, so that ./train and train/ are spellings of train.
        return Path(pattern.replace("{split}", self.splits[split] or split)).as_posix()

    def _files(
        self, split: str, pattern: str, suffixes: Sequence[str]
    ) -> Iterator[tuple[re.Match[str], Path]]:
        """Files of the split that match the pattern and end in one of the suffixes."""
        expression = path_expression(self._filled(split, pattern))
        beside = self.settings.labels if pattern == self.settings.images else self.settings.images
        other = path_expression(self._filled(split, beside))
        listed = self.names(split)
        for path in visible_files(self.place(split, pattern)):
            place = path.relative_to(self.root).with_suffix("").as_posix()
            matched = expression.fullmatch(place)
            if path.suffix.lower() not in suffixes or not matched:
                continue
            # Of NAME and NAME_mask in one folder, the closer pattern has the file.
            if len(beside) > len(pattern) and other.fullmatch(place):
                continue
            if listed is None or name_of(matched) in listed:
                yield matched, path


def paired(
    layout: Layout, split: str, labels: Mapping[str, Path], faults: list[DataError]
) -> list[SampleFiles]:
    """The samples of a split, sorted by name; what has no partner is added to `faults`.

    `labels` are the files that hold the label of each image.
    """
    images = layout.images(split, faults)
    folder = layout.place(split, layout.settings.images)
    listed = layout.names(split)
    if listed is not None and not listed:
        faults.append(
            DataError(f"{layout.root / layout.splits[split]}: no names; write one a line")
        )
    elif not images and not listed:
        faults.append(DataError(no_images(folder)))
    for name in sorted((listed or set()) - images.keys()):
        fact = f"{layout.root / layout.splits[split]}: {name!r} has no image"
        ending = name.lower().endswith(tuple(SUFFIXES))
        faults.append(DataError(f"{fact}; leave out the ending" if ending else fact))
    for name in sorted(images.keys() ^ labels.keys()):
        faults.append(DataError(unpaired(layout, split, name, images, labels)))
    both = {name: files for name, files in images.items() if name in labels}
    try:
        shown = short_names(both)
    except DataError as fault:
        faults.append(fault)
        return []
    return [SampleFiles(s, images[shown[s]], labels[shown[s]]) for s in sorted(shown)]


def short_names(images: Mapping[str, tuple[Path, ...]]) -> dict[str, str]:
    """Names fit for files: `city/1` becomes `city_1`. Errors: `DataError` where two become one."""
    shown: dict[str, str] = {}
    for name, files in images.items():
        other = shown.setdefault(name.replace("/", "_"), name)
        if other != name:
            fact = f"{files[0]}: {images[other][0]} would have the same name without folders"
            raise DataError(f"{fact}; rename one")
    return shown


def no_images(folder: Path) -> str:
    """The message for a folder without images."""
    return f"{folder}: no images; they end in {', '.join(SUFFIXES)}"


def unpaired(
    layout: Layout,
    split: str,
    name: str,
    images: Mapping[str, tuple[Path, ...]],
    labels: Mapping[str, Path],
) -> str:
    """The message for a file that has no partner."""
    pattern = layout.settings.labels
    if name not in images:
        place = layout.place(split, layout.settings.images)
        return f"{labels[name]}: no image of that name in {place}"
    if pattern.endswith(".json"):
        return f"{images[name][0]}: not among the images of {layout.place(split, pattern)}"
    expected = layout.root / path_of(layout._filled(split, pattern), name)
    for suffix in NO_LABELS:
        if is_file(there := expected.with_name(f"{expected.name}{suffix}")):
            return unread_label(there)
    fact = f"{images[name][0]}: no label; it would be {expected}.png"
    return f"{fact}; draw one, or take the image away"


def unread_label(path: Path) -> str:
    """The message for a label of a format from which none is read."""
    if path.suffix.lower() not in LOSSY:
        return f"{path}: no label is read from {path.suffix}; convert labels to PNG"
    fact = f"{path}: {path.suffix} blurs ids of classes into others, so no label is read from it"
    return f"{fact}; export labels as PNG, or make 0 and 255 of a mask before it is saved as PNG"


def _add(found: dict[str, Path], key: str, path: Path, faults: list[DataError] | None) -> None:
    """Add a file, or the fault that there is one of its name."""
    if key not in found:
        found[key] = path
        return
    _tell(DataError(f"{path}: {found[key].name} has the same name; remove one"), faults)


def _tell(fault: DataError, faults: list[DataError] | None) -> None:
    """Add a fault to those that are gathered, or raise it where none are."""
    if faults is None:
        raise fault
    faults.append(fault)


def _unlike_channels(
    images: Iterable[Mapping[str, Path]], everywhere: Iterable[Mapping[str, Path]]
) -> Iterator[DataError]:
    """A fault for each image whose channel numbers are not the usual ones of all images."""
    found: dict[tuple[str, ...], list[Path]] = {}
    for files in everywhere:
        found.setdefault(tuple(sorted(files)), []).append(min(files.values()))
    usual = max(found, key=lambda numbers: len(found[numbers]), default=())
    for files in images:
        if (own := tuple(sorted(files))) != usual:
            fact = f"an image of the channels {', '.join(own)}, but {found[usual][0]}"
            fact = f"{fact} has {', '.join(usual)}; all images have the same"
            yield DataError(f"{files[own[0]]}: {fact}")
