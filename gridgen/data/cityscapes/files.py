"""The files of Cityscapes: which belong together, and what their headers say."""

from dataclasses import dataclass
from pathlib import Path

from gridgen.data.dataset import require_split
from gridgen.data.images import read_header
from gridgen.errors import DataError

IMAGES, LABELS = "leftImg8bit", "gtFine"


@dataclass(frozen=True)
class Scene:
    """The three files of one image: CITY_SEQUENCE_FRAME and what they end in."""

    name: str
    image: Path
    label: Path
    instances: Path

    def size(self) -> tuple[int, int]:
        """(height, width) of all three, by their headers."""
        size = read_header(self.image).size
        for path in (self.label, self.instances):
            if (other := read_header(path).size) != size:
                shown = f"{_shown(other)} pixels, but {self.image.name} has {_shown(size)}"
                raise DataError(f"{path}: {shown}")
        return size


def scenes(root: Path, split: str) -> list[Scene]:
    """Those of a split, sorted by name. Reads no file.

    Errors: `DataError` for a folder that is missing, with the archive that has it; for test, whose
    labels are withheld; for a file whose partner is missing or whose name is another's.
    """
    _require_layout(root, split)
    images = _by_name(root / IMAGES / split, f"_{IMAGES}.png")
    labels = _by_name(root / LABELS / split, "_gtFine_labelIds.png")
    if not images:
        raise DataError(f"{root / IMAGES / split}: no images; they are CITY/*_{IMAGES}.png")
    for name in sorted(images.keys() ^ labels.keys()):
        if name in labels:
            wanted = _partner(root / IMAGES / split, name, f"_{IMAGES}.png")
            raise DataError(f"{labels[name]}: no image; it would be {wanted}")
        wanted = _partner(root / LABELS / split, name, "_gtFine_labelIds.png")
        raise DataError(f"{images[name]}: no label; it would be {wanted}")
    return [_scene(name, images[name], labels[name]) for name in sorted(images)]


def is_cityscapes(root: Path) -> bool:
    """Whether the folder is laid out as Cityscapes is."""
    return (root / IMAGES).is_dir()


def _require_layout(root: Path, split: str) -> None:
    """The folder holds what the two archives unpack to, for this split."""
    if not root.is_dir():
        raise DataError(f"{root}: no such directory")
    if root.name in (IMAGES, LABELS):
        raise DataError(f"{root}: a part of Cityscapes; give the folder that holds both of them")
    for part in (IMAGES, LABELS):
        if not (root / part).is_dir():
            raise DataError(f"{root / part}: no such directory; unpack {_archive(part)} in {root}")
    splits = sorted(path.name for path in (root / IMAGES).glob("[!.]*") if path.is_dir())
    if split == "test" and split in splits:
        fact = "the labels of test are withheld, only the benchmark's server scores it; use val"
        raise DataError(f"{root}: {fact}")
    require_split(f"cityscapes:{root}", split, [name for name in splits if name != "test"])
    if not (root / LABELS / split).is_dir():
        raise DataError(
            f"{root / LABELS / split}: no such directory; unpack {_archive(LABELS)} in {root}"
        )


def _archive(part: str) -> str:
    return f"{part}_trainvaltest.zip"


def _by_name(folder: Path, ending: str) -> dict[str, Path]:
    """The visible files of all cities that end so, by name without that ending."""
    found = {}
    for path in sorted(folder.glob(f"[!.]*/[!.]*{ending}")):
        name, city = path.name.removesuffix(ending), path.parent.name
        parts = name.split("_")
        if parts[0] != city or [part.isdecimal() for part in parts[1:]] != [True, True]:
            expected = f"{city}_SEQUENCE_FRAME{ending}"
            raise DataError(f"{path}: a name that is not {expected}; rename or remove it")
        found[name] = path
    return found


def _scene(name: str, image: Path, label: Path) -> Scene:
    instances = label.with_name(f"{name}_gtFine_instanceIds.png")
    if not instances.is_file():
        raise DataError(f"{instances}: missing; unpack {_archive(LABELS)} again")
    return Scene(name, image, label, instances)


def _partner(folder: Path, name: str, ending: str) -> Path:
    """Where the file of `name` belongs."""
    return folder / name.split("_")[0] / f"{name}{ending}"


def _shown(size: tuple[int, int]) -> str:
    height, width = size
    return f"{width}x{height}"
