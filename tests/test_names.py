"""Names with any characters: compared, shown, and written to CSV files."""

import ast
import csv
from io import StringIO

import pytest
from hypothesis import given, strategies as st

from gridgen.names import HIDDEN, composed, csv_text, escaped
from tests.structure.package import modules

COMPOSED, DECOMPOSED = "r\u00fcben", "ru\u0308ben"


def test_accents_are_compared_as_one_character():
    assert COMPOSED != DECOMPOSED
    assert composed(COMPOSED) == composed(DECOMPOSED) == COMPOSED


@given(st.text())
def test_nothing_hidden_is_left_and_all_else_is_as_it_was(text):
    shown = escaped(text)
    assert not HIDDEN.search(shown)
    if not HIDDEN.search(text):
        assert shown == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\u202egnp", r"\u202egnp"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("\x9b31m", r"\x9b31m"),
        ("b\udcff", r"b\udcff"),
        ("over\rwritten", r"over\rwritten"),
        ("\U000e0041", r"\U000e0041"),
        ("r\u00fcben 日本 \U0001f600\tx\n", "r\u00fcben 日本 \U0001f600\tx\n"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text, shown):
    assert escaped(text) == shown


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_a_spreadsheet_would_run_has_an_apostrophe(first):
    text = f"{first}cmd|' /C calc'!A0"
    assert read(csv_text([[text, "b"]])) == [["'" + escaped(text), "b"]]


@pytest.mark.parametrize("number", [-1, -0.5, "-0.500000", "-7", "+3e5", "-inf", "nan", ""])
def test_a_number_has_no_apostrophe(number):
    assert csv_text([["a", number]]) == f"a,{number}\n"


def test_a_name_that_is_not_utf_8_can_be_written():
    assert csv_text([["b\udcff"]]).encode() == b"b\\udcff\n"


@given(st.lists(st.lists(st.text().map(escaped), min_size=2)))
def test_texts_come_back(rows):
    guarded = [[cell.removeprefix("'") for cell in row] for row in read(csv_text(rows))]
    assert guarded == [[cell.removeprefix("'") for cell in row] for row in rows]


def read(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text, newline="")))


def test_csv_files_are_written_at_one_place():
    found = [
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("writer", "DictWriter")
        if isinstance(node.value, ast.Name) and node.value.id == "csv"
    ]
    assert found == ["names.py"]
