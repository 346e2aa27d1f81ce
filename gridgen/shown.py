"""How results show themselves: one line in a terminal, a table in a notebook."""

from html import escape
from itertools import accumulate

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
        return f"{type(self).__name__}({', '.join(kept + more)})"

    def _repr_html_(self) -> str:
        cells = (
            f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>"
            for label, value in self.rows()
        )
        return f"<table>{''.join(cells)}</table>"
