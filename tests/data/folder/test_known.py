"""Which layout a folder is recognized as."""

import json

import numpy as np
import pytest
from PIL import Image

from gridgen import init_data, split_data
from gridgen.data.check import check_data
from gridgen.data.folder import known as module, read_settings
from gridgen.data.folder.known import KNOWN, KnownLayout, recognized
from gridgen.errors import DataError

IDS = np.array([[0, 1, 1], [0, 0, 1]], np.uint8)


def fill(root, known, of_labels=".png"):
    """Two images and labels of each split, wherever the layout has them."""
    splits = ("train", "val") if "{split}" in known.images else ("all",)
    for split in splits:
        for name in "ab":
            for channel in range(2 if "{channel}" in known.images else 1):
                fields = {"split": split, "folder": "p1", "name": name, "channel": f"{channel:04}"}
                image = root / (known.images.format(**fields) + ".png")
                image.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(IDS * 90).save(image)
            label = root / known.labels.format(**fields)
            label.parent.mkdir(parents=True, exist_ok=True)
            if label.suffix != ".json":
                Image.fromarray(IDS).save(label.with_name(label.name + of_labels))
        if known.labels.endswith(".json"):
            label.write_text(json.dumps(annotations()), "utf-8")
    return len(splits)


def annotations():
    images = [
        {"id": id_, "file_name": f"{name}.png", "height": 2, "width": 3}
        for id_, name in enumerate("ab")
    ]
    runs = {"size": [2, 3], "counts": [2, 1, 1, 2]}
    objects = [{"image_id": id_, "category_id": 4, "segmentation": runs} for id_ in range(2)]
    return {"images": images, "annotations": objects, "categories": [{"id": 4, "name": "cat"}]}


def needs(known):
    if known.labels.endswith(".json"):
        pytest.importorskip("pycocotools.mask", reason="the extra coco is not installed")


@pytest.mark.parametrize("known", KNOWN, ids=str)
def test_every_known_layout_is_recognized_and_without_faults_afterwards(known, tmp_path):
    needs(known)
    splits = fill(tmp_path, known)
    found = recognized(tmp_path)
    assert found.known == known
    assert list(found.labelled.values()) == [2] * splits
    init_data(tmp_path)
    if splits == 1:
        split_data(tmp_path, 0.5)
    checked = check_data(tmp_path)
    assert [fault.text for fault in checked.faults] == []
    assert sum(split.images for split in checked.splits) == 2 * splits
    assert sum(sum(split.counts.frequencies().pixels) for split in checked.splits) == 12 * splits


def test_a_layout_is_added_by_one_line(tmp_path, monkeypatch):
    own = KnownLayout("mine", "photos/{name}", "truth/{name}_gt")
    fill(tmp_path, own)
    with pytest.raises(DataError):
        recognized(tmp_path)
    monkeypatch.setattr(module, "KNOWN", (*KNOWN, own))
    assert init_data(tmp_path).layout == "mine"
    split_data(tmp_path, 0.5)
    assert check_data(tmp_path).faults == ()


def test_the_layout_of_most_labels_is_taken(tmp_path):
    fill(tmp_path, KnownLayout("", "images/{name}", "masks/{name}"))
    Image.fromarray(IDS).save(tmp_path / "images/a_mask.png")
    assert recognized(tmp_path).known.labels == "masks/{name}"


def test_splits_without_labels_are_left_out_and_numbers_of_years_too(tmp_path):
    fill(tmp_path, KNOWN[0])
    (tmp_path / "test/images").mkdir(parents=True)
    Image.fromarray(IDS).save(tmp_path / "test/images/z.png")
    (tmp_path / "val").rename(tmp_path / "Valid_2017")
    (tmp_path / "train").rename(tmp_path / "train2017")
    found = recognized(tmp_path)
    assert found.layout.splits == {"train": "train2017", "val": "Valid_2017"}
    init_data(tmp_path)
    assert check_data(tmp_path).faults == ()


def test_folders_that_are_no_splits_are_names(tmp_path):
    for patient in ("p1", "p2"):
        fill(tmp_path / patient, KnownLayout("", "{name}", "{name}_mask"))
    found = recognized(tmp_path)
    assert (found.known.images, found.labelled) == ("{name}", {"train": 4})


def test_what_is_not_understood_is_told_with_what_was_looked_for(tmp_path):
    (tmp_path / "photos").mkdir()
    Image.fromarray(IDS).save(tmp_path / "photos/a.png")
    with pytest.raises(DataError) as error:
        init_data(tmp_path)
    fact = f"{tmp_path}: 1 .png in photos; no images with labels such as {KNOWN[0]}; docs/data.md "
    fact += "lists the "
    assert str(error.value) == f"{fact}{len(KNOWN)} layouts, and dataset.yaml for others"
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
    with pytest.raises(DataError, match="no such directory"):
        init_data(tmp_path / "nowhere")


