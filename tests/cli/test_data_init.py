"""`gridgen data init`: what it prints."""

import json

import numpy as np
import pytest
from PIL import Image

FOUND = """\
layout  masks: images/{name}, masks/{name}
train   2 images, 1 without a label
labels  ids 0, 3, 255

class         id   colour  stored as
class 0        0  #000000          0
class 1        1  #e69f00          3
         ignored                 255

wrote  in/classes.txt, in/dataset.yaml
next   name the classes in in/classes.txt
next   gridgen data split in
"""
SETTINGS = """\
# masks
images: "images/{name}"
labels: "masks/{name}"
values:
  0: 0
  3: 1
  255: ignore
"""


@pytest.fixture
def folder(place):
    for name in ("images/a.png", "images/b.png", "masks/a.png"):
        (place / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.array([[0, 3, 255]], np.uint8)).save(place / "in" / name)
    return place / "in"


def test_a_folder_that_is_understood(folder, gridgen):
    assert gridgen("data", "init", "in") == (0, FOUND, "")
    assert (folder / "dataset.yaml").read_text("utf-8") == SETTINGS
    assert (folder / "classes.txt").read_text("utf-8").splitlines() == [
        "# id\tname\tR\tG\tB\trole",
        "0\tclass 0\t0\t0\t0\tclass",
        "1\tclass 1\t230\t159\t0\tclass",
    ]


def test_colours_are_shown_once(folder, gridgen):
    Image.fromarray(np.array([[[0, 0, 0], [9, 9, 9], [0, 0, 0]]], np.uint8)).save(
        folder / "masks/a.png"
    )
    _, out, _ = gridgen("data", "init", "in")
    assert "class    id   colour\nclass 0   0  #000000\nclass 1   1  #090909\n" in out


def test_a_file_that_was_there_is_told(folder, gridgen):
    (folder / "classes.txt").write_text("0\ta\t0\t0\t0\tclass\n1\tb\t9\t0\t0\tclass\n")
    code, out, _ = gridgen("data", "init", "in")
    assert code == 0
    assert out.endswith(
        "\nkept   in/classes.txt, which was there\nwrote  in/dataset.yaml\n"
        "next   gridgen data split in\n"
    )


def test_as_json(folder, gridgen):
    found = json.loads(gridgen("data", "init", "in", "--json")[1])
    assert found["splits"] == {"train": {"images": 2, "labels": 1}}
    assert found["values"] == {"0": 0, "3": 1, "255": "ignore"}


def test_what_is_not_understood_is_one_line_and_exit_code_2(place, gridgen):
    (place / "in").mkdir()
    code, out, err = gridgen("data", "init", "in")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "in: no files; no images with labels such as" in err
