"""`init_data`: what labels store becomes classes.txt and dataset.yaml."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from gridgen import init_data
from gridgen.data.dataset import IGNORE
from gridgen.data.folder import Folder, read_classes, read_settings
from gridgen.errors import DataError, FileError


@pytest.fixture
def make(tmp_path):
    """A folder of one image whose label stores these numbers or colours, and text files."""

    def made(*labels, texts=None, images="images", folder="masks"):
        for number, stored in enumerate(labels):
            stored = np.array(stored)
            for place in (images, folder):
                (tmp_path / place).mkdir(exist_ok=True)
            size = stored.shape[:2]
            image = tmp_path / images / f"{number}{'_0000' * (images == 'imagesTr')}.png"
            Image.fromarray(np.zeros(size, np.uint8)).save(image)
            path = tmp_path / folder / f"{number}.tif"
            if stored.ndim == 3:
                Image.fromarray(stored.astype(np.uint8)).save(path)
            else:
                tifffile.imwrite(path, stored, metadata=None)
        for name, text in (texts or {}).items():
            (tmp_path / name).write_text(text, "utf-8")
        return tmp_path

    return made


def row(*numbers, dtype=np.uint8):
    return np.array([numbers], dtype)


def read(root):
    """What was written: names of classes, values, and the label as classes."""
    init_data(root)
    dataset = Folder(root)
    return dataset.classes, read_settings(root).values, dataset[0].label[0].tolist()


NUMBERS = {
    "ids that count up": (row(0, 1, 2), None, [0, 1, 2]),
    "255 is ignored": (row(0, 1, 255), None, [0, 1, IGNORE]),
    "-1 is ignored": (row(0, 1, -1, dtype=np.int16), None, [0, 1, IGNORE]),
    "65535 is ignored": (row(0, 1, 65535, dtype=np.uint16), None, [0, 1, IGNORE]),
    "a mask": (row(0, 255), {0: 0, 255: 1}, [0, 1]),
    "a mask of 16 bits": (row(0, 65535, dtype=np.uint16), {0: 0, 65535: 1}, [0, 1]),
    "grey levels": (row(0, 127, 255), {0: 0, 127: 1, 255: 2}, [0, 1, 2]),
    "ids from 1": (row(1, 2, 3), {1: 0, 2: 1, 3: 2}, [0, 1, 2]),
    "gaps": (row(0, 3, 7), {0: 0, 3: 1, 7: 2}, [0, 1, 2]),
    "gaps and 255": (row(0, 3, 255), {0: 0, 3: 1, 255: "ignore"}, [0, 1, IGNORE]),
}


@pytest.mark.parametrize(("stored", "values", "label"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_become_classes(make, stored, values, label):
    names, found, read_label = read(make(stored))
    assert (found, read_label) == (values, label)
    number = len({*label} - {IGNORE})
    assert names == tuple(f"class {id_}" for id_ in range(number))


def test_all_labels_have_a_say(make):
    root = make(row(0, 1), row(2, 255), row(0, 0))
    assert [line.id for line in init_data(root).classes] == [0, 1, 2, 255]


def test_colours_become_classes_black_first(make):
    root = make(np.array([[[9, 0, 0], [0, 0, 0], [0, 200, 0]]]))
    _, values, label = read(root)
    assert (values, label) == (None, [2, 0, 1])
    assert Folder(root).colours == ((0, 0, 0), (0, 200, 0), (9, 0, 0))


def test_colours_have_the_names_of_the_labelmap(make):
    colours = np.array([[[0, 0, 0], [9, 0, 0], [224, 224, 192], [1, 1, 1]]])
    labelmap = "# label:color_rgb:parts:actions\nsky:9,0,0::\nbackground:0,0,0::\nvoid:1,1,1::\n"
    root = make(colours, folder="SegmentationClass", texts={"labelmap.txt": labelmap})
    names, _, label = read(root)
    assert (names, label) == (("sky", "background"), [1, 0, IGNORE, IGNORE])


def test_a_palette_gives_colours_and_the_labelmap_names(make):
    root = make(row(0, 1), folder="SegmentationClass", texts={"labelmap.txt": "a:5,5,5::\n"})
    image = Image.fromarray(row(0, 1))
    image.putpalette([0, 0, 7, 5, 5, 5])
    (root / "SegmentationClass/0.tif").unlink()
    image.save(root / "SegmentationClass/0.png")
    assert read(root)[0] == ("class 0", "a")
    assert Folder(root).colours == ((0, 0, 7), (5, 5, 5))


def test_palettes_that_contradict_each_other_are_refused(make):
    root = make(row(0, 1), row(0, 1))
    for number, colours in enumerate(([0, 0, 0, 255, 0, 0], [255, 0, 0, 0, 0, 0])):
        (root / f"masks/{number}.tif").unlink()
        image = Image.fromarray(row(0, 1))
        image.putpalette(colours)
        image.save(root / f"masks/{number}.png")
    told = "1.png: by its palette 0 is #ff0000, and #000000 in a label before; save all with one"
    with pytest.raises(DataError, match=told):
        init_data(root)
    assert not (root / "classes.txt").exists()
    (root / "classes.txt").write_text("0\ta\t0\t0\t0\tclass\n1\tb\t9\t9\t9\tclass\n", "utf-8")
    assert read(root) == (("a", "b"), None, [0, 1])


def test_numbers_that_dataset_yaml_cannot_hold_are_refused(make):
    root = make(row(0, 2**64 - 1, dtype=np.uint64))
    with pytest.raises(DataError, match=r"0.tif: .*18446744073709551615.* 64 bits"):
        init_data(root)
    assert not (root / "classes.txt").exists()


DAMAGED = {
    "infinity": '{"labels": {"a": Infinity}}',
    "a fraction": '{"labels": {"a": 1.5}}',
    "truth": '{"labels": {"a": true}}',
    "a negative id": '{"labels": {"a": -1}}',
    "an id of more than 64 bits": f'{{"labels": {{"a": {2**64}}}}}',
    "two names of one id": '{"labels": {"a": 1, "b": 1}}',
    "no number": '{"labels": {"x": "a"}}',
    "an id of 5,000 digits": f'{{"labels": {{"a": {"1" * 5000}}}}}',
    "lists in lists": "[" * 100_000,
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_ids_in_dataset_json_that_mean_nothing_are_one_line(make, text):
    texts = {"dataset.json": text}
    root = make(row(0, 1), images="imagesTr", folder="labelsTr", texts=texts)
    with pytest.raises(DataError, match=r"dataset.json: its labels cannot be read \(.*\)") as error:
        init_data(root)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    assert not (root / "classes.txt").exists()


@pytest.mark.parametrize(
    "labels",
    [
        {"background": 0, "organ": 1, "ignore": 3, "whole": [1, 2], "tumour": 2},
        {"0": "background", "1": "organ", "2": "tumour", "3": "ignore"},
    ],
)
def test_nnunet_has_its_names_in_dataset_json(make, labels):
    texts = {"dataset.json": json.dumps({"labels": labels})}
    root = make(row(0, 1, 2, 3), images="imagesTr", folder="labelsTr", texts=texts)
    assert read(root) == (("background", "organ", "tumour"), None, [0, 1, 2, IGNORE])


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"labels": {"a": null}}', '{"labels": 3}'])
def test_a_damaged_dataset_json_is_told(make, text):
    root = make(row(0, 1), images="imagesTr", folder="labelsTr", texts={"dataset.json": text})
    with pytest.raises(DataError, match=r"dataset.json: its labels cannot be read [^\n]*$"):
        init_data(root)


def test_a_damaged_labelmap_is_told(make):
    root = make(row(0, 1), folder="SegmentationClass", texts={"labelmap.txt": "a:b\n"})
    with pytest.raises(DataError, match=r"labelmap.txt:1: 'a:b' is not name:red,green,blue"):
        init_data(root)


REFUSED = {
    "instances": ([np.arange(300, dtype=np.uint16)[None]], "labels store 300 numbers, and 255"),
    "a photograph": (
        [np.random.default_rng(0).integers(0, 256, (30, 30, 3))],
        "colours, and 255 classes are the most",
    ),
    "ids and colours": ([row(0, 1), np.zeros((1, 2, 3))], "some labels store ids and some colours"),
    "nothing": ([row(255)], "the labels hold 0 classes"),
    "floats": ([row(0, 1, dtype=np.float32)], "a label of 1 channels of float32"),
}


@pytest.mark.parametrize(("labels", "told"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_classes_is_refused_and_nothing_written(make, labels, told):
    root = make(*labels)
    with pytest.raises(DataError) as error:
        init_data(root)
    assert told in str(error.value)
    assert {path.name for path in root.iterdir()} == {"images", "masks"}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a\u202eb"], "is not printable, or too long; rename it"),
        (["a", " a"], "stands for two classes; rename it"),
    ],
)
def test_names_that_no_list_can_hold_are_refused(make, names, told):
    texts = {"dataset.json": json.dumps({"labels": {name: id_ for id_, name in enumerate(names)}})}
    root = make(row(0, 1), images="imagesTr", folder="labelsTr", texts=texts)
    with pytest.raises(DataError, match=told):
        init_data(root)


def test_a_folder_of_which_most_images_have_no_label_is_refused(make):
    root = make([[0, 1]])
    for number in range(1, 4):
        Image.fromarray(np.zeros((2, 2), np.uint8)).save(root / "images" / f"{number}.png")
    with pytest.raises(DataError, match=r"1 of 4 images have a label.*; name the folder of one"):
        init_data(root)
    assert not list(root.glob("*.*"))


SMOOTHED = {
    "by a change of size": [0, 15, 36, 60, 108, 153, 204, 255],
    "by JPEG": [0, 1, 2, 3, 252, 253, 254, 255],
    "much": [*range(0, 256, 2), 255],
}


def with_few(*numbers):
    """A label of which nine in ten pixels are 0 or 255, and the others these numbers."""
    ends = np.resize([0, 255], 10 * len(numbers))
    return np.concatenate([ends, numbers])[None].astype(np.uint8)


@pytest.mark.parametrize("numbers", SMOOTHED.values(), ids=SMOOTHED)
def test_a_mask_whose_edges_were_smoothed_is_refused_with_the_cure(make, numbers):
    root = make(with_few(*numbers))
    told = f"labels store {len(numbers)} numbers, .* smoothed .*; make 0 of what is below 128"
    with pytest.raises(DataError, match=told):
        init_data(root)
    assert not (root / "classes.txt").exists()


@pytest.mark.parametrize(
    "label",
    [
        with_few(*range(1, 20)),  # ids that count up, rare ones, and 255 for what is no class
        row(0, 255, 15, 36, 60, 108, 153, 204),  # many pixels of each
        with_few(7, 99),
        np.resize([0, 3, 40, 80, 120, 160, 200], (1, 70)),
    ],
)
def test_ids_of_classes_are_not_taken_for_a_smoothed_mask(make, label):
    init_data(make(label.astype(np.uint8)))


def test_two_files_that_are_there_are_not_overwritten(make):
    root = make(row(0, 1), texts={"classes.txt": "mine", "dataset.yaml": "mine"})
    with pytest.raises(FileError, match=r"classes.txt and dataset.yaml exist already, and are not"):
        init_data(root)
    assert {(root / name).read_text("utf-8") for name in ("classes.txt", "dataset.yaml")} == {
        "mine"
    }


LISTED = "0\tsoil\t9\t9\t9\tclass\n1\tplant\t0\t99\t0\tclass\n"
KEPT = {
    "the same ids": (row(0, 1), LISTED, None, [0, 1]),
    "some of them": (row(1, 1), LISTED, None, [1, 1]),
    "a mask": (row(0, 255), LISTED, {0: 0, 255: 1}, [0, 1]),
    "ids from 1": (row(1, 2), LISTED, {1: 0, 2: 1}, [0, 1]),
    "255 beside them": (row(0, 1, 255), LISTED, {0: 0, 1: 1, 255: "ignore"}, [0, 1, IGNORE]),
    "255 that is listed": (row(0, 255), LISTED + "255\tx\t1\t1\t1\tignore\n", None, [0, IGNORE]),
    "another that is listed": (
        row(0, 7, 255),
        LISTED + "7\tx\t1\t1\t1\tignore\n",
        {0: 0, 1: 1, 7: "ignore", 255: "ignore"},
        [0, IGNORE, IGNORE],
    ),
    "colours": (np.array([[[0, 99, 0], [9, 9, 9]]]), LISTED, None, [1, 0]),
}


@pytest.mark.parametrize(("stored", "text", "values", "label"), KEPT.values(), ids=KEPT)
def test_a_list_of_classes_is_kept_and_the_labels_understood_by_it(
    make, stored, text, values, label
):
    root = make(stored, texts={"classes.txt": text})
    assert read(root) == (("soil", "plant"), values, label)
    assert (root / "classes.txt").read_text("utf-8") == text


def test_what_is_kept_and_what_is_written_is_told(make):
    root = make(row(0, 1), texts={"classes.txt": LISTED})
    found = init_data(root)
    assert (found.kept, found.written) == ((root / "classes.txt",), (root / "dataset.yaml",))
    assert [line.name for line in found.classes] == ["soil", "plant"]
    assert found.as_json()["kept"] == [str(root / "classes.txt")]


def test_a_list_that_labels_do_not_suit_is_refused_and_nothing_written(make):
    root = make(row(0, 3, 5), texts={"classes.txt": LISTED})
    told = r"classes.txt: 2 classes, but labels store 3: 0, 3, 5; mend it, or remove it to have one"
    with pytest.raises(DataError, match=told):
        init_data(root)
    assert not (root / "dataset.yaml").exists()


PATTERNS = 'images: "photos/{name}"\nlabels: "truth/{name}"\n'


@pytest.mark.parametrize(
    ("stored", "values", "label"),
    [(row(0, 1, 2), "", [0, 1, 2]), (row(0, 9), "values: {0: 0, 9: 1}\n", [0, 1])],
)
def test_a_dataset_yaml_is_kept_and_obeyed(make, stored, values, label):
    root = make(stored, texts={"dataset.yaml": PATTERNS + values}, images="photos", folder="truth")
    assert read(root)[2] == label
    assert len(Folder(root).classes) == len(label)
    assert (root / "dataset.yaml").read_text("utf-8") == PATTERNS + values


def test_a_dataset_yaml_without_the_values_that_labels_need_is_told_them(make):
    root = make(row(0, 255, 3), texts={"dataset.yaml": PATTERNS}, images="photos", folder="truth")
    told = r"dataset.yaml: .* ids 0, 3, 255, .*; add the line values: {0: 0, 3: 1, 255: ignore}"
    with pytest.raises(DataError, match=told):
        init_data(root)
    assert not (root / "classes.txt").exists()


def test_neither_file_is_left_where_one_cannot_be_written(make, monkeypatch):
    from gridgen.data.folder import initializing

    def failing(path, content):
        if path.name == "dataset.yaml":
            raise FileError("full")
        return write(path, content)

    root, write = make(row(0, 1)), initializing.write_file
    monkeypatch.setattr(initializing, "write_file", failing)
    with pytest.raises(FileError):
        init_data(root)
    assert {path.name for path in root.iterdir()} == {"images", "masks"}


def test_what_is_written_is_read_as_it_is_told(make):
    found = init_data(make(row(0, 3, 255)))
    assert [(line.id, line.name, line.colour) for line in found.classes] == [
        (line.id, line.name, line.colour) for line in read_classes(found.written[0]).lines
    ]
    assert found.as_json()["values"] == {"0": 0, "3": 1, "255": "ignore"}
    assert (found.splits, found.stored) == ({"train": (1, 1)}, "ids 0, 3, 255")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("{0: ignore, 9: ignore}", "all numbers are ignored, and no class is left; write an id"),
        ("{0: 0, 9: 3000000}", "3000000 is no id of a class, which are 0 to 254"),
        ("{0: 0, 9: -1}", "-1 is no id of a class, which are 0 to 254"),
    ],
)
def test_values_that_make_no_classes_are_refused_at_once(make, values, told):
    settings = f"{PATTERNS}values: {values}\n"
    root = make(row(0, 9), texts={"dataset.yaml": settings}, images="photos", folder="truth")
    with pytest.raises(DataError, match=f"dataset.yaml: values: {told}"):
        init_data(root)
    assert not (root / "classes.txt").exists()
