"""By what a run knows its data again."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from gridgen.training.tasks.fingerprint import fingerprint
from gridgen.training.tasks.requirements import load_splits

SIZE = 8
CLASSES = "0\tbackground\t0\t0\t0\tclass\n1\tcat\t90\t0\t0\tclass\n"


def folder(root, settings):
    """Three grey images in `images`, and what classes.txt and dataset.yaml say."""
    for name in "abc":
        (root / "images").mkdir(parents=True, exist_ok=True)
        Image.new("L", (SIZE, SIZE), 9).save(root / f"images/{name}.png")
    (root / "classes.txt").write_text(CLASSES, "utf-8")
    (root / "dataset.yaml").write_text(f'images: "images/{{name}}"\n{settings}', "utf-8")
    return root


@pytest.fixture
def masks(tmp_path):
    root = folder(tmp_path / "masks", 'labels: "masks/{name}"\n')
    (root / "masks").mkdir()
    for name in "abc":
        Image.fromarray(np.eye(SIZE, dtype=np.uint8)).save(root / f"masks/{name}.png")
    return root


def seen(root, fold="1/3", holdout=None):
    return fingerprint(load_splits(str(root), holdout, fold))


def test_a_copy_is_the_same_data_wherever_and_whenever_it_was_made(masks, tmp_path):
    copied = tmp_path / "elsewhere"
    shutil.copytree(masks, copied)
    for path in copied.rglob("*.png"):
        os.utime(path, ns=(0, 0))
    assert seen(copied) == seen(masks)


@pytest.mark.parametrize("name", "abc")
def test_each_label_counts_be_it_trained_on_scored_or_held_out(masks, name):
    before = seen(masks, "1/2", "c")
    Image.fromarray(np.eye(SIZE, dtype=np.uint8)[::-1]).save(masks / f"masks/{name}.png")
    after = seen(masks, "1/2", "c")
    assert after.label_files != before.label_files
    assert (after.images, after.labels) == (before.images, before.labels)


def test_two_labels_that_change_places_are_other_labels(masks):
    Image.fromarray(np.zeros((SIZE, SIZE), np.uint8)).save(masks / "masks/a.png")
    before = seen(masks)
    first, second = masks / "masks/a.png", masks / "masks/b.png"
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)
    assert seen(masks) != before


def test_an_image_counts_where_its_missing_values_are_void(masks):
    before = seen(masks)
    Image.new("L", (SIZE, SIZE), 8).save(masks / "images/a.png")
    assert seen(masks) == before
    with open(masks / "dataset.yaml", "a", encoding="utf-8") as file:
        file.write("nodata: 9\n")
    declared = seen(masks)
    Image.new("L", (SIZE, SIZE), 9).save(masks / "images/a.png")
    assert seen(masks).label_files != declared.label_files


def test_annotations_that_change_are_other_labels(tmp_path):
    pytest.importorskip("pycocotools", reason="the extra coco is not installed")
    root = folder(tmp_path / "coco", 'labels: "all.json"\n')
    content = {
        "images": [
            {"id": i, "file_name": f"{name}.png", "height": SIZE, "width": SIZE}
            for i, name in enumerate("abc")
        ],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4]]}
        ],
    }
    (root / "all.json").write_text(json.dumps(content), "utf-8")
    before = seen(root)
    content["annotations"][0]["segmentation"] = [[0, 0, 5, 0, 5, 5]]
    (root / "all.json").write_text(json.dumps(content), "utf-8")
    after = seen(root)
    assert (after.images, after.labels) == (before.images, before.labels)
    assert after.label_files != before.label_files
