"""Arguments of public functions: which are taken, and how those that are not are called."""

from collections.abc import Mapping, Sequence

import pytest

from gridgen.arguments import checked, described, fits
from gridgen.errors import UsageError


@pytest.mark.parametrize(
    ("annotation", "fitting", "others"),
    [
        (Mapping[str, int], [{}, {"a": 1}], [{1: 1}, {"a": "1"}, [("a", 1)]]),
        (dict[str, Sequence[int]], [{"a": [1]}], [{"a": [1.5]}, {"a": 1}]),
        (tuple[int, str], [(1, "a")], [("a", 1), (1, 2), (1,), (1, "a", 2), [1, "a"]]),
        (tuple[int, ...], [(), (1, 2)], [(1, "a")]),
        (Sequence[tuple[int, int]], [[(1, 2)]], [[(1, "2")]]),
    ],
)
def test_what_fits_an_annotation(annotation, fitting, others):
    assert [fits(value, annotation) for value in fitting] == [True] * len(fitting)
    assert [fits(value, annotation) for value in others] == [False] * len(others)


def test_a_tuple_is_described_item_by_item():
    assert described(tuple[int, str]) == "a tuple (a whole number, text)"
    assert described(tuple[int, ...]) == "a list of a whole number"


@checked
def grown(lengths: Mapping[str, Sequence[int]] | None) -> None:
    """Takes a dictionary."""


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        ({1: [2]}, "a key of lengths is 1 (int); give text"),
        ({"a": [2], "b": 3}, "lengths['b'] is 3 (int); give a list of a whole number"),
        (3, "lengths is 3 (int); give a dictionary or None"),
    ],
)
def test_the_key_or_value_of_a_dictionary_that_is_at_fault_is_named(given, fact):
    with pytest.raises(UsageError) as caught:
        grown(given)
    assert str(caught.value) == f"grown: {fact}"


class Base:
    """Has a method of each kind."""

    @checked
    def __init__(self, size: int = 1) -> None:
        self.size = size

    @checked
    def grow(self, by: int) -> None:
        """Takes a number."""

    @classmethod
    @checked
    def load(cls, size: int) -> None:
        """Takes a number."""


class Own(Base):
    """Inherits them."""


@checked
def taking(kind: type, size: int) -> None:
    """Takes a class first, as a class method does."""


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: Base("x"), "Base"),
        (lambda: Own("x"), "Own"),
        (lambda: Own().grow("x"), "Own.grow"),
        (lambda: Own.load("x"), "Own.load"),
        (lambda: taking(Own, "x"), "taking"),
    ],
)
def test_a_function_is_called_as_the_caller_wrote_it(call, name):
    with pytest.raises(UsageError, match=f"^{name}: [a-z]+ is 'x' "):
        call()


def test_a_function_inside_another_is_called_by_its_own_name():
    @checked
    def inner(kind: type, size: int) -> None: ...

    with pytest.raises(UsageError, match=r"^inner: size is 'x' "):
        inner(int, "x")
