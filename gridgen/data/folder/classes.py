"""`classes.txt`: the ids that labels may hold, their names and colours; and such for classes that
nobody named.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from gridgen.data.dataset import IGNORE, Colour
from gridgen.errors import DataError
from gridgen.files import read_text
from gridgen.names import composed

COLUMNS = ("id", "name", "R", "G", "B", "role")
ROLES = ("class", "ignore")
MAX_NAME = 200
# M. Okabe, K. Ito: Color Universal Design, 2008; told apart by the colour-blind.
OKABE_ITO: tuple[Colour, ...] = (
    (0, 0, 0),
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
SHADES = 32


@dataclass(frozen=True)
class ClassLine:
    """One line of the file: an id that label pixels may have."""

    number: int
    id: int
    name: str
    colour: Colour
    role: str


@dataclass(frozen=True)
class ClassList:
    """The ids of a dataset, in ascending order; those of role `class` are 0..K-1."""

    lines: tuple[ClassLine, ...]

    @property
    def classes(self) -> tuple[ClassLine, ...]:
        """The lines with the role `class`."""
        return tuple(line for line in self.lines if line.role == "class")

    @property
    def ids(self) -> tuple[int, ...]:
        """All ids that a label may hold, ascending."""
        return tuple(line.id for line in self.lines)


def read_classes(path: Path) -> ClassList:
    """Read `classes.txt`: tab-separated id, name, R, G, B, role; `#` begins a comment line.

    Errors: `DataError` with file and line.
    """
    try:
        text = read_text(path, "utf-8-sig")
    except OSError as error:
        fact = f"{path}: {error.strerror}; it lists the classes"
        raise DataError(f"{fact}; gridgen data init writes one") from error
    except UnicodeDecodeError as error:
        fact = f"{path}: byte {error.start} is not UTF-8 text"
        raise DataError(f"{fact}; save it as UTF-8") from error
    lines: list[ClassLine] = []
    for number, content in enumerate(text.splitlines(), 1):
        if content.strip() and not content.startswith("#"):
            try:
                lines.append(_parse(number, content, lines))
            except ValueError as error:
                raise DataError(f"{path}:{number}: {error}") from error
    return ClassList(_checked(path, sorted(lines, key=lambda line: line.id)))


def _parse(number: int, content: str, above: list[ClassLine]) -> ClassLine:
    """Parse a line. Errors: `ValueError`, also if it repeats an id or a name from above."""
    cells = [cell.strip() for cell in content.split("\t")]
    if len(cells) != len(COLUMNS):
        told = f"{len(cells)} column{'s' * (len(cells) != 1)}"
        raise ValueError(f"{told}; write {', '.join(COLUMNS)}, separated by tabs")
    name, role = composed(cells[1]), cells[5]
    if not name:
        raise ValueError("the name is empty")
    if not is_name(name):
        raise ValueError(
            f"name: {name[:40]!r} is not {MAX_NAME} printable characters at most; write it anew"
        )
    if role not in ROLES:
        raise ValueError(f"role: {role!r} is neither class nor ignore")
    red, green, blue = (_byte(cells[i], COLUMNS[i]) for i in (2, 3, 4))
    identity = _byte(cells[0], "id") if role == "class" else _whole(cells[0], "id")
    line = ClassLine(number, identity, name, (red, green, blue), role)
    for other in above:
        if line.id == other.id or line.name == other.name:
            what = f"id {line.id}" if line.id == other.id else f"name {line.name!r}"
            raise ValueError(f"{what} stands in line {other.number} already")
    return line


def is_name(text: str) -> bool:
    r"""True for a valid class name: short, and printable, since terminals obey other characters.

    >>> is_name("side walk"), is_name("sky\u200b"), is_name("")
    (True, False, False)
    """
    return text.isprintable() and 0 < len(text) <= MAX_NAME


def _byte(text: str, column: str) -> int:
    if not (re.fullmatch(r"0*[0-9]{1,3}", text) and int(text[-3:]) <= 255):
        raise ValueError(f"{column}: {text[:40]!r} is not a whole number from 0 to 255")
    return int(text[-3:])


def _whole(text: str, column: str) -> int:
    """A number of 64 bits: some tools mark what is no class with -1 or 65535."""
    if not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        raise ValueError(f"{column}: {text[:40]!r} is not a whole number of 18 digits at most")
    return int(text)


def _checked(path: Path, lines: list[ClassLine]) -> tuple[ClassLine, ...]:
    """The lines, once their class ids count up from 0 and stay below `IGNORE`."""
    classes = [line for line in lines if line.role == "class"]
    if not classes:
        raise DataError(f"{path}: no line of role class; a dataset has one at least")
    for expected, line in enumerate(classes):
        if line.id != expected:
            fact = f"class id {line.id}, but no class id {expected}; classes count up from 0"
            fact += ", and values in dataset.yaml say which numbers of labels they are"
            raise DataError(f"{path}:{line.number}: {fact}")
        if line.id == IGNORE:
            fact = f"class id {IGNORE} marks ignored pixels; {IGNORE} classes at most"
            raise DataError(f"{path}:{line.number}: {fact}")
    return tuple(lines)


def generated_names(classes: int) -> tuple[str, ...]:
    """`class 0`, `class 1` ..."""
    return tuple(f"class {number}" for number in range(classes))


def generated_colours(classes: int) -> tuple[Colour, ...]:
    """The eight of Okabe and Ito; after them their shades, darker and lighter in turn.

    >>> generated_colours(2)
    ((0, 0, 0), (230, 159, 0))
    """
    return tuple(_shade(*divmod(number, len(OKABE_ITO))) for number in range(classes))


def _shade(turn: int, place: int) -> Colour:
    """`turn` 0 is the colour itself; odd ones go towards white, even ones towards mid-grey."""
    towards, share = (255 if turn % 2 else 90), (turn + 1) // 2 / (SHADES / 2 + 1)
    # The first steps are the widest, as few classes have many turns.
    share = share**0.35 if turn else 0.0
    red, green, blue = (round(value + (towards - value) * share) for value in OKABE_ITO[place])
    return red, green, blue
