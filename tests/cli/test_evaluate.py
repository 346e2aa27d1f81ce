"""`gridgen evaluate` and `predict`: folders of tables, and how images are seen."""

import json

import pytest
from PIL import Image

from gridgen.errors import unknown


def test_evaluate_writes_a_page_and_tables(with_run, gridgen):
    code, out, err = gridgen(
        *("evaluate", "run", "--data", "shapes", "--no-baseline", "-o", "val", "--worst", "3")
    )
    assert (code, err) == (0, "")
    assert out.endswith(
        "\nwrote  val/index.html, val/scores.json, val/images.csv, val/classes.csv, "
        "val/confusion.csv, val/confusion.png\n"
    )
    assert json.loads((with_run / "val" / "scores.json").read_text("utf-8"))["images"] == 64
    assert "The 3 worst images" in (with_run / "val" / "index.html").read_text("utf-8")


def test_the_inference_is_told_where_it_is_not_the_runs(with_run, gridgen):
    (with_run / "mine.yaml").write_text("flip: true\n")
    for flags, told in (
        (("--inference", "mine.yaml"), "whole images, mirrored too"),
        (("--window", "32"), "windows of 32, gaussian weights"),
        (("--precision", "bf16"), "whole images, bf16"),
    ):
        code, out, err = gridgen("evaluate", "run", "--data", "shapes", "--no-baseline", *flags)
        assert (code, err) == (0, "")
        assert f"inference     {told}" in out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            "--inference mulitscale",
            unknown("inference or YAML file", "mulitscale", ["multiscale"]),
        ),
        ("--window 2", "--window: 2 is less than 8"),
        ("--precision fp16", "--precision: 'fp16' is not one of: 'fp32', 'bf16' or 'auto'"),
        ("--inference paper --window 100", "stride"),
        (
            "--inference quick.yaml",
            "quick.yaml: this is a recipe; gridgen train --recipe and studies read it",
        ),
    ],
)
def test_what_no_inference_can_be_is_one_line(flags, message, with_run, gridgen):
    code, out, err = gridgen("predict", "run", "image.png", *flags.split())
    assert (code, out) == (2, "")
    assert message in err
    assert not (with_run / "out").exists()


def test_predict_takes_folders_and_names_the_first_ten(with_run, gridgen):
    (with_run / "in").mkdir()
    for number in range(12):
        Image.new("RGB", (16, 16)).save(with_run / "in" / f"{number:02}.png")
    code, out, err = gridgen("predict", "run", "in", "-o", "seen")
    assert (code, err) == (0, "")
    *_, tenth, last = out.splitlines()
    assert tenth == "wrote  seen/09.png, seen/09_labels.png"
    assert last == "       and two files for each of 2 more"
    assert len(list((with_run / "seen").iterdir())) == 24


def test_predict_of_an_empty_folder_is_one_line(with_run, gridgen):
    (with_run / "in").mkdir()
    assert gridgen("predict", "run", "in") == (
        2,
        "",
        "in: no images in it; they end in .png, .jpg, .jpeg, .webp, .bmp, .tif, .tiff\n",
    )


def test_a_file_in_the_way_is_found_before_anything_is_scored(with_run, gridgen):
    assert gridgen("evaluate", "run", "--data", "shapes", "-o", "mine.yaml") == (
        2,
        "",
        "mine.yaml: cannot be made: a file is in the way\n",
    )
