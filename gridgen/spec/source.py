"""YAML text that remembers where each value stands. Knows nothing of what the values mean.

Reads the JSON-like core of YAML 1.2: mappings, lists, strings, numbers, booleans, null. What
YAML 1.1 reads in surprising ways (`no`, `010`, `1:30`, `1e-3`, a key given twice) is either read
as YAML 1.2 writes it or refused, and a small file cannot grow large in memory.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

from gridgen.arguments import PathLike
from gridgen.errors import SpecError, reason_of
from gridgen.files import other_kind, read_bytes
from gridgen.names import HIDDEN
from gridgen.project import comes_along

Field = tuple[str | int, ...]

YAML_SUFFIXES = (".yaml", ".yml")
MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_NODES = 4096
MAX_LINE = 120
NO_COLON = "could not find expected ':'"
TAB = "found character '\\t'"
"""What PyYAML says."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}


@dataclass(frozen=True)
class Source:
    r"""A YAML document: its plain data, and the place of every value in its text.

    `name` is what errors call the file. `base` is a file that it extends, of which `data` holds
    what the file itself leaves out; `extending` is the field that extends it, () the whole file.
    Errors: `SpecError` with file, line, column and the line.

    >>> Source.parse("streams: 5\nclasses: 2\n", "mine.yaml").data
    {'streams': 5, 'classes': 2}
    """

    name: str
    text: str
    data: Any
    root: yaml.Node
    base: "Source | None" = None
    extending: Field = ()

    @classmethod
    def read(cls, path: PathLike) -> "Source":
        """Read the file at `path`; a file that is missing or not text is a `SpecError`."""
        if kind := other_kind(path, *YAML_SUFFIXES):
            raise SpecError(f"{path}: {kind}; name a YAML file")
        try:
            raw = read_bytes(path, MAX_BYTES)
        except IsADirectoryError as error:
            raise SpecError(f"{path}: a folder; name a YAML file in it") from error
        except FileNotFoundError as error:
            fix = "; gridgen new FOLDER writes it there" * comes_along(path)
            raise SpecError(f"{path}: {error.strerror}{fix}") from error
        except (OSError, ValueError) as error:  # the latter of a null byte in the path
            raise SpecError(f"{path}: {reason_of(error)}") from error
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            fact = f"{path}:{line}: byte {error.start} of the file is not UTF-8"
            raise SpecError(f"{fact}; save it as UTF-8, or name a YAML file") from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, name: str) -> "Source":
        """Parse one YAML document whose top level is a mapping."""
        if len(text) > MAX_BYTES:
            fact = f"{len(text):,} characters, and {MAX_BYTES:,} are read at most"
            raise SpecError(f"{name}: too long: {fact}")
        # Invisible characters would make two names that look the same differ.
        hidden = HIDDEN.search(text)
        if hidden:
            line = text.count("\n", 0, hidden.start())
            column = hidden.start() - text.rfind("\n", 0, hidden.start()) - 1
            fact = f"hidden character U+{ord(hidden.group()):04X}; remove it"
            raise SpecError(_place(name, text, line, column, fact))
        try:
            _guard(text, name)
            # Nodes, not values: PyYAML keeps the last of duplicate keys and reads `no` as false.
            root = yaml.compose(text, Loader=yaml.BaseLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            if error.problem == NO_COLON:  # the problem is seen a line later than it is
                mark = error.context_mark or mark
            assert mark is not None
            raise SpecError(
                _place(name, text, mark.line, mark.column, _told(error.problem or "not YAML"))
            ) from error
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            # The latter two are PyYAML's on "\U00110000" and on a %YAML of 5,000 digits.
            raise SpecError(f"{name}: not YAML: {error}") from error
        if isinstance(root, yaml.SequenceNode):
            mark = root.start_mark
            fact = "the file is a list; write `field: value` lines, without dashes"
            raise SpecError(_place(name, text, mark.line, mark.column, fact))
        if not isinstance(root, yaml.MappingNode):
            raise SpecError(f"{name}: the file has no fields; write `field: value` lines")
        return cls(name, text, _Plain(name, text).convert(root), root)

    def blame(self, error: SpecError) -> SpecError:
        """The same error, with the file, the line, the column and the line's text."""
        # The type stays: callers tell a TopologyError from other errors of a spec.
        return type(error)(self.at(error.field, str(error)), error.field)

    def at(self, field: Field, fact: str, key: bool = False) -> str:
        """`fact` about the value of `field`, in the form of a compiler's message.

        With `key`, the column is that of the field's name. Parts of `field` that are not in the
        file are passed over, so a missing field is shown at what should hold it.
        """
        file, steps = self._found(field)
        node = steps[-1].value if steps else file.root
        if key and steps and steps[-1].part == field[-1]:
            node = steps[-1].key
        shown = ".".join(str(step.part) for step in steps)
        fact = f"{shown}: {fact}" if shown else fact
        mark = node.start_mark
        return _place(file.name, file.text, mark.line, mark.column, fact)

    def _found(self, field: Field) -> "tuple[Source, list[_Step]]":
        """The file that holds most of `field`, this one or what it extends, and the way there."""
        own, above = list(_steps(self.root, field)), len(self.extending)
        if self.base is not None and field[:above] == self.extending:
            file, steps = self.base._found(field[above:])
            if above + len(steps) > len(own):
                return file, steps
        return self, own


class _Step(NamedTuple):
    """A part of a field that a file has, and the nodes of its name and its value."""

    part: str | int
    key: yaml.Node
    value: yaml.Node


def _steps(node: yaml.Node, field: Field) -> Iterator[_Step]:
    for part in field:
        if (found := _child(node, part)) is not None:
            yield _Step(part, *found)
            node = found[1]


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The key node and value node of `part` in a mapping, or the item twice in a list."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def _place(name: str, text: str, line: int, column: int, fact: str) -> str:
    """`fact` at a line and column (from 0), the line, or the part of it around a caret."""
    lines = text.split("\n")
    shown = HIDDEN.sub("\ufffd", lines[line].rstrip("\r")) if line < len(lines) else ""
    start = max(column - MAX_LINE // 2, 0) if len(shown) > MAX_LINE else 0
    number = f"{line + 1:>6} | "
    caret = " " * (len(number) - 2) + "| " + " " * (column - start) + "^"
    shown = shown[start : start + MAX_LINE]
    return f"{name}:{line + 1}:{column + 1}: {fact}\n{number}{shown}\n{caret}"


def _told(problem: str) -> str:
    """What PyYAML says, in words for someone who does not know its grammar."""
    if problem == "mapping values are not allowed here":
        fix = "indent the fields of a section alike, quote the value, or mend the line before"
        return f"a colon where none may be; {fix}"
    if problem == NO_COLON:
        return "no colon with a space after it; write `field: value`"
    if problem.startswith(TAB):
        return "a tab where YAML takes none; indent with spaces"
    return problem


def _guard(text: str, name: str) -> None:
    """Refuse what could exhaust the composer, from the event stream alone."""
    depth = documents = nodes = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        fact = None
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            fact = "a second document; a file holds one" if documents > 1 else None
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            fact = f"nested deeper than {MAX_DEPTH} levels" if depth > MAX_DEPTH else None
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        nodes += isinstance(event, yaml.NodeEvent)
        if nodes > 2 * MAX_NODES:
            fact = f"over {MAX_NODES} values, with their names"
        tag = getattr(event, "tag", None)
        if tag is not None:
            fact = f"the tag {tag!r} is not read; write the plain value"
        if fact:
            mark = event.start_mark
            assert mark is not None
            raise SpecError(_place(name, text, mark.line, mark.column, fact))


class _Plain:
    """Nodes to plain Python values, at most `MAX_NODES` of them after aliases are expanded."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text, self.nodes = name, text, 0

    def convert(self, node: yaml.Node, depth: int = 0) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            self.refuse(node, f"over {MAX_NODES} values or {MAX_DEPTH} levels, aliases expanded")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.convert(item, depth + 1) for item in node.value]
        assert isinstance(node, yaml.ScalarNode)
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.value.isprintable():
                self.refuse(key, "a field's name must be a word")
            if key.value == "<<":
                self.refuse(key, "merge keys are not read; write the fields out")
            if key.value in values:
                self.refuse(key, f"{key.value}: given twice; remove one")
            values[key.value] = self.convert(value, depth + 1)
        return values

    def scalar(self, node: yaml.ScalarNode) -> Any:
        text = node.value
        hidden = HIDDEN.search(text)
        if hidden:
            self.refuse(node, f"hidden character U+{ord(hidden.group()):04X}; remove it")
        if node.style is not None:
            return text
        if text.lower() in _WORDS and text in (text.lower(), text.upper(), text.capitalize()):
            return _WORDS[text.lower()]
        if len(text) > 40 and _FLOAT.fullmatch(text):
            self.refuse(node, "a number of more than 40 characters")
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) and not re.fullmatch(r"[-+]?0[0-9]+", text):
            return float(text)
        return text

    def refuse(self, node: yaml.Node, fact: str) -> None:
        mark = node.start_mark
        raise SpecError(_place(self.name, self.text, mark.line, mark.column, fact))
