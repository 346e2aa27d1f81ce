"""Where files lie: patterns, splits, lists of names."""

import unicodedata

import numpy as np
import pytest
from folders import lay, save

from gridgen.data.check import check_data
from gridgen.data.denoising import Denoising
from gridgen.data.folder import Folder
from gridgen.errors import DataError, SpecError

IDS = np.array([[0, 1, 1], [0, 0, 1]], np.uint8)


@pytest.fixture
def make(tmp_path):
    """A folder with these images, labels, and this dataset.yaml."""

    def made(images, labels, settings=""):
        files = {name: np.full((2, 3), 10 + n, np.uint8) for n, name in enumerate(images)}
        return lay(tmp_path / "set", files | dict.fromkeys(labels, IDS), settings)

    return made


def test_labels_may_lie_in_masks(make):
    root = make(["train/images/a.png"], ["train/masks/a.png"], 'labels: "{split}/masks/{name}"')
    assert Folder(root).names == ("a",)


@pytest.mark.parametrize(
    ("image", "label"), [("{name}", "{name}_mask"), ("in/{name}_rgb", "in/{name}")]
)
def test_labels_may_lie_beside_images_under_another_name(make, image, label):
    files = [[f"{p.format(name=name)}.png" for name in "ab"] for p in (image, label)]
    root = make(*files, f'images: "{image}"\nlabels: "{label}"\n')
    assert Folder(root).names == ("a", "b")


def test_images_may_be_files_of_one_channel_each(make):
    images = [f"imagesTr/a_{channel:04}.tif" for channel in range(3)]
    settings = 'images: "imagesTr/{name}_{channel}"\nlabels: "labelsTr/{name}"'
    dataset = Folder(make(images, ["labelsTr/a.tif"], settings))
    assert (dataset.names, dataset.channels) == (("a",), 3)
    assert (dataset[0].image[:, 0, 0] * 255).round().tolist() == [10, 11, 12]


def test_a_channel_that_is_missing_or_of_another_size_is_named(make):
    settings = 'images: "in/{name}_{channel}"\nlabels: "out/{name}"'
    images = ["in/a_0000.png", "in/a_0001.png", "in/b_0000.png"]
    root = make(images, ["out/a.png", "out/b.png"], settings)
    with pytest.raises(DataError, match=r"in/b_0000.png: .* of the channels 0000, but"):
        Folder(root)
    save(root / "in/b_0001.png", np.zeros((3, 3), np.uint8))
    with pytest.raises(DataError, match=r"in/b_0001.png: 3x3 pixels, but in/b_0000.png has 2x3"):
        Folder(root)


def test_the_numbers_of_channels_are_the_same_in_all_images_and_lists(make):
    settings = 'images: "in/{name}_{channel}"\nlabels: "out/{name}"\n'
    images = [f"in/{name}_000{channel}.png" for name in "abc" for channel in (0, 1 + (name == "c"))]
    root = make(images, [f"out/{name}.png" for name in "abc"], settings)
    told = r"in/c_0000.png: .* 0000, 0002, but .*in/a_0000.png has 0000, 0001; all images have"
    with pytest.raises(DataError, match=told):
        Folder(root)
    (root / "dataset.yaml").write_text(f"{settings}splits: {{train: t.txt, val: v.txt}}", "utf-8")
    (root / "t.txt").write_text("a\nb\n", "utf-8")
    (root / "v.txt").write_text("c\n", "utf-8")
    for split in ("train", "val"):
        with pytest.raises(DataError, match=told):
            Folder(root, split)
    assert any("0000, 0002, but" in fault.text for fault in check_data(root).faults)


def test_names_may_hold_folders(make):
    root = make(
        ["train/images/x/a.png", "train/images/y/a.png"],
        ["train/labels/x/a.png", "train/labels/y/a.png"],
    )
    assert Folder(root).names == ("x_a", "y_a")
    save(root / "train/images/x_a.png", IDS)
    save(root / "train/labels/x_a.png", IDS)
    with pytest.raises(DataError, match="would have the same name without folders"):
        Folder(root)


def test_linked_folders_are_followed_but_not_in_circles(make, tmp_path_factory):
    root, other = (
        make(["train/images/b.png"], ["train/labels/b.png"]),
        tmp_path_factory.mktemp("other"),
    )
    for kind in ("images", "labels"):
        save(other / kind / "a.png", IDS)
        (root / "train" / kind / "more").symlink_to(other / kind)
        (other / kind / "circle").symlink_to(root / "train" / kind)
        (root / "train" / kind / "self").symlink_to(".")
    assert Folder(root).names == ("b", "more_a")


def test_a_list_of_names_with_endings_is_told_with_its_cure(make):
    settings = 'images: "in/{name}"\nlabels: "out/{name}"\nsplits: {train: t.txt}'
    root = make(["in/a.png"], ["out/a.png"], settings)
    (root / "t.txt").write_text("a.png\n", "utf-8")
    with pytest.raises(DataError, match=r"t.txt: 'a.png' has no image; leave out the ending"):
        Folder(root)


