"""Which layout a folder is recognized as."""

import json

import numpy as np
import pytest
from PIL import Image

from gridgen import init_data, split_data
from gridgen.data.check import check_data
from gridgen.data.folder import known as module
from gridgen.data.folder.known import KNOWN, KnownLayout, recognized
from gridgen.errors import DataError

IDS = np.array([[0, 1, 1], [0, 0, 1]], np.uint8)


def fill(root, known):
    """Two images and labels of each split, wherever the layout has them."""
    splits = ("train", "val") if "{split}" in known.images else ("all",)
    for split in splits:
        for name in "ab":
            for channel in range(2 if "{channel}" in known.images else 1):
                fields = {"split": split, "name": name, "channel": f"{channel:04}"}
                image = root / (known.images.format(**fields) + ".png")
                image.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(IDS * 90).save(image)
            label = root / known.labels.format(**fields)
            label.parent.mkdir(parents=True, exist_ok=True)
            if label.suffix != ".json":
                Image.fromarray(IDS).save(label.with_name(label.name + ".png"))
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
    (tmp_path / "val").rename(tmp_path / "val2017")
    (tmp_path / "train").rename(tmp_path / "train2017")
    found = recognized(tmp_path)
    assert found.layout.splits == {"train": "train2017", "val": "val2017"}
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
    fact = f"{tmp_path}: no images with labels such as {KNOWN[0]}; docs/data.md lists the "
    assert str(error.value) == f"{fact}{len(KNOWN)} layouts, and dataset.yaml for others"
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
    with pytest.raises(DataError, match="no such directory"):
        init_data(tmp_path / "nowhere")


def test_nifti_is_refused_by_name(tmp_path):
    (tmp_path / "imagesTr").mkdir()
    (tmp_path / "imagesTr/case_0000.nii.gz").write_bytes(b"")
    with pytest.raises(DataError, match=r"_0000.nii.gz: NIfTI \(.nii.gz\) is not read; convert to"):
        init_data(tmp_path)
