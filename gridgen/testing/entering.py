"""A member that is not in the tables of the package is entered there for the time of its check."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import TypeVar

from gridgen.grid.ends import STEMS, Stem
from gridgen.spec.gridspec import STEM_STRIDES
from gridgen.testing.requiring import require

T = TypeVar("T")
_numbers = count()


@contextmanager
def entered(table: dict[str, T], member: T) -> Iterator[str]:
    """The name of `member` in a table of the package; one that has none gets one for the time."""
    for name, known in table.items():
        if known is member:
            yield name
            return
    # A new one each time: what was counted under a name is remembered.
    name = f"checked-{next(_numbers)}"
    table[name] = member
    try:
        yield name
    finally:
        del table[name]


@contextmanager
def stride_entered(stem: Stem, stride: int) -> Iterator[None]:
    """The stem in `STEMS`, its stride in `STEM_STRIDES`; one that is there brings its own line."""
    known = any(stem is member for member in STEMS.values())
    with entered(STEMS, stem) as name:
        if known:
            fact = f"STEM_STRIDES has {STEM_STRIDES.get(name, 'no line')} for {name!r}"
            require(STEM_STRIDES.get(name, 1) == stride, f"its stride is {stride}, but {fact}")
            yield
            return
        STEM_STRIDES[name] = stride
        try:
            yield
        finally:
            del STEM_STRIDES[name]
