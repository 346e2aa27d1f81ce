"""What CONTRIBUTING says of the tree, read from its tables."""

import re
from pathlib import Path
from pkgutil import resolve_name

from tests.structure.package import PACKAGE

ROOT = PACKAGE.parent
CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, its own heading left out."""
    section = CONTRIBUTING.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def rooms() -> list[str]:
    """The folders and files of the first table, in its order."""
    named = (name for row in rows("Where things live") for name in re.findall(r"`(.+?)`", row[0]))
    return [name.rstrip("/").removesuffix(".py") for name in named]


def missing_places() -> list[str]:
    """Files and folders that the second table names and that do not exist.

    A name without a folder may be that of a file anywhere in the package.
    """
    return [
        f"{what}: {name}"
        for what, change, *_ in rows("What adding something costs")
        for name in re.findall(r"`(.+?)`", change)
        if _is_place(name) and not any(_exists(folder, name) for folder in (PACKAGE, ROOT))
    ]


def unknown_names() -> list[str]:
    """Files of the tree and names of the package that the pages name and that do not exist."""
    pages = [ROOT / "README.md", CONTRIBUTING, *sorted(ROOT.glob("*/*.md"))]
    found = []
    for page in (page for page in pages if page.parent.name != "runs"):
        for quoted in re.findall(r"`([^`\n]+)`", page.read_text("utf-8")):
            if re.fullmatch(r"(tests|benchmarks|gridgen|docs|specs|studies)/[\w./-]*\.\w+", quoted):
                known = (ROOT / quoted).exists()
            elif re.fullmatch(r"gridgen(\.\w+)+", quoted):
                known = _is_name(quoted)
            else:
                continue
            if not known:
                found.append(f"{page.relative_to(ROOT)}: {quoted}")
    return found


def _is_name(dotted: str) -> bool:
    """Whether `dotted` can be imported, or is an attribute of something that can."""
    try:
        return bool(resolve_name(dotted))
    except (ImportError, AttributeError):
        return False


def _exists(folder: Path, name: str) -> bool:
    return (folder / name).exists() if "/" in name else any(folder.rglob(name))


def _is_place(quoted: str) -> bool:
    """Whether a quoted word is a file or a folder of the tree."""
    return re.fullmatch(r"[\w./-]+(\.py|\.md|\.html|\.yaml|/)", quoted) is not None
