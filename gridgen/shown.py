"""How results show themselves: one line in a terminal, a table in a notebook.

Names in them may hold characters that a terminal would obey; they are shown `escaped`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TextIO, cast

from gridgen.names import escaped

if TYPE_CHECKING:
    from rich.console import Console

ShownRows = list[tuple[str, str]]
"""Label and value of each line."""
LONGEST = 170
"""Characters of the rows that a line shows; a table shows them all."""


class Shown:
    """A result that is shown by its `rows`.

    >>> class Cost(Shown):
    ...     def rows(self):
    ...         return [("parameters", "1,024"), ("", "of them 24 biases")]
    >>> Cost()
    Cost(parameters 1,024, of them 24 biases)
    """

    def rows(self) -> ShownRows:
        """Label and value of each line."""
        raise NotImplementedError

    def __repr__(self) -> str:
        told = [f"{label} {value}".strip() for label, value in self.rows()]
        ends = accumulate(len(each) + len(", ") for each in told)
        kept = [each for each, end in zip(told, ends, strict=True) if end <= LONGEST]
        more = [f"{len(told) - len(kept)} more"] if len(kept) < len(told) else []
        return escaped(f"{type(self).__name__}({', '.join(kept + more)})")

    def _repr_html_(self) -> str:
        cells = (
            f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>"
            for label, value in self.rows()
        )
        return escaped(f"<table>{''.join(cells)}</table>")


class EscapedStream:
    """A stream that people read: its texts are `escaped`, and so is what its encoding lacks."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write the text; its hidden characters as Python writes them."""
        shown = escaped(text)
        if not shown.isascii():
            encoding = self.stream.encoding or "utf-8"
            shown = shown.encode(encoding, "backslashreplace").decode(encoding)
        return self.stream.write(shown)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def escaped_output() -> Iterator[None]:
    """In the block, whatever is printed on stdout and stderr is `escaped`."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, EscapedStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def console() -> "Console":
    """What draws bars on stderr. It needs control characters, so names given to it are `escaped`
    before.
    """
    from rich.console import Console

    return Console(file=getattr(sys.stderr, "stream", sys.stderr))