def test_the_folders_of_most_files_are_told(tmp_path):
    with pytest.raises(DataError, match=f"{tmp_path}: no files; no images with labels"):
        init_data(tmp_path)
    for place, ending, number in (
        ("photos", "JPG", 3),
        ("boxes/a", "txt", 2),
        ("b", "xml", 1),
        ("c", "json", 1),
        ("", "md", 1),
    ):
        for index in range(number):
            path = tmp_path / place / f"{index}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    told = r"2 .txt in boxes/a, .* in the folder itself, .* and more; no images"
    with pytest.raises(DataError, match=rf": 3 .jpg in photos, {told}"):
        init_data(tmp_path)


@pytest.mark.parametrize("known", [k for k in KNOWN if not k.labels.endswith(".json")], ids=str)
def test_labels_of_a_format_that_blurs_them_are_named(known, tmp_path):
    fill(tmp_path, known, of_labels=".jpg")
    with pytest.raises(DataError, match=r"\.jpg blurs ids .*; export labels as PNG, or make 0"):
        init_data(tmp_path)


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        ("{split}/Images {split}/Masks", "{split}/Images {split}/Masks"),
        ("IMAGES/{split} Labels/{split}", "IMAGES/{split} Labels/{split}"),
        ("image label", "image label"),
        ("imgs mask", "imgs mask"),
        ("Img Annotations", "Img Annotations"),
        ("images gt", "images gt"),
        ("pictures labels", None),
    ],
)
def test_folders_may_have_capitals_and_other_names(tmp_path, folders, found):
    images, labels = (f"{place}/{{name}}" for place in folders.split())
    fill(tmp_path, KnownLayout("", images, labels))
    if found is None:
        with pytest.raises(DataError, match="no images with labels"):
            recognized(tmp_path)
        return
    init_data(tmp_path)
    settings = read_settings(tmp_path)
    assert [settings.images, settings.labels] == [f"{place}/{{name}}" for place in found.split()]
    if "{split}" not in images:
        split_data(tmp_path, 0.5)
    assert check_data(tmp_path).faults == ()


def test_folders_that_hold_images_and_labels_each_are_one_dataset(tmp_path):
    for patient in ("p1", "p2", "p3"):
        fill(tmp_path / patient, KnownLayout("", "images/{name}", "masks/{name}"))
    init_data(tmp_path)
    made = split_data(tmp_path, 0.3, group="^[^_]+")
    assert sorted(made.lists["train"] + made.lists["val"]) == [
        f"p{number}/{name}" for number in (1, 2, 3) for name in "ab"
    ]
    assert len({name[:2] for name in made.lists["val"]}) == 1
    assert check_data(tmp_path).faults == ()


def test_a_folder_in_a_folder_is_found(tmp_path):
    fill(tmp_path / "archive", KnownLayout("", "images/{name}", "masks/{name}"))
    (tmp_path / "__MACOSX").mkdir()
    assert recognized(tmp_path).labelled == {"train": 2}


def test_labels_that_are_gifs_are_told_with_the_cure(tmp_path):
    known = KnownLayout("", "{split}/{name}", "{split}_masks/{name}_mask")
    fill(tmp_path, known, of_labels=".gif")
    with pytest.raises(
        DataError, match=r"_mask.gif: no label is read from .gif; convert labels to"
    ):
        init_data(tmp_path)


def test_a_folder_without_train_is_told_its_splits(tmp_path):
    fill(tmp_path, KNOWN[0])
    (tmp_path / "train").rename(tmp_path / "first")
    told = r"images with labels in first, val, by {split}/images/{name}, none of which is train"
    with pytest.raises(DataError, match=told):
        init_data(tmp_path)


def test_two_folders_of_one_split_are_told(tmp_path):
    fill(tmp_path, KNOWN[0])
    (tmp_path / "train").rename(tmp_path / "TRAIN")
    (tmp_path / "Train/images").mkdir(parents=True)
    with pytest.raises(DataError, match="TRAIN and Train are both the split train; rename one"):
        init_data(tmp_path)


def test_nifti_is_refused_by_name(tmp_path):
    (tmp_path / "imagesTr").mkdir()
    (tmp_path / "imagesTr/case_0000.nii.gz").write_bytes(b"")
    with pytest.raises(DataError, match=r"_0000.nii.gz: NIfTI \(.nii.gz\) is not read; convert to"):
        init_data(tmp_path)
