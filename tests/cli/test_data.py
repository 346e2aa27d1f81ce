"""`gridgen data check`: what it prints, and its exit codes."""

import json
from shutil import rmtree

import numpy as np
import pytest
from PIL import Image

from gridgen.data import DATASETS
from gridgen.data.labelled import nothing_labelled
from gridgen.errors import unknown

CLASSES = "0\tsky\t0\t0\t255\tclass\n1\troad\t90\t90\t90\tclass\n7\tvoid\t0\t0\t0\tignore\n"


@pytest.fixture
def streets(place):
    """A dataset of two splits, whose images are noise of their own."""
    rng = np.random.default_rng(0)
    for split, names in (("train", "ab"), ("val", "c")):
        for part in ("images", "labels"):
            (place / "streets" / split / part).mkdir(parents=True)
        for name in names:
            pixels = rng.integers(0, 256, (40, 60, 3), np.uint8)
            Image.fromarray(pixels).save(place / f"streets/{split}/images/{name}.png")
            ids = np.repeat(np.array([0, 0, 1, 7], np.uint8), 10)[:, None].repeat(60, 1)
            Image.fromarray(ids).save(place / f"streets/{split}/labels/{name}.png")
    (place / "streets" / "classes.txt").write_text(CLASSES)
    return place / "streets"


TABLE = """\
class     train                        images  weight     val  images
sky      66.67%  ####################       2    0.75  66.67%       1
road     33.33%  ##########                 2    1.50  33.33%       1
ignored  25.00%                                        25.00%
"""
HEAD = """\
dataset  streets
train    2 images, 40x60, 3 channels of 8 bits
val      1 image, 40x60, 3 channels of 8 bits
spec     in_channels: 3, classes: 2

"""


def test_a_folder_in_order(streets, gridgen):
    assert gridgen("data", "check", "streets") == (
        0,
        f"{HEAD}{TABLE}\nno faults, 3 images read\n",
        "",
    )


def test_a_folder_with_faults_and_oddities(streets, gridgen):
    (streets / "train/labels/b.png").write_bytes(b"")
    (streets / "val/images/c.png").write_bytes((streets / "train/images/a.png").read_bytes())
    code, out, err = gridgen("data", "check", "streets")
    assert (code, err) == (1, "")
    assert out.endswith(
        """
odd: alike
  1 of 1 images of val look like one of train: a score on them is no test of new places
  1.00  val/c, train/a

wrong: unreadable
  streets/train/labels/b.png: the file is empty

1 fault, 3 images read
"""
    )


def test_labels_without_any_class_are_told_split_by_split(streets, gridgen):
    for path in streets.glob("*/labels/*.png"):
        Image.fromarray(np.full((40, 60), 7, np.uint8)).save(path)
    code, out, err = gridgen("data", "check", "streets")
    assert (code, err) == (1, "")
    assert "ignored  100.00%" in out
    assert out.endswith(
        f"""wrong: unlabelled
  {nothing_labelled("streets", "train", 2)}
  {nothing_labelled("streets", "val", 1)}

2 faults, 3 images read
"""
    )


def test_many_faults_of_one_kind_are_cut_short(streets, gridgen):
    for number in range(12):
        (streets / f"train/labels/x{number:02d}.png").write_bytes(
            (streets / "train/labels/a.png").read_bytes()
        )
    _, out, _ = gridgen("data", "check", "streets")
    assert "x09.png: no image of that name in streets/train/images\n  and 2 more; --json" in out
    assert out.endswith("12 faults, 3 images read\n")
    code, out, _ = gridgen("data", "check", "streets", "--json")
    assert code == 1
    assert len(json.loads(out)["faults"]) == 12


def test_images_of_several_sizes_and_depths(streets, gridgen):
    Image.fromarray(np.zeros((8, 9), np.uint16)).save(streets / "train/images/a.png")
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(streets / "train/labels/a.png")
    _, out, _ = gridgen("data", "check", "streets")
    assert (
        "train    2 images, 2 sizes from 8x9 to 40x60, most often 8x9, "
        "1 with 1 channel of 16 bits, 1 with 3 channels of 8 bits\n"
    ) in out


def test_json_has_it_all(streets, gridgen):
    code, out, _ = gridgen("data", "check", "streets", "--json")
    found = json.loads(out)
    assert code == 0
    assert list(found) == ["dataset", "classes", "splits", "faults", "remarks", "alike"]
    assert found["splits"]["train"] == {
        "images": 2,
        "sizes": {"40x60": 2},
        "depths": [{"channels": 3, "bits": 8, "images": 2}],
        "nodata_pixels": 0,
        "pixels": [2400, 1200],
        "images_with_class": [2, 2],
        "ignored_pixels": 1200,
        "median_frequency_weights": [0.75, 1.5],
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["check", "streats"],
            unknown("dataset or folder", "streats", {*DATASETS} - {"folder"}),
        ),
        (
            ["check", "."],
            ".: no split; a dataset has {split}/images and {split}/labels; "
            "gridgen data init finds others",
        ),
        (["check", "denoising:nowhere"], "nowhere: no such directory"),
        ([], "gridgen data: Missing command; see gridgen data --help"),
    ],
)  # fmt: skip
def test_what_is_no_dataset_is_refused_in_one_line(place, gridgen, arguments, said):
    assert gridgen("data", *arguments) == (2, "", f"{said}\n")


def test_a_split_as_json(streets, gridgen):
    rmtree(streets / "val")
    code, out, _ = gridgen("data", "split", "streets", "--val", "0.5", "--seed", "1", "--json")
    assert (code, json.loads(out)) == (
        0,
        {
            "lists": {"train": ["b"], "val": ["a"]},
            "groups": 2,
            "absent": [],
            "better_seed": None,
            "left_out": {},
            "written": [
                "streets/splits/train.txt",
                "streets/splits/val.txt",
                "streets/dataset.yaml",
            ],
        },
    )


def test_a_val_is_split_off_by_names(streets, gridgen):
    rmtree(streets / "val")
    assert gridgen("data", "split", "streets", "--val", "0.5", "--seed", "1") == (
        0,
        "train  1 image\n"
        "val    1 image\n"
        "wrote  streets/splits/train.txt, streets/splits/val.txt, streets/dataset.yaml\n"
        "next   gridgen data check streets\n",
        "",
    )
    code, out, _ = gridgen("data", "check", "streets")
    assert (code, out.splitlines()[-1]) == (0, "no faults, 2 images read")
    code, out, err = gridgen("data", "split", "streets")
    assert (code, out, err) == (2, "", "streets has val already; --force divides train anew\n")


@pytest.mark.parametrize(
    "option", [("--val", "2"), ("--group", "("), ("--seed", "-1"), ("--group", "x")]
)
def test_options_that_cannot_be_are_one_line(streets, gridgen, option):
    code, out, err = gridgen("data", "split", "streets", "--force", *option)
    assert (code, out) == (2, "")
    assert option[0] in err
    assert not (streets / "splits").exists()
