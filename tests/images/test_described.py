"""docs/data.md says what the rules of image files are."""

import re
from pathlib import Path

import pytest

from gridgen.images.files import LABEL_SUFFIXES, LIMIT, SUFFIXES
from gridgen.images.header import Photometric
from gridgen.images.rules import PERCENTILES, UPRIGHT
from gridgen.images.scale import ScaleFields
from gridgen.images.tiff import MOST_PAGES

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")
SECTION = PAGE.split("### Image files\n")[1].split("\n### ")[0]
ROWS = {
    name: cells
    for name, *cells in re.findall(r"^\| (.+?) \| (.*?) ?\| (.*?) ?\| (.*?) ?\|$", SECTION, re.M)
}


def test_every_suffix_is_in_the_table():
    images, labels, _ = (re.findall(r"`(\.\w+)`", cell) for cell in ROWS["format"])
    assert (tuple(images), tuple(labels)) == (SUFFIXES, LABEL_SUFFIXES)


@pytest.mark.parametrize("interpretation", Photometric)
def test_every_photometric_interpretation_has_a_row(interpretation):
    assert any(name.split(": ")[-1] == interpretation.value for name in ROWS)


@pytest.mark.parametrize("field", ScaleFields.model_fields)
def test_every_number_that_dataset_yaml_may_say_is_in_the_table(field):
    assert f"`{field}`" in "".join((*ROWS, *ROWS["nodata"]))


def test_the_numbers_of_the_table_are_those_of_the_rules():
    low, high = PERCENTILES
    assert f"from its {low:g}st to its {high:g}th percentile" in ROWS["greatest number"][0]
    assert f"the tag, {min(UPRIGHT)} to {max(UPRIGHT)}," in ROWS["orientation"][0]
    assert f"over {MOST_PAGES}" in ROWS["pages"][2]
    assert f"`{LIMIT}=20` allows" in ROWS["size"][2]