def test_a_name_may_hold_a_newline(make):
    root = make(["train/images/a\nb.png"], ["train/labels/a\nb.png"])
    assert Folder(root).names == ("a\nb",)


def test_two_folders_that_are_both_val_are_named(make):
    root = make([f"{split}/images/a.png" for split in ("train", "valid", "validation")], [])
    with pytest.raises(DataError, match="valid and validation are both the split val; rename one"):
        Folder(root)


def test_splits_may_be_written_in_capitals(make):
    images = [f"{split}/images/{split}.png" for split in ("TRAIN", "Val", "Test", "Extra")]
    root = make(images, [path.replace("images", "labels") for path in images])
    named = {"train": "TRAIN", "val": "Val", "test": "Test", "Extra": "Extra"}
    for split, name in named.items():
        assert Folder(root, split).names == (name,)
    assert check_data(root).faults == ()


@pytest.mark.parametrize("pair", [("Train", "train"), ("Val", "val"), ("Valid", "valid")])
def test_two_folders_that_differ_in_capitals_alone_are_ambiguous(make, pair):
    images = [f"{split}/images/a.png" for split in pair]
    root = make(images, [path.replace("images", "labels") for path in images])
    with pytest.raises(DataError, match=f"{pair[0]} and {pair[1]} are both the split"):
        Folder(root)


@pytest.mark.parametrize("folder", ["valid", "Validation", "dev"])
def test_val_may_have_its_other_names(make, folder):
    images = ["training/images/a.png", f"{folder}/images/b.png"]
    labels = ["training/labels/a.png", f"{folder}/labels/b.png"]
    root = make(images, labels)
    assert (Folder(root, "train").names, Folder(root, "val").names) == (("a",), ("b",))
    save(root / "val/images/c.png", IDS)
    save(root / "val/labels/c.png", IDS)
    assert Folder(root, "val").names == ("c",)
    assert Folder(root, folder).names == ("b",)


def test_splits_may_be_parts_of_names_of_folders(make):
    settings = 'images: "data/{split}_in/{name}"\nlabels: "data/{split}_out/{name}"\n'
    images = ["data/Train_in/a.png", "data/val_in/b.png", "data/_in/c.png"]
    root = make(images, [path.replace("in/", "out/") for path in images], settings)
    assert (Folder(root, "train").names, Folder(root, "val").names) == (("a",), ("b",))
    assert len(check_data(root).splits) == 2


def test_images_and_labels_may_lie_in_folders_that_share_a_name(make):
    settings = 'images: "{folder}/in/{name}"\nlabels: "{folder}/out/{name}"\n'
    root = make(["p 1/in/a.png", "p 2/in/x/a.png"], ["p 1/out/a.png", "p 2/out/x/a.png"], settings)
    assert Folder(root).names == ("p 1_a", "p 2_x_a")
    (root / "p 2/out/x/a.png").unlink()
    with pytest.raises(DataError, match=r"no label; it would be .*/p 2/out/x/a.png; draw one, or"):
        Folder(root)


def test_splits_may_be_folders_of_any_name(make):
    images = ["one/images/a.png", "two/images/b.png"]
    root = make(images, [path.replace("images", "labels") for path in images],
                "splits: {train: two, val: one}")  # fmt: skip
    assert (Folder(root, "train").names, Folder(root, "val").names) == (("b",), ("a",))


def test_splits_may_be_lists_of_names(make):
    settings = (
        'images: "images/{name}"\nlabels: "labels/{name}"\n'
        "splits: {train: lists/t.txt, val: lists/v.txt}"
    )
    images = [f"images/{name}.png" for name in "abc"]
    root = make(images, [path.replace("images", "labels") for path in images], settings)
    (root / "lists").mkdir()
    (root / "lists/t.txt").write_text("c\n\na\n", "utf-8")
    with pytest.raises(DataError, match=r"v.txt: No such file or directory; it lists the names"):
        Folder(root, "val")
    (root / "lists/v.txt").write_text("b\n", "utf-8")
    assert (Folder(root, "train").names, Folder(root, "val").names) == (("a", "c"), ("b",))
    assert Denoising("val", root).names == ("b",)


def test_endings_in_a_pattern_may_be_written(make):
    settings = 'images: "i/{name}.PNG"\nlabels: "l/{name}.png"'
    assert Folder(make(["i/a.png"], ["l/a.png"], settings)).names == ("a",)


