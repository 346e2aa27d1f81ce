"""Cityscapes as it lies on the disk after its archives are unpacked."""

import unicodedata
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from cityscapes import ID, make_tree, read_tree
from PIL import Image

from gridgen.data import IGNORE, find_dataset, load_dataset
from gridgen.data.check import check_data
from gridgen.data.cityscapes import CATEGORIES, LABEL_IDS, LABELS, TRAIN_IDS, Cityscapes
from gridgen.data.datasets import lasting_name
from gridgen.errors import DataError

FIRST = "aachen_000000_000019"


@pytest.fixture
def root(tmp_path):
    return make_tree(tmp_path / "cs")


def failure(root, split="train", index=None):
    """What goes wrong when the split is opened, or when that sample is read."""
    read = Cityscapes(root, split).__getitem__ if index is not None else None
    with pytest.raises(DataError) as error:
        read(index) if read else Cityscapes(root, split)
    return str(error.value)


def picture(root, name=FIRST):
    return root / "leftImg8bit" / "train" / "aachen" / f"{name}_leftImg8bit.png"


def label(root, what="labelIds"):
    return root / "gtFine" / "train" / "aachen" / f"{FIRST}_gtFine_{what}.png"


def test_the_labels_are_those_of_the_official_list():
    if find_spec("cityscapesscripts") is None:
        pytest.skip("cityscapesscripts, which has the list, is not installed")
    from cityscapesscripts.helpers.labels import labels

    assert len(labels) == len(LABELS) == 35
    for theirs, ours in zip(labels, LABELS, strict=True):
        train_id = -1 if ours.id < 0 else 255 if ours.train_id is None else ours.train_id
        known = (ours.name, ours.id, train_id, ours.category, ours.has_instances, ours.colour)
        assert known == (*theirs[:4], theirs.hasInstances, theirs.color)
        assert theirs.ignoreInEval == (ours.train_id is None)


def test_19_labels_are_trained_and_7_categories_scored():
    assert len(Cityscapes.classes) == 19
    assert (Cityscapes.classes[0], Cityscapes.classes[18]) == ("road", "bicycle")
    assert " ".join(CATEGORIES) == "flat construction object nature sky human vehicle"


def test_train_ids_and_label_ids_are_inverse_where_both_exist():
    assert TRAIN_IDS[LABEL_IDS[:19]].tolist() == list(range(19))
    assert TRAIN_IDS[[7, 26, 33]].tolist() == [0, 13, 18]
    assert set(TRAIN_IDS[[0, 1, 9, 29, 30]]) == {IGNORE}
    assert LABEL_IDS[IGNORE] == 0


def test_samples_have_the_names_of_their_files_sorted(root):
    assert Cityscapes(root).names == (
        *("aachen_000000_000019", "aachen_000001_000019"),
        *("bochum_000000_000019", "ulm_000000_000019", "ulm_000001_000019"),
    )
    assert Cityscapes(root, "val").sizes == ((64, 128),) * 3


def test_labels_are_train_ids_and_instances_the_numbers_of_their_file(root):
    for sample in Cityscapes(root, "val"):
        ids, numbers = read_tree(root)[sample.name]
        assert sample.label.dtype == torch.int64
        assert sample.instances().dtype == torch.int32
        assert torch.equal(sample.label, torch.from_numpy(TRAIN_IDS[ids]))
        assert torch.equal(sample.instances(), torch.from_numpy(np.where(numbers > 33, numbers, 0)))


def test_a_group_belongs_to_a_class_and_to_no_instance(root):
    ids = np.full((64, 128), ID["person"])
    Image.fromarray(ids.astype(np.uint8)).save(label(root))
    Image.fromarray(ids.astype(np.uint16)).save(label(root, "instanceIds"))
    sample = Cityscapes(root)[0]
    assert sample.label.unique().tolist() == [11]
    assert sample.instances().unique().tolist() == [0]


