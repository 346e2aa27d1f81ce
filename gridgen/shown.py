"""How results show themselves: one line in a terminal, a table in a notebook."""

from html import escape

ShownRows = list[tuple[str, str]]
"""Label and value of each line."""


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
        told = ", ".join(f"{label} {value}".strip() for label, value in self.rows())
        return f"{type(self).__name__}({told})"

    def _repr_html_(self) -> str:
        cells = (
            f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>"
            for label, value in self.rows()
        )
        return f"<table>{''.join(cells)}</table>"