def test_a_name_in_two_lists_is_refused(make):
    settings = 'images: "i/{name}"\nlabels: "l/{name}"\nsplits: {train: t.txt, val: v.txt}'
    root = make(["i/a.png", "i/b.png"], ["l/a.png", "l/b.png"], settings)
    (root / "t.txt").write_text("a\nb\n", "utf-8")
    (root / "v.txt").write_text("b\n", "utf-8")
    for split in ("train", "val"):
        with pytest.raises(DataError, match=r"\.txt: b in .\.txt too; keep a name in one list"):
            Folder(root, split)


def test_every_channel_file_of_a_folder_without_labels_is_checked(make):
    settings = 'images: "{split}/i/{name}_{channel}"\nlabels: "{split}/l/{name}"'
    images = [f"{split}/i/a_{channel:04}.png" for split in ("train", "val") for channel in (0, 1)]
    root = make(images, [], settings)
    save(root / "train/i/a_0001.png", np.zeros((3, 3), np.uint8))
    with pytest.raises(DataError, match=r"a_0001.png: 3x3 pixels, but i/a_0000.png has 2x3"):
        Denoising("train", root)


def test_a_list_without_names_is_told(make):
    settings = 'images: "i/{name}"\nlabels: "l/{name}"\nsplits: {train: t.txt}'
    root = make(["i/a.png"], ["l/a.png"], settings)
    (root / "t.txt").write_text("\n \n", "utf-8")
    with pytest.raises(DataError, match=r"t.txt: no names; write one a line"):
        Folder(root)


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_a_label_of_a_format_that_blurs_it_is_named_with_the_cure(make, ending):
    root = make(["train/images/a.png"], [f"train/labels/a.{ending}"])
    with pytest.raises(DataError, match=rf"labels/a.{ending}: .{ending} blurs ids of classes"):
        Folder(root)


def test_a_name_that_is_listed_and_not_there_is_told(make):
    settings = 'images: "i/{name}"\nlabels: "l/{name}"\nsplits: {train: t.txt}'
    root = make(["i/a.png"], ["l/a.png"], settings)
    (root / "t.txt").write_text("a\nz\n", "utf-8")
    with pytest.raises(DataError, match=r"t.txt: 'z' has no image"):
        Folder(root)


@pytest.mark.parametrize(("of_image", "of_label"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_an_umlaut_may_be_one_character_or_two(make, of_image, of_label):
    image, label = (unicodedata.normalize(form, "rüben") for form in (of_image, of_label))
    root = make([f"train/images/{image}.png"], [f"train/labels/{label}.png"])
    assert Folder(root).names == (unicodedata.normalize("NFC", "rüben"),)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            'images: "{splt}/x/{name}"',
            "has the unknown part {splt}; known: {split}, {folder}",
        ),
        ('images: "../{split}/{name}"', "leads out of the folder"),
        ('images: "/data/{split}/{name}"', "leads out of the folder"),
        ('images: "{split}/images"', "has not one {name}"),
        (
            'images: "{name}_{split}"\nlabels: "{name}_{split}"',
            "{split} is not in the name of one folder",
        ),
        ('images: "{split}/{split}/{name}"', "{split} is not in the name of one folder"),
        ('images: "a/{folder}{name}"', "{folder} is not a folder of its own"),
        (
            'images: "{folder}/a/{name}"\nlabels: "b/{name}"',
            "images and labels differ in {folder}; write it in both",
        ),
        ('images: "i/{name}"', "images and labels differ in {split}; write it in both"),
        ('labels: "{split}/l/{name}_{channel}"', "a label is one file; leave {channel} out"),
        ('images: "i/{name}"\nlabels: "l/{name}"\nsplits: {train: a}', "'a' is no list"),
        ('images: "{split}/a.json"', "images are files; write a pattern with {name}"),
        ("splits: {train: ../t}", "splits.train: '../t' leads out of the folder"),
        ('labels: "{split}/images/{name}"', "labels lie where images lie"),
    ],
)
def test_a_pattern_that_means_nothing_is_told_with_its_line(make, settings, told):
    with pytest.raises(SpecError) as error:
        Folder(make(["train/images/a.png"], ["train/labels/a.png"], settings))
    assert told in str(error.value)
    assert "dataset.yaml:" in str(error.value)


@pytest.mark.parametrize(
    "settings",
    [
        "images: './in/{name}'\nlabels: out//{name}",
        "images: '{split}//in/{name}'\nlabels: './{split}/out/{name}'\nsplits: {train: a/}",
    ],
)
def test_a_path_may_be_spelt_in_other_ways(make, settings):
    above = "a/" * ("split" in settings)
    root = make([f"{above}in/a.png"], [f"{above}out/a.png"], settings)
    assert Folder(root).names == ("a",)


def test_a_folder_is_one_split(make):
    settings = "splits: {train: a, val: ./a}"
    root = make(["a/images/a.png"], ["a/labels/a.png"], settings)
    with pytest.raises(SpecError, match=r"splits\.val: './a' is train too; what is trained on"):
        Folder(root)