def test_opening_a_split_decodes_no_pixels(root):
    for path in root.rglob("*.png"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert len(Cityscapes(root, "train")) == 5
    assert failure(root, index=0).startswith(f"{picture(root)}: ")


def test_other_files_of_the_archives_and_hidden_ones_are_passed_over(root):
    for name in (f"{FIRST}_gtFine_color.png", f"{FIRST}_gtFine_polygons.json"):
        (root / "gtFine" / "train" / "aachen" / name).write_text("x")
    picture(root, f"._{FIRST}").write_text("x")
    (root / "leftImg8bit" / "train" / ".DS_Store").write_text("x")
    assert len(Cityscapes(root)) == 5


def test_a_root_may_have_any_name(tmp_path):
    root = make_tree(tmp_path / "a [1] *")
    assert len(Cityscapes(root)) == 5


def test_a_missing_part_is_named_with_its_archive(root):
    (root / "gtFine" / "train").rename(root / "x")
    assert failure(root) == (
        f"{root}/gtFine/train: no such directory; unpack gtFine_trainvaltest.zip in {root}"
    )
    (root / "gtFine").rename(root / "y")
    assert failure(root) == (
        f"{root}/gtFine: no such directory; unpack gtFine_trainvaltest.zip in {root}"
    )
    (root / "leftImg8bit").rename(root / "z")
    assert failure(root) == (
        f"{root}/leftImg8bit: no such directory; unpack leftImg8bit_trainvaltest.zip in {root}"
    )
    assert failure(root / "none") == f"{root}/none: no such directory"


@pytest.mark.parametrize("part", ["leftImg8bit", "gtFine"])
def test_a_part_in_place_of_the_whole_is_told_so(root, part):
    assert failure(root / part) == (
        f"{root / part}: a part of Cityscapes; give the folder that holds both of them"
    )


def test_the_test_split_has_no_labels_to_score(root):
    assert failure(root, "test") == (f"cityscapes:{root}: unknown split 'test'; known: train, val")
    for part in ("leftImg8bit", "gtFine"):
        (root / part / "test").mkdir()
    assert failure(root, "test") == (
        f"{root}: the labels of test are withheld, only the benchmark's server scores it; use val"
    )


def test_an_empty_split_is_refused(root):
    for part in ("leftImg8bit", "gtFine"):
        (root / part / "val").rename(root / f"{part}-val")
        (root / part / "val").mkdir()
    assert failure(root, "val") == (
        f"{root}/leftImg8bit/val: no images; they are CITY/*_leftImg8bit.png"
    )


def test_a_file_without_its_partner_is_named(root):
    label(root, "instanceIds").unlink()
    assert failure(root) == (
        f"{label(root, 'instanceIds')}: missing; unpack gtFine_trainvaltest.zip again"
    )
    label(root).unlink()
    assert failure(root) == f"{picture(root)}: no label; it would be {label(root)}"
    make_tree(root)
    picture(root).unlink()
    assert failure(root) == f"{label(root)}: no image; it would be {picture(root)}"


@pytest.mark.parametrize("name", ["aachen_000000", "ulm_000000_000019", "aachen_1_2_3", "x"])
def test_a_name_that_cityscapes_does_not_give_is_refused(root, name):
    path = picture(root).rename(picture(root, name))
    assert failure(root) == (
        f"{path}: a name that is not aachen_SEQUENCE_FRAME_leftImg8bit.png; rename or remove it"
    )


@pytest.mark.parametrize("what", ["labelIds", "instanceIds"])
def test_another_size_is_named_with_both(root, what):
    Image.new("L", (128, 60)).save(label(root, what))
    assert failure(root) == (
        f"{label(root, what)}: 60x128 pixels, but aachen/{picture(root).name} has 64x128; "
        "all files of a sample have one size"
    )


def test_what_is_no_png_is_named(root):
    picture(root).write_text("x")
    assert failure(root) == f"{picture(root)}: not a PNG, JPEG, WebP, BMP or TIFF image"


@pytest.mark.parametrize("number", [34, 255])
def test_ids_that_are_none_are_named_when_they_are_read(root, number):
    Image.new("L", (128, 64), number).save(label(root))
    assert failure(root, index=0) == (
        f"{label(root)}: a pixel of {number}, which is not a valid label id of Cityscapes; "
        "unpack its archive again"
    )


@pytest.mark.parametrize("number", [7001, 34000, 60000])
def test_instances_of_what_has_none_are_named_when_they_are_read(root, number):
    Image.fromarray(np.full((64, 128), number, np.uint16)).save(label(root, "instanceIds"))
    read = Cityscapes(root)[0].instances
    with pytest.raises(DataError) as error:
        read()
    assert str(error.value) == (
        f"{label(root, 'instanceIds')}: a pixel of {number}, which is not a valid instance number "
        "of Cityscapes; unpack its archive again"
    )


def test_labels_of_16_bits_hold_ids_too(root):
    before = Cityscapes(root)[0].label
    ids = np.array(Image.open(label(root))).astype(np.uint16)
    Image.fromarray(ids).save(label(root))
    assert torch.equal(Cityscapes(root)[0].label, before)
    Image.fromarray(ids + 1000).save(label(root))
    assert "a pixel of 10" in failure(root, index=0)


def test_colours_are_no_ids(root):
    Image.new("RGB", (128, 64)).save(label(root))
    assert failure(root, index=0) == (
        f"{label(root)}: a label of 3 channels of uint8; save ids as a grey or palette PNG or TIFF "
        "of whole numbers, or read it in a dataset's folder, where classes.txt lists the colours"
    )


def test_a_label_that_was_cut_off_is_named_when_it_is_read(root):
    raw = label(root).read_bytes()
    label(root).write_bytes(raw[: len(raw) // 2])
    assert failure(root, index=0).startswith(f"{label(root)}: ")


def test_instances_that_were_cut_off_are_found_by_a_check(root):
    raw = label(root, "instanceIds").read_bytes()
    label(root, "instanceIds").write_bytes(raw[: len(raw) // 2])
    (fault,) = check_data(f"cityscapes:{root}").faults
    assert str(label(root, "instanceIds")) in fault.text


def test_its_name_takes_the_path_of_its_folder(root, monkeypatch):
    assert load_dataset(f"cityscapes:{root}").name == "cityscapes"
    monkeypatch.chdir(root.parent)
    assert lasting_name("cityscapes:cs") == f"cityscapes:{root}"


def test_its_folder_or_its_name_alone_is_told_what_to_write(root):
    with pytest.raises(DataError) as error:
        find_dataset(str(root))
    assert str(error.value) == f"{root}: laid out as Cityscapes is; write cityscapes:{root}"
    with pytest.raises(DataError) as error:
        load_dataset("cityscapes")
    assert str(error.value) == "cityscapes: no folder; write cityscapes:PATH"


def test_a_city_with_an_umlaut_may_have_it_as_one_character_or_two(root):
    for place, form in (("leftImg8bit", "NFC"), ("gtFine", "NFD")):
        folder = root / place / "train" / "aachen"
        city = unicodedata.normalize(form, "münchen")
        for path in folder.iterdir():
            path.rename(path.with_name(path.name.replace("aachen", city)))
        folder.rename(folder.with_name(city))
    assert "münchen_000000_000019" in Cityscapes(root).names
