"""Docstrings that only repeat a name: `python -m tests.structure.docstrings`.

Both are taken apart into words in lower case, without the plural's s and without words such as
`the`; a docstring that has the same words as its name, or fewer, says nothing.
"""

import ast
import re
from collections.abc import Iterator

from tests.structure.package import modules

EMPTY = frozenset(
    [
        *("a", "all", "an", "and", "are", "as", "at", "be", "by", "each", "every", "for", "from"),
        *("has", "have", "in", "into", "is", "it", "its", "of", "on", "one", "or", "so", "that"),
        *("the", "their", "there", "these", "this", "to", "what", "where", "which", "whether"),
        "with",
    ]
)
Described = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def words(text: str) -> frozenset[str]:
    """The words of a name or a sentence that carry meaning.

    >>> sorted(words("legal_sizes")), sorted(words("The legal size."))
    (['legal', 'size'], ['legal', 'size'])
    """
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    found = re.findall(r"[a-z0-9]+", split.replace("_", " ").lower())
    return frozenset(word.rstrip("s") or word for word in found if word not in EMPTY)


def repeats(name: str, docstring: str) -> bool:
    """Whether `docstring` says no more than `name`."""
    return words(docstring) <= words(name)


def described(tree: ast.AST, inside: str = "") -> Iterator[tuple[str, Described]]:
    """Every function and class with its name, methods after that of their class."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Described):
            yield f"{inside}{node.name}", node
            outer = f"{inside}{node.name}." if isinstance(node, ast.ClassDef) else inside
            yield from described(node, outer)
        else:
            yield from described(node, inside)


def empty_docstrings() -> list[str]:
    """`module:line: name: docstring` of each that says nothing."""
    return [
        f"{module}:{node.lineno}: {name}: {text}"
        for module, tree in modules().items()
        for name, node in described(tree)
        if (text := ast.get_docstring(node)) and repeats(name, text)
    ]


def main() -> None:
    """One line each."""
    print("\n".join(empty_docstrings()) or "no docstring only repeats its name")


if __name__ == "__main__":
    main()
