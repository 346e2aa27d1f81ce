"""Which splits a folder has: by the names of its folders, or as its settings say."""

from collections.abc import Mapping
from pathlib import Path

from gridgen.data.folder.patterns import literal_folders
from gridgen.data.folder.settings import SETTINGS, FolderSettings
from gridgen.errors import DataError

SYNONYMS = {
    "train": ("training",),
    "val": ("valid", "validation", "dev"),
    "test": ("testing",),
}
"""Other names of folders, where there is none of the usual name."""
USUAL = {name: split for split, others in SYNONYMS.items() for name in (split, *others)}


def usual_split(folder: str) -> str:
    """The split that a folder of this name is, in capitals or not; its own name for another.

    >>> usual_split("Train"), usual_split("VALIDATION"), usual_split("Patient 7")
    ('train', 'val', 'Patient 7')
    """
    return USUAL.get(folder.lower(), folder)


def split_folders(root: Path, images: str) -> list[str]:
    """What `{split}` in a pattern of images can stand for: folders, or parts of their names."""
    before, _, after = images.partition("{split}")
    place, _, begin = before.rpartition("/")
    end, _, rest = after.partition("/")
    inside = literal_folders(rest)
    return sorted(
        path.name.removeprefix(begin).removesuffix(end)
        for path in (root / place).glob("[!.]*")
        if path.name.startswith(begin)
        and path.name.endswith(end)
        and len(path.name) > len(begin + end)
        and (path / inside).is_dir()
    )


def splits_of(root: Path, settings: FolderSettings) -> Mapping[str, str]:
    """Splits and where they lie. Errors: `DataError` where there is none, or two are one."""
    if settings.splits:
        return settings.splits
    if settings.has_lists:
        return {"train": ""}
    folders = split_folders(root, settings.images)
    if not folders:
        wanted = f"{settings.images.removesuffix('/{name}')} and "
        wanted += settings.labels.removesuffix("/{name}")
        raise DataError(f"{root}: no split; a dataset has {wanted}; gridgen data init finds others")
    exact = {folder.lower() for folder in folders}
    found: dict[str, str] = {}
    for folder in folders:
        split = usual_split(folder)
        if split in exact and folder.lower() != split:
            split = folder  # beside val, valid is a split of its own
        if split in found:
            place = root / settings.images.partition("{split}")[0]
            fact = f"{place}: {found[split]} and {folder} are both the split {split}"
            raise DataError(f"{fact}; rename one, or name the splits in {SETTINGS}")
        found[split] = folder
    return found
