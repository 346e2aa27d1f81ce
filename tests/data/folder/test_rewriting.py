"""Fields of a YAML file that are set by their lines alone."""

import pytest
import yaml

from gridgen.data.folder.rewriting import with_fields

LISTS = {"splits": {"train": "a.txt", "val": "b.txt"}}
TEXTS = [
    "",
    "white: 4095",
    "white: 4095  # of 12 bits\n",
    "# before\nwhite: 4095\n\n# after\n",
    "splits:\n  train: old.txt  # all\n# after\nwhite: 3\n",
    "white: 3\nsplits:\n    train: old.txt\n    test: 'test.txt'  # all",
    "splits: {train: old.txt, test: test.txt}  # lists\nwhite: 3\n",
    "splits:\nwhite: 3\n",
    "{}",
    "{}  # nothing yet\n",
    "splits: ~  # none\n",
    "{white: 4095, values: {0: 0, 255: 1}}\n",
    "values:\n  0: 0\n  255: 1  # cells\n# after\n",
    "white: 4095\r\nsplits:\r\n  train: old.txt  # all\r\n# after\r\n",
    "images: '{name}'  # Zürich 𝄞\nlabels: \"{name}_mask\"\n",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("fields", [LISTS, {"images": "in/{name}", **LISTS}, {"white": "3"}])
def test_the_fields_are_set_and_all_else_is_as_it_was(text, fields):
    before = yaml.load(text, yaml.BaseLoader) or {}
    new = with_fields(text, fields)
    expected = before | fields
    if isinstance(before.get("splits"), dict) and "splits" in fields:
        expected["splits"] = before["splits"] | fields["splits"]
    assert yaml.load(new, yaml.BaseLoader) == expected
    for line in text.splitlines():
        _, sign, comment = line.partition("#")
        assert f"{sign}{comment}" in new, "a comment is lost"
    assert new.endswith("\n")
    assert new.count("\r\n") in (0, new.count("\n"))


@pytest.mark.parametrize("text", [text for text in TEXTS if text])
def test_what_is_set_already_changes_nothing(text):
    once = with_fields(text, LISTS)
    assert with_fields(once, LISTS) == once


def test_a_comment_stays_in_its_line():
    assert with_fields("splits:\n  train: old.txt  # all\nwhite: 3\n", LISTS) == (
        'splits:\n  train: "a.txt"  # all\n  val: "b.txt"\nwhite: 3\n'
    )
