"""What comes with gridgen to begin with: specs, studies, recipes, an image, weights, the docs.

A wheel has them in the folder of this file; a clone at its top, but for the recipes. What users of
a clone put beside them there, in files of the same kinds, comes along too.
"""

from pathlib import Path

from gridgen.arguments import PathLike, checked
from gridgen.errors import FileError
from gridgen.files import read_bytes, write_folder

README = "README.md"
FOLDERS = ("specs", "studies", "recipes", "images", "weights", "docs")
SUFFIXES = (".yaml", ".json", ".png", ".svg", ".safetensors", ".md")
"""Endings of what comes along: editors, systems and killed writers leave other files beside it."""
HERE = Path(__file__).parent


@checked
def new_project(folder: PathLike) -> list[Path]:
    """Fill `folder`, which is new or empty, with what comes with gridgen, to be changed at will.

    Returns the paths of the files. Errors: `FileError`, and nothing is written.
    """
    places = shipped()
    write_folder(Path(folder), {name: read_bytes(place) for name, place in places.items()})
    return [Path(folder, name) for name in places]


def comes_along(path: PathLike) -> bool:
    """Whether a new project has a file that is called so."""
    try:
        return Path(path).as_posix() in shipped()
    except FileError:  # nothing comes with this installation
        return False


def shipped() -> dict[str, Path]:
    """Where the files are, by what they are called in a new project. Errors: `FileError`."""
    found = {README: HERE / README}
    for kind in FOLDERS:
        folder = _folder(kind)
        names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        found |= {f"{kind}/{name.as_posix()}": folder / name for name in names if _is_ours(name)}
    return found


def _is_ours(name: Path) -> bool:
    """Whether a file is of a kind that comes along, and not hidden."""
    return name.suffix in SUFFIXES and not any(part.startswith(".") for part in name.parts)


def _folder(kind: str) -> Path:
    package = HERE.parent
    # Recipes are read by their names too, so they are part of the package.
    places = (package / "training" / kind, HERE / kind, package.parent / kind)
    for place in places:
        if place.is_dir():
            return place
    raise FileError(
        f"this gridgen has no {kind}; install its wheel, or a clone with pip install -e"
    )
