"""A dataset read on past its faults."""

import shutil

import numpy as np
import pytest
from cityscapes import make_tree
from PIL import Image
from tifffile import imwrite

from gridgen.data.check import check_data
from gridgen.data.labelled import nothing_labelled
from gridgen.errors import DataError, unknown
from gridgen.images.files import SUFFIXES
from gridgen.training.tasks.requirements import load_splits

ENDINGS = ", ".join(SUFFIXES)


def faults(tree):
    return [(fault.kind, fault.text) for fault in check_data(str(tree.root)).faults]


def remarks(tree):
    return {remark.kind: remark.text for remark in check_data(str(tree.root)).remarks}


def test_a_folder_in_order_has_no_faults(tree):
    checked = check_data(str(tree.root))
    train, val = checked.splits
    assert (checked.name, checked.classes, checked.faults) == ("streets", ("sky", "road"), ())
    assert (train.name, train.images, dict(train.sizes)) == ("train", 2, {(4, 6): 2})
    assert (val.name, val.images, dict(val.depths)) == ("val", 1, {(3, 8): 1})
    assert train.counts.frequencies().pixels == (48, 0)


def test_all_faults_are_found_not_only_the_first(tree):
    tree.image("train/images/lonely.png", np.zeros((4, 6), np.uint8))
    tree.label("train/labels/orphan.png", np.zeros((4, 6)))
    tree.label("train/labels/a.png", np.zeros((6, 4)))
    ids = np.zeros((4, 6))
    ids[0, 0], ids[1] = 3, 200
    tree.label("val/labels/c.png", ids)
    tree.cut("train/images/b.webp")
    tree.write("train/labels/b.png", "")
    root = tree.root
    cure = "list them there, or map them by values in dataset.yaml"
    assert faults(tree) == [
        ("unpaired", f"{root}/train/images/lonely.png: no label; it would be "
         f"{root}/train/labels/lonely.png; draw one, or take the image away"),
        ("unpaired", f"{root}/train/labels/orphan.png: no image of that name in "
         f"{root}/train/images"),
        (
            "sizes",
            f"{root}/train/labels/a.png: 6x4 pixels, but images/a.png has 4x6; "
            "all files of a sample have one size",
        ),
        ("unreadable", f"{root}/train/images/b.webp: damaged, or no image: could not create "
         "decoder object"),
        ("unreadable", f"{root}/train/labels/b.png: the file is empty"),
        ("ids", f"{root}/val/labels/c.png: ids that classes.txt has not: 3 (1 pixel), "
         f"200 (6 pixels); {cure}"),
    ]  # fmt: skip


def test_ids_of_16_bits_are_told_as_they_are(tree):
    path = tree.image("val/labels/c.png", np.full((4, 6), 1000, np.uint16))
    [(kind, text)] = faults(tree)
    assert kind == "ids"
    assert text.startswith(f"{path}: ids that classes.txt has not: 1000 (24 pixels); list them")


def test_a_class_list_that_is_damaged_does_not_keep_images_from_being_read(tree):
    tree.write("classes.txt", "nothing\n")
    tree.write("dataset.yaml", "whit: 3\n")
    tree.cut("train/images/a.png")
    kinds = [kind for kind, _ in faults(tree)]
    assert kinds == ["classes", "settings", "unreadable"]


def test_images_whose_channels_make_no_set_are_a_fault(tree):
    import tifffile

    (tree.root / "val/images/c.jpg").unlink()
    path = tree.root / "val/images/c.tif"
    tifffile.imwrite(path, np.ones((4, 6, 5), np.uint8), photometric="minisblack", planarconfig=1)
    other = tree.root / "train/images/a.png"
    assert faults(tree) == [
        ("channels", f"{path}: 5 channels, but {other} has 3; the images of a dataset agree")
    ]


def test_two_files_of_one_name_and_an_empty_split_are_faults(tree):
    path = tree.image("train/images/a.tif", np.zeros((4, 6, 3), np.uint8))
    (tree.path("test/images/x")).touch()
    assert ("unpaired", f"{path}: a.png has the same name; remove one") in faults(tree)
    assert (
        "unpaired",
        f"{tree.root}/test/images: no images; they end in {ENDINGS}",
    ) in faults(tree)


def test_what_is_odd_is_told_and_is_no_fault(tree):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    for split, name in (("train", "a"), ("val", "a")):
        tree.image(f"{split}/images/{name}.png", noise)
        tree.label(f"{split}/labels/{name}.png", np.zeros((40, 60)))
    tree.write("val/images/Thumbs.db", "x")
    assert remarks(tree) == {
        "blank": "val: of one value throughout: c",
        "passed-over": "val: neither image nor label by its ending: val/images/Thumbs.db",
        "absent": "val: no pixel is road, which cannot be scored",
        "same-name": "in train and in val: a",
    }
    checked = check_data(str(tree.root))
    assert checked.faults == ()
    [alike] = checked.alike
    assert (alike.split, alike.other, alike.pairs) == ("train", "val", (("a", "a", 1.0),))


