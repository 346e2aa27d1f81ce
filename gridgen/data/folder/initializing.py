"""`gridgen data init`: looks at a folder of images and labels, and writes the two files that say
what they are.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridgen.arguments import PathLike, checked
from gridgen.data.dataset import IGNORE
from gridgen.data.folder.classes import (
    COLUMNS,
    ClassLine,
    ClassList,
    generated_names,
    is_name,
    read_classes,
)
from gridgen.data.folder.coco import BACKGROUND, read_coco
from gridgen.data.folder.contents import (
    Stored,
    add_label,
    class_lines,
    of_colours,
    of_ids,
    values_for,
)
from gridgen.data.folder.known import RecognizedLayout, declared, recognized
from gridgen.data.folder.settings import CLASSES, SETTINGS, Meaning
from gridgen.data.folder.splits import SYNONYMS
from gridgen.errors import DataError, FileError
from gridgen.files import write_file
from gridgen.progress import OnProgress, no_progress


@dataclass(frozen=True)
class InitializedFolder:
    """What `gridgen data init` found in a folder, and wrote."""

    layout: str
    images: str
    labels: str
    """Where labels lie, as in dataset.yaml."""
    splits: dict[str, tuple[int, int]]
    """Of each split, the number of images, and of those that have a label."""
    stored: str
    """What the labels store, in words."""
    classes: tuple[ClassLine, ...]
    """The lines of classes.txt."""
    values: dict[int, Meaning]
    written: tuple[Path, ...]
    kept: tuple[Path, ...] = ()
    """The file of the two that was there before."""

    def as_json(self) -> dict[str, Any]:
        """The contents as JSON types."""
        return {
            "layout": self.layout,
            "images": self.images,
            "labels": self.labels,
            "splits": {
                split: {"images": images, "labels": labels}
                for split, (images, labels) in self.splits.items()
            },
            "stored": self.stored,
            "classes": [
                {"id": line.id, "name": line.name, "colour": line.colour, "role": line.role}
                for line in self.classes
            ],
            "values": {str(number): meaning for number, meaning in self.values.items()},
            "written": [str(path) for path in self.written],
            "kept": [str(path) for path in self.kept],
        }


@checked
def init_data(path: PathLike, on_progress: OnProgress = no_progress) -> InitializedFolder:
    """Find out how the folder lies and what its labels store, and write classes.txt and
    dataset.yaml there. Where one of them exists it is kept, and the other made to suit it.

    `on_progress` is called for each label that is read. Errors: `DataError` where nothing known is
    found, or what labels store makes no classes; `SpecError` in a dataset.yaml that is there;
    `FileError`, also where both files exist.
    """
    root = Path(path)
    kept = tuple(root / name for name in (CLASSES, SETTINGS) if (root / name).exists())
    if len(kept) == 2:
        fact = f"{kept[0]} and {SETTINGS} exist already, and are not overwritten"
        raise FileError(f"{fact}; remove one, or go on with gridgen data check {root}")
    listed = read_classes(root / CLASSES) if root / CLASSES in kept else None
    found = declared(root) if root / SETTINGS in kept else recognized(root)
    _require_most_labelled(found)
    if found.layout.settings.labels.endswith(".json"):
        lines, values, stored = _of_categories(found), dict[int, Meaning](), "COCO annotations"
    else:
        lines, values, stored = _of_files(found, listed, on_progress)
    lines = list(listed.lines) if listed else lines
    _require_names(root, lines)
    texts = {root / CLASSES: _classes_text(lines), root / SETTINGS: _settings_text(found, values)}
    return InitializedFolder(
        layout=found.known.maker,
        images=found.layout.settings.images,
        labels=found.layout.settings.labels,
        splits={split: (n, found.labelled[split]) for split, n in found.images.items()},
        stored=stored,
        classes=tuple(lines),
        values=values,
        written=_write({place: text for place, text in texts.items() if place not in kept}),
        kept=kept,
    )


def _require_most_labelled(found: RecognizedLayout) -> None:
    """Refuse a folder that holds more than one dataset, or another one. Errors: `DataError`."""
    images, labelled = sum(found.images.values()), sum(found.labelled.values())
    if 2 * labelled < images:
        fact = f"{labelled:,} of {images:,} images have a label, by the layout that fits best: "
        fact += f"{found.layout.settings.images}, {found.layout.settings.labels}"
        raise DataError(f"{found.layout.root}: {fact}; name the folder of one dataset")


def _of_categories(found: RecognizedLayout) -> list[ClassLine]:
    """The background, which is what belongs to no object, and the categories of all splits."""
    layout = found.layout
    names = [BACKGROUND]
    for split in layout.splits:
        content = read_coco(layout.place(split, layout.settings.labels))
        names += [category.class_name for category in content.categories]
    return class_lines(list(dict.fromkeys(names)), {})


def _of_files(
    found: RecognizedLayout, listed: ClassList | None, on_progress: OnProgress
) -> tuple[list[ClassLine], dict[int, Meaning], str]:
    """Lines of classes.txt, `values` of dataset.yaml, and what labels store in words."""
    labels = [path for split in found.layout.splits for path in _labels(found, split)]
    stored = Stored()
    for number, path in enumerate(labels, 1):
        add_label(stored, path, coloured=listed is None)
        on_progress(number, len(labels))
    root, told = found.layout.root, found.known.names(found.layout.root)
    if stored.colours and stored.ids:
        raise DataError(f"{root}: some labels store ids and some colours; save all of them alike")
    if stored.colours:
        colours = (f"#{bytes(colour).hex()}" for colour in sorted(stored.colours))
        return of_colours(stored, told), {}, f"colours {', '.join(colours)}"
    shown = f"ids {', '.join(map(str, sorted(stored.ids)))}"
    lines, values = of_ids(stored, told)
    if listed:
        try:
            values = values_for(listed, stored.ids, lines, values)
        except ValueError as error:
            raise DataError(f"{root / CLASSES}: {error}") from error
    elif found.declared and (given := found.layout.settings.values):
        number = _classes_of(given, root / SETTINGS)
        return class_lines(generated_names(number), {}), dict(given), shown
    elif stored.smoothed:
        fact = f"{root}: labels store {len(stored.ids)} numbers, most pixels 0 or 255, as a mask "
        fact += "whose edges were smoothed by a change of size or by JPEG"
        raise DataError(f"{fact}; make 0 of what is below 128 and 255 of the rest")
    elif found.declared and values:
        said = ", ".join(f"{number}: {meaning}" for number, meaning in values.items())
        fact = f"labels store {shown}, and classes are numbered from 0"
        raise DataError(f"{root / SETTINGS}: {fact}; add the line values: {{{said}}}")
    return lines, values, shown


def _classes_of(values: Mapping[int, Meaning], path: Path) -> int:
    """The number of classes that `values` speak of. Errors: `DataError`."""
    ids = {meaning for meaning in values.values() if meaning != "ignore"}
    if unknown := sorted(ids - {*range(IGNORE)}):
        fact = f"{unknown[0]} is no id of a class, which are 0 to {IGNORE - 1}"
    elif ids:
        return 1 + max(ids)
    else:
        fact = "all numbers are ignored, and no class is left; write an id, such as 1: 0"
    raise DataError(f"{path}: values: {fact}")


def _labels(found: RecognizedLayout, split: str) -> Iterable[Path]:
    images = found.layout.images(split, [])
    return [path for name, path in found.layout.labels(split, []).items() if name in images]


def _require_names(root: Path, lines: Sequence[ClassLine]) -> None:
    """Refuse names that classes.txt could not hold, and too many classes. Errors: `DataError`."""
    seen: set[str] = set()
    for line in lines:
        if not is_name(line.name) or line.name in seen:
            why = "stands for two classes" if line.name in seen else "is not printable, or too long"
            raise DataError(f"{root}: the class name {line.name[:40]!r} {why}; rename it")
        seen.add(line.name)
    number = sum(line.role == "class" for line in lines)
    if not 0 < number <= IGNORE:
        raise DataError(f"{root}: the labels hold {number} classes; 1 to {IGNORE} are possible")


def _settings_text(found: RecognizedLayout, values: dict[int, Meaning]) -> str:
    """dataset.yaml: what was recognized, whether it differs from the defaults or not."""
    settings = found.layout.settings
    text = f"# {found.known.maker}\nimages: {json.dumps(settings.images)}\n"
    text += f"labels: {json.dumps(settings.labels)}\n"
    if settings.splits:
        text += "splits:\n"
        for split, place in settings.splits.items():
            # JSON is YAML too; of names of their own, such as no, YAML has a mind of its own.
            text += f"  {split if split in SYNONYMS else json.dumps(split)}: {json.dumps(place)}\n"
    if values:
        text += "values:\n" + "".join(f"  {key}: {value}\n" for key, value in values.items())
    return text


def _classes_text(lines: Sequence[ClassLine]) -> str:
    """classes.txt."""
    rows = ["# " + "\t".join(COLUMNS)]
    for line in lines:
        rows.append("\t".join(map(str, (line.id, line.name, *line.colour, line.role))))
    return "\n".join(rows) + "\n"


def _write(texts: Mapping[Path, str]) -> tuple[Path, ...]:
    """Write files that were not there: all or none. Errors: `FileError`."""
    written: list[Path] = []
    try:
        for path, text in texts.items():
            written.append(write_file(path, text))
    except FileError:
        for path in written:
            path.unlink()
        raise
    return tuple(written)
