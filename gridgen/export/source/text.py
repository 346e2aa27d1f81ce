"""Python as data, and its text: lines of 88 columns, broken as ruff and Black break them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

WIDTH = 88
INDENT = 4


@dataclass(frozen=True)
class Brackets:
    """`opening`, items between commas, `closing`: a call, a list, a dictionary."""

    opening: str
    items: "tuple[Code, ...]"
    closing: str

    def __str__(self) -> str:
        return f"{self.opening}{', '.join(map(str, self.items))}{self.closing}"


@dataclass(frozen=True)
class Sum:
    """Terms between plus signs."""

    terms: "tuple[Code, ...]"

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms))


Code = str | Brackets | Sum
"""An expression; a text is never broken."""


def call(function: str, *arguments: Code) -> Brackets:
    """A call of a function.

    >>> str(call("nn.Conv2d", "16", "32", "kernel_size=3"))
    'nn.Conv2d(16, 32, kernel_size=3)'
    """
    return Brackets(f"{function}(", arguments, ")")


def listed(*items: Code) -> Brackets:
    """A list."""
    return Brackets("[", items, "]")


def statement(code: Code, indent: int, before: str = "", after: str = "") -> list[str]:
    r"""The lines of `before` + `code` + `after`, such as `x = ` before a call.

    >>> print(*statement(call("function", "a" * 38, "b" * 38), 4, "x = "), sep="\n")
        x = function(
            aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
        )
    """
    margin = " " * indent
    line = f"{margin}{before}{code}{after}"
    if len(line) <= WIDTH or isinstance(code, str):
        return [line]
    if isinstance(code, Sum):
        return [f"{margin}{before}(", *_terms(code, indent + INDENT), f"{margin}){after}"]
    inside = _items(code, indent + INDENT)
    return [f"{margin}{before}{code.opening}", *inside, f"{margin}{code.closing}{after}"]


def _terms(total: Sum, indent: int) -> list[str]:
    first, *others = total.terms
    lines = statement(first, indent)
    return lines + [line for term in others for line in statement(term, indent, "+ ")]


def _items(code: Brackets, indent: int) -> list[str]:
    """All arguments of a call on one line where they fit, else each on its own."""
    line = " " * indent + ", ".join(map(str, code.items))
    if code.closing == ")" and len(line) <= WIDTH:
        return [line]
    # What is alone in its brackets gets no comma if it is broken itself.
    comma = "," if len(code.items) > 1 or code.closing != ")" else ""
    return [line for item in code.items for line in statement(item, indent, after=comma)]


def deletion(names: Sequence[str], indent: int) -> list[str]:
    """The lines of a `del`."""
    margin = " " * indent
    line = f"{margin}del {', '.join(names)}"
    if len(line) <= WIDTH:
        return [line]
    inside = (f"{margin}{' ' * INDENT}{name}," for name in names)
    return [f"{margin}del (", *inside, f"{margin})"]


def docstring(paragraphs: Iterable[str], indent: int) -> list[str]:
    """A docstring; paragraphs are wrapped, but for those that begin with a space."""
    margin, lines = " " * indent, list[str]()
    for number, paragraph in enumerate(map(_escaped, paragraphs)):
        lines += [""] if number else []
        quoted = '"""' if not number else ""
        if paragraph.startswith(" "):
            lines += [f"{margin}{line}".rstrip() for line in paragraph.splitlines()]
        else:
            # Three columns less, for the quotes at the end.
            lines += (margin + line for line in wrap(quoted + paragraph, WIDTH - 3 - indent))
    if len(lines) == 1:
        return [f'{lines[0]}"""']
    return [*lines, f'{margin}"""']


def _escaped(text: str) -> str:
    """Text that ends no docstring and means nothing in it."""
    shown = (each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text)
    return "".join(shown).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