def test_pixels_without_a_value_are_counted_as_ignored(tree):
    tree.write("dataset.yaml", "nodata: 50\n")
    tree.image("val/images/c.png", np.full((4, 6, 3), 50, np.uint8))
    (tree.root / "val/images/c.jpg").unlink()
    val = check_data(str(tree.root)).splits[1]
    assert (val.ignored, val.counts.frequencies().pixels) == (1.0, (0, 0))
    assert ("unlabelled", nothing_labelled("streets", "val", 1)) in faults(tree)


def test_pixels_without_a_value_are_told_split_by_split(tree):
    for name, holes in (("train/images/a", 0), ("train/images/b", 3), ("val/images/c", 6)):
        for path in (tree.root / name).parent.glob(f"{name[-1]}.*"):
            path.unlink()
        values = np.linspace(0, 1, 24, dtype=np.float32).reshape(4, 6)
        values.flat[:holes] = np.nan
        imwrite(tree.root / f"{name}.tif", values)
    checked = check_data(str(tree.root))
    assert [
        (remark.kind, remark.text) for remark in checked.remarks if remark.kind == "nodata"
    ] == [
        ("nodata", "train: 6.25% of its pixels have no value, in b"),
        ("nodata", "val: 25.00% of its pixels have no value, in c"),
    ]
    assert checked.as_json()["splits"]["val"]["nodata_pixels"] == 6


@pytest.mark.parametrize(
    ("of_image", "of_label", "told"),
    [(1, 1, False), (3, 3, False), (3, 1, True), (1, 3, True), (2, 4, True)],
)
def test_pairs_whose_orientation_tags_differ_are_named(tree, of_image, of_label, told):
    tags = Image.Exif(), Image.Exif()
    for tag, orientation in zip(tags, (of_image, of_label), strict=True):
        tag[0x0112] = orientation
    Image.new("RGB", (6, 4), (9, 0, 0)).save(tree.root / "train/images/a.png", exif=tags[0])
    Image.new("L", (6, 4)).save(tree.root / "train/labels/a.png", exif=tags[1])
    found = "train: image and label have orientation tags that differ: a"
    assert remarks(tree).get("orientation") == (found if told else None)
    assert not faults(tree)


def test_a_split_that_no_training_reads_may_be_without_labels(tree):
    tree.image("test/images/d.png", np.zeros((4, 6, 3), np.uint8))
    tree.label("test/labels/d.png", np.full((4, 6), 7))
    assert faults(tree) == []
    assert remarks(tree)["absent"] == "val: no pixel is road, which cannot be scored"


@pytest.mark.parametrize("name", ["nuclei", "denoising"])
def test_a_named_dataset_is_read_too(name, stardist):
    seen = []
    checked = check_data(name, lambda done, total: seen.append((done, total)))
    assert seen == [(done, 39) for done in range(1, 40)]
    assert checked.faults == ()
    assert [split.images for split in checked.splits] == [35, 4]


def test_a_split_that_cannot_be_opened_does_not_hide_the_other(tmp_path):
    root = make_tree(tmp_path / "cs")
    next(root.glob("leftImg8bit/val/*/*.png")).unlink()
    checked = check_data(f"cityscapes:{root}")
    assert [split.name for split in checked.splits] == ["train"]
    assert [fault.kind for fault in checked.faults] == ["unreadable"]


def test_what_is_no_dataset_is_refused(tmp_path):
    for name, said in (
        ("nuclej", unknown("dataset or folder", "nuclej", ["nuclei"])),
        (f"cityscapes:{tmp_path}/x", f"{tmp_path}/x: no such directory"),
        (str(tmp_path), f"{tmp_path}: no split; a dataset has {{split}}/images and "
         "{split}/labels; gridgen data init finds others"),
    ):  # fmt: skip
        with pytest.raises(DataError) as error:
            check_data(name)
        assert str(error.value) == said


@pytest.mark.parametrize("left", [("train",), ("train", "test"), ("val",), ("test",)])
def test_what_a_training_finds_no_split_for_is_a_fault_in_the_same_words(tree, left):
    for split in ("train", "val"):
        shutil.rmtree(tree.root / split)
    for split in left:
        tree.image(f"{split}/images/a.png", np.zeros((4, 6, 3), np.uint8))
        tree.label(f"{split}/labels/a.png", np.zeros((4, 6)))
    with pytest.raises(DataError) as refusal:
        load_splits(str(tree.root))
    assert ("splits", str(refusal.value)) in faults(tree)


def test_a_folder_without_val_is_told_both_cures(tree):
    shutil.rmtree(tree.root / "val")
    assert faults(tree) == [
        (
            "splits",
            f"{tree.root}: no split val beside train; gridgen data split {tree.root} makes one, "
            "gridgen train --fold 1/5 needs none",
        )
    ]
    load_splits(str(tree.root), fold="1/2")


def test_a_test_split_without_labels_is_no_fault_and_val_without_them_is(tree):
    """A training does not read it."""
    tree.image("test/images/x.png", np.zeros((4, 6, 3), np.uint8))
    assert faults(tree) == []
    assert remarks(tree)["unlabelled"] == "test: none of its 1 images has a label, so none was read"
    (tree.root / "val/labels/c.png").unlink()
    assert [kind for kind, _ in faults(tree)] == ["unpaired"]
