"""Labels drawn from COCO annotations."""

import json
import pickle
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from gridgen.data.check import check_data
from gridgen.data.dataset import IGNORE
from gridgen.data.folder import Folder
from gridgen.data.frequencies import count_pixels
from gridgen.errors import DataError, SpecError
from gridgen.images import Window

reference = pytest.importorskip("pycocotools.mask", reason="the extra coco is not installed")

HEIGHT, WIDTH = 9, 12
CLASSES = "0\tbackground\t0\t0\t0\tclass\n1\tcat\t90\t0\t0\tclass\n2\tdog\t0\t90\t0\tclass\n"
SETTINGS = 'images: "images/{name}"\nlabels: "annotations/{split}.json"\n'.replace("{split}", "all")
IMAGE = {"id": 10, "file_name": "a.png", "height": HEIGHT, "width": WIDTH}
CATEGORIES = [{"id": 7, "name": "cat"}, {"id": 3, "name": "dog"}]


def box(left, top, right, bottom):
    return [left, top, right, top, right, bottom, left, bottom]


def drawn(segmentation, category=7, **fields):
    return {"id": 1, "image_id": 10, "category_id": category, "segmentation": segmentation} | fields


@pytest.fixture
def make(tmp_path):
    """A folder of one image, or of the images given, with these annotations."""

    def made(annotations, classes=CLASSES, settings=SETTINGS, images=(IMAGE,), **parts):
        root = tmp_path / "pets"
        for image in images:
            path = root / "images" / image["file_name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((image["height"], image["width"]), np.uint8)).save(path)
        content = {"images": images, "annotations": annotations, "categories": CATEGORIES} | parts
        (root / "annotations").mkdir(exist_ok=True)
        (root / "annotations/all.json").write_text(json.dumps(content), "utf-8")
        (root / "classes.txt").write_text(classes, "utf-8")
        (root / "dataset.yaml").write_text(settings, "utf-8")
        return root

    return made


def label(root):
    return Folder(root)[0].label.numpy()


def test_polygons_are_drawn_as_the_reference_draws_them(make):
    rng = np.random.default_rng(0)
    for _ in range(30):
        # Some of the points lie outside of the image.
        polygons = [
            (rng.uniform(-3, 15, 2 * n)).round(2).tolist() for n in rng.integers(3, 8, size=2)
        ]
        rles = reference.frPyObjects(polygons, HEIGHT, WIDTH)
        with warnings.catch_warnings(action="ignore"):  # of NumPy 2, which it does not know
            expected = reference.decode(reference.merge(rles))
        assert (label(make([drawn(polygons)])) == expected).all()


@pytest.mark.parametrize("compressed", [False, True])
def test_masks_are_read_as_the_reference_reads_them(make, compressed):
    rng = np.random.default_rng(1)
    for share in (0, 0.01, 0.3, 0.5, 1):
        mask = (rng.random((HEIGHT, WIDTH)) < share).astype(np.uint8)
        code = {"size": [HEIGHT, WIDTH], "counts": runs(mask)}
        if compressed:
            code["counts"] = reference.encode(np.asfortranarray(mask))["counts"].decode()
        assert (label(make([drawn(code)])) == mask).all()


def test_long_runs_are_read_as_the_reference_reads_them(make):
    mask = np.zeros((700, 900), np.uint8)
    mask[100:650, 3:850] = 1
    mask[30:31, 400:403] = 1
    code = reference.encode(np.asfortranarray(mask))["counts"].decode()
    image = IMAGE | {"height": 700, "width": 900}
    root = make([drawn({"size": [700, 900], "counts": code})], images=[image])
    assert (label(root) == mask).all()


def runs(mask):
    """Lengths of equal pixels down the columns, outside first."""
    flat = mask.T.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    return [0] * int(flat[0]) + np.diff([0, *ends, flat.size]).tolist()


def test_later_objects_lie_on_top_and_a_crowd_is_ignored(make):
    found = label(
        make(
            [
                drawn([box(0, 0, 6, 6)], 7),
                drawn([box(3, 3, 9, 9)], 3),
                drawn([box(0, 8, 12, 9)], 3, iscrowd=1),
            ]
        )
    )
    assert (found[1, 1], found[4, 4], found[7, 7]) == (1, 2, 2)
    assert (found[8] == IGNORE).all()
    assert found[0, 11] == 0


def test_without_a_class_named_background_pixels_of_no_object_are_ignored(make):
    classes = "0\tcat\t90\t0\t0\tclass\n1\tdog\t0\t90\t0\tclass\n"
    found = label(make([drawn([box(0, 0, 6, 6)])], classes))
    assert (found[0, 0], found[0, 11]) == (0, IGNORE)


def test_a_category_may_be_ignored_but_not_be_unknown(make):
    root = make(
        [drawn([box(0, 0, 6, 6)], 3)],
        CLASSES.replace("dog\t0\t90\t0\tclass", "dog\t0\t90\t0\tignore"),
    )
    assert label(root)[0, 0] == IGNORE
    root = make([drawn([box(0, 0, 6, 6)], 3)] * 2, CLASSES.replace("dog", "horse"))
    with pytest.raises(DataError) as error:
        Folder(root)
    assert str(error.value).endswith(
        "annotations/all.json: categories that classes.txt has not: dog (2 in a); "
        "list them there, perhaps with the role ignore"
    )


def test_blanks_around_the_name_of_a_category_mean_nothing(make):
    categories = [{"id": 7, "name": " cat "}]
    assert label(make([drawn([box(0, 0, 6, 6)])], categories=categories))[0, 0] == 1


def test_a_part_is_cut_from_the_whole(make):
    dataset = Folder(make([drawn([box(2, 1, 7, 5)])]))
    part = dataset.window(0, Window.square(2, 3, 4)).label
    assert (part == dataset[0].label[2:6, 3:7]).all()


def test_what_was_read_goes_to_other_processes(make):
    dataset = Folder(make([drawn([box(2, 1, 7, 5)])]))
    assert (pickle.loads(pickle.dumps(dataset))[0].label == dataset[0].label).all()


def test_images_may_lie_in_folders_and_splits_have_files_of_their_own(make):
    images = [IMAGE | {"id": n, "file_name": f"{s}/x/a.png"} for n, s in enumerate("tv")]
    settings = (
        'images: "images/{split}/{name}"\nlabels: "annotations/{split}.json"\n'
        "splits: {train: t, val: v}"
    )
    root = make([], settings=settings, images=images)
    for number, split in enumerate("tv"):
        content = {"images": [images[number] | {"file_name": "x/a.png"}], "categories": CATEGORIES}
        content["annotations"] = [drawn([box(0, 0, 6, 6)], 7 - 4 * number, image_id=number)]
        (root / f"annotations/{split}.json").write_text(json.dumps(content), "utf-8")
    found = {split: Folder(root, split) for split in ("train", "val")}
    assert [d.names for d in found.values()] == [("x_a",), ("x_a",)]
    assert [int(d[0].label[0, 0]) for d in found.values()] == [1, 2]


def test_a_file_of_all_splits_is_parted_by_lists(make, monkeypatch, tmp_path):
    monkeypatch.setenv("GRIDGEN_HOME", str(tmp_path / "home"))
    images = [IMAGE | {"id": n, "file_name": f"{n}.png"} for n in range(2)]
    objects = [drawn([box(0, 0, 6, 6)], 7 - 4 * n, image_id=n) for n in range(2)]
    settings = SETTINGS + "splits: {train: t.txt, val: v.txt}"
    root = make(objects, settings=settings, images=images)
    for number, split in enumerate("tv"):
        (root / f"{split}.txt").write_text(f"{number}\n", "utf-8")
    train, val = (Folder(root, split) for split in ("train", "val"))
    assert (train.names, val.names) == (("0",), ("1",))
    # Both splits have one label file, and the same one.
    assert [count_pixels(d).pixels for d in (train, val)] == [(72, 36, 0), (72, 0, 36)]
    assert not check_data(root).faults


def test_file_names_may_begin_at_the_folder_of_the_dataset(make):
    root = make([drawn([box(0, 0, 6, 6)])])
    path = root / "annotations/all.json"
    path.write_text(path.read_text("utf-8").replace('"a.png"', '"images\\\\a.png"'), "utf-8")
    assert label(root)[0, 0] == 1


def test_file_names_may_take_a_detour(make):
    root = make([drawn([box(0, 0, 6, 6)])])
    path = root / "annotations/all.json"
    path.write_text(path.read_text("utf-8").replace('"a.png"', '"../images/./x/../a.png"'), "utf-8")
    assert label(root)[0, 0] == 1


DAMAGED = {
    "an image without its width": (
        {"images": [{"id": 1, "file_name": "a.png", "height": 9}]},
        "images.0.width is missing; COCO annotations are wanted",
    ),
    "no categories": ({"categories": 3}, "categories: Input should be a valid array"),
    "an image twice": ({"images": [IMAGE, IMAGE]}, "image id 10 stands there 2 times"),
    "an image that is not there": (
        {"images": [IMAGE, IMAGE | {"id": 2, "file_name": "b.png"}]},
        "image 'b.png' is not in",
    ),
    "an image by two paths": (
        {"images": [IMAGE, IMAGE | {"id": 2, "file_name": "./a.png"}]},
        "images 'a.png' and './a.png' are one file",
    ),
    "an image by a detour": (
        {"images": [IMAGE, IMAGE | {"id": 2, "file_name": "b/../a.png"}]},
        "images 'a.png' and 'b/../a.png' are one file",
    ),
    "an image by two folders": (
        {"images": [IMAGE, IMAGE | {"id": 2, "file_name": "images/a.png"}]},
        "images 'a.png' and 'images/a.png' are one file",
    ),
    "another size": (
        {"images": [IMAGE | {"width": 11}]},
        "image 'a.png' has 9x11 pixels there, and 9x12 itself",
    ),
    "an unknown image": (
        {"annotations": [drawn([], image_id=99)]},
        "annotation 1 is of image 99, which is missing",
    ),
    "an unknown category": (
        {"annotations": [drawn([], 99)]},
        "annotation 1 is of category 99, which is missing",
    ),
}


@pytest.mark.parametrize(("parts", "told"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_told(make, parts, told):
    root = make([])
    content = {"images": [IMAGE], "annotations": [], "categories": CATEGORIES} | parts
    (root / "annotations/all.json").write_text(json.dumps(content), "utf-8")
    with pytest.raises(DataError) as error:
        Folder(root)
    assert f"annotations/all.json: {told}" in str(error.value)
    assert "\n" not in str(error.value)
    assert any(told in fault.text for fault in check_data(root).faults)


OUTLINES = {
    "a box alone": ([], "no polygon and no mask; export outlines, not boxes alone"),
    "two points": ([[1, 2, 3, 4]], "a polygon of shape (4,); it has x and y of 3 points or more"),
    "an odd number": ([[1, 2, 3, 4, 5, 6, 7]], "a polygon of shape (7,)"),
    "text": ([["a"] * 6], "a polygon is a list of numbers"),
    "a number": (5, "its segmentation is neither polygons nor run lengths"),
    "a polygon far away": ([[0, 0, 1e9, 0, 1e9, 1e9]], "a polygon far outside of the 9x12 pixels"),
    "a polygon of no numbers": ([[0, 0, float("nan"), 0, 1, 1]], "a polygon far outside"),
    "another size": (
        {"size": [4, 4], "counts": [16]},
        "run lengths of size [4, 4], but the image has [9, 12]",
    ),
    "too few": (
        {"size": [9, 12], "counts": [16]},
        "run lengths of 16 pixels, but the image has 108",
    ),
    "too few in the code": ({"size": [9, 12], "counts": "05"}, "run lengths of 5 pixels"),
    "a negative run": (
        {"size": [9, 12], "counts": [-1, 108, 1]},
        "a run length is negative or more",
    ),
    "a huge run": ({"size": [9, 12], "counts": [10**30]}, "run lengths are neither a code"),
    "another alphabet": ({"size": [9, 12], "counts": "\x00~"}, "run lengths are no code of COCO"),
    "no code": ({"size": [9, 12], "counts": ""}, "run lengths are no code of COCO"),
    "no counts": ({"size": [9, 12]}, "run lengths are neither a code of COCO nor a list"),
    "longer than any image": (
        {"size": [9, 12], "counts": "P" * 9 + "0"},
        "run lengths are longer than any image",
    ),
    "cut off": ({"size": [9, 12], "counts": "P"}, "run lengths are no code of COCO, or are"),
}


@pytest.mark.parametrize(("segmentation", "told"), OUTLINES.values(), ids=OUTLINES)
def test_an_outline_that_means_nothing_is_told(make, segmentation, told):
    root = make([drawn(segmentation, id=17)])
    with pytest.raises(DataError) as error:
        Folder(root)
    assert f"annotations/all.json: annotation 17: {told}" in str(error.value)
    assert any(told in fault.text for fault in check_data(root).faults)


@pytest.mark.parametrize("content", ["", "{", "[]", "\xff", '{"info": 1}'])
def test_a_file_that_is_no_json_is_one_line(make, content):
    root = make([])
    (root / "annotations/all.json").write_text(content, "latin-1")
    with pytest.raises(DataError, match=r"annotations/all.json: [^\n]+COCO annotations are wanted"):
        Folder(root)
    (root / "annotations/all.json").unlink()
    with pytest.raises(DataError, match=r"all.json: No such file or directory"):
        Folder(root)


def test_numbers_have_no_meaning_beside_categories(make):
    with pytest.raises(SpecError, match="values: COCO annotations hold categories"):
        Folder(make([], settings=SETTINGS + "values: {1: 0}"))


def test_a_file_is_read_once_while_it_stays_the_same(make, monkeypatch):
    root = make([drawn([box(0, 0, 6, 6)])])
    first = Folder(root)
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda path: pytest.fail("read again"))
    assert (Folder(root)[0].label == first[0].label).all()


def test_what_is_missing_is_told_with_its_cure(make, monkeypatch):
    root = make([])
    monkeypatch.setitem(sys.modules, "pycocotools.mask", None)
    with pytest.raises(DataError, match=r"which is not installed; pip install 'gridgen\[coco\]'"):
        Folder(root)
