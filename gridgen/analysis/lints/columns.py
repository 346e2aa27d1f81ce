"""Column sequences as a spec writes them."""

from gridgen.spec import shorten
from gridgen.spec.gridspec import Column


def as_written(columns: tuple[Column, ...]) -> str | list[Column]:
    """The short form where there is one, else the list.

    >>> as_written(("sub", "up", "up")), as_written(("up", "sub", "up"))
    ('1+2', ['up', 'sub', 'up'])
    """
    short = shorten(columns)
    return short if short.count("+") == 1 else list(columns)
