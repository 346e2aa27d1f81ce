"""Splits as lists of names: of folders of all layouts, with nothing lost and nothing moved."""

import hashlib

import numpy as np
import pytest
from folders import lay, save

from gridgen.data import load_dataset
from gridgen.data.check import check_data
from gridgen.data.folder import read_settings
from gridgen.data.folder.splitting import split_data
from gridgen.data.labelled import absent_classes
from gridgen.errors import DataError, FileError, SpecError, UsageError

NAMES = [f"clip{number // 4}_{number:02}" for number in range(12)]
LAYOUTS = {
    "train alone": ("train/images/{}.png", "train/labels/{}.png", None),
    "another word for train": ("training/images/{}.png", "training/labels/{}.png", None),
    "masks in train": (
        *("train/{}.png", "train/{}_mask.png"),
        "# mine\nimages: '{split}/{name}'\nlabels: '{split}/{name}_mask'  # masks\n",
    ),
    "a folder named": (
        *("stage1/images/{}.png", "stage1/labels/{}.png"),
        "splits: {train: stage1}  # of two\nwhite: 255\n",
    ),
    "flat": ("{}.png", "{}_mask.png", "images: '{name}'\nlabels: '{name}_mask'"),
    "channels": (
        *("imagesTr/{}_0000.png", "labelsTr/{}.png"),
        "images: 'imagesTr/{name}_{channel}'\nlabels: 'labelsTr/{name}'\n",
    ),
    "folders in names": (
        *("in/a/{}.png", "gt/a/{}.png"),
        "images: 'in/{name}'\nlabels: 'gt/{name}'\n",
    ),
    "umlauts": ("train/images/\u00fc{}.png", "train/labels/u\u0308{}.png", None),
}


@pytest.fixture
def make(tmp_path):
    def made(layout="flat", names=NAMES):
        image, label, settings = LAYOUTS[layout]
        files = {}
        for number, name in enumerate(names):
            files[image.format(name)] = np.full((2, 3), 10 + number, np.uint8)
            files[label.format(name)] = np.array([[0, 1, number == 5]] * 2, np.uint8)
        return lay(tmp_path / "set", files, settings)

    return made


def contents(root):
    """Of each file its digest."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def refused(root, error=DataError, **options):
    """What is said; nothing is written."""
    before = contents(root)
    with pytest.raises(error) as caught:
        split_data(root, **options)
    assert contents(root) == before
    return str(caught.value)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_train_and_val_are_read_from_lists_and_no_image_is_touched(make, layout):
    root = make(layout)
    before = contents(root)
    force = bool(read_settings(root).splits)
    made = split_data(root, 0.25, force=force)
    train, val = (load_dataset(root, split) for split in ("train", "val"))
    assert (len(train), len(val)) == (9, 3)
    assert not set(train.names) & set(val.names)
    assert [len(names) for names in made.lists.values()] == [9, 3]
    written = {path.relative_to(root).as_posix() for path in made.files}
    assert written == {"splits/train.txt", "splits/val.txt", "dataset.yaml"}
    after = contents(root)
    assert {name: after[name] for name in before.keys() - written} == {
        name: digest for name, digest in before.items() if name not in written
    }
    assert not check_data(root).faults


def test_the_lines_of_dataset_yaml_say_it(make):
    root = make("train alone")
    split_data(root)
    assert (root / "dataset.yaml").read_text("utf-8") == (
        'images: "train/images/{name}"\n'
        'labels: "train/labels/{name}"\n'
        'splits:\n  train: "splits/train.txt"\n  val: "splits/val.txt"\n'
    )


def test_comments_and_other_fields_stay(make):
    root = make("masks in train")
    split_data(root)
    assert (root / "dataset.yaml").read_text("utf-8") == (
        '# mine\nimages: "train/{name}"\nlabels: "train/{name}_mask"  # masks\n'
        'splits:\n  train: "splits/train.txt"\n  val: "splits/val.txt"\n'
    )


def test_the_lists_follow_from_the_seed_and_the_names_alone(make):
    root = make()
    first = split_data(root).lists
    for number, name in enumerate(NAMES):
        save(root / f"{name}_mask.png", np.array([[0, number % 2, 1]] * 2, np.uint8))
    assert split_data(root, force=True).lists == first
    assert split_data(root, seed=1, force=True).lists != first


def test_groups_stay_together(make):
    made = split_data(make(), 0.3, group=r"^clip(\d)")
    assert made.groups == 3
    assert {name[:5] for name in made.lists["val"]}.isdisjoint(
        name[:5] for name in made.lists["train"]
    )
    assert ("groups", "3, none of them in both") in made.rows()


def test_classes_without_a_pixel_are_told_with_a_seed_that_is_better(make):
    root = make()
    for number, name in enumerate(NAMES):
        save(root / f"{name}_mask.png", np.array([[0, 0, number in (2, 9)]] * 2, np.uint8))
    told = {seed: split_data(root, seed=seed, force=True) for seed in range(8)}
    lacking = {seed: made for seed, made in told.items() if made.absent}
    assert 0 < len(lacking) < 8
    for made in lacking.values():
        assert made.absent == (absent_classes("val", ["sky", "road"], [1, 0]),)
        better = split_data(root, seed=made.better_seed, force=True)
        assert (better.absent, better.better_seed) == ((), None)


def test_lists_are_not_divided_anew_unless_forced(make):
    root = make()
    split_data(root)
    assert refused(root) == f"{root} has val already; --force divides train anew"
    for split in ("train", "val"):
        (root / f"splits/{split}.txt").write_text("nothing\n")
    split_data(root, force=True)
    assert len(load_dataset(root, "val")) == 2


def test_forced_lists_keep_their_places_and_other_lists_their_names(make):
    root = make()
    text = 'images: "{name}"\nlabels: "{name}_mask"\nsplits:\n'
    text += "  train: a.txt  # all\n  test: b.txt\n"
    (root / "dataset.yaml").write_text(text, "utf-8")
    (root / "a.txt").write_text("\n".join(NAMES[2:]))
    (root / "b.txt").write_text("\n".join(NAMES[:2]))
    fact = f"{root}/dataset.yaml says already what splits are"
    assert refused(root) == f"{fact}; --force writes train and val anew"
    made = split_data(root, force=True)
    assert sorted(made.lists["train"] + made.lists["val"]) == NAMES[2:]
    new = (root / "dataset.yaml").read_text("utf-8")
    quoted = text.replace("a.txt", '"a.txt"').replace("b.txt", '"b.txt"')
    assert new == f'{quoted}  val: "splits/val.txt"\n'
    assert load_dataset(root, "test").names == tuple(NAMES[:2])


@pytest.mark.parametrize("folder", ["val", "Valid"])
def test_a_folder_of_val_is_left_out_and_told(make, folder):
    root = make("train alone")
    save(root / folder / "images/x.png", np.zeros((2, 3), np.uint8))
    save(root / folder / "labels/x.png", np.zeros((2, 3), np.uint8))
    assert refused(root) == (
        f"{root} has val already; --force divides train anew and leaves the images of "
        f"{root / folder} out"
    )
    made = split_data(root, force=True)
    assert "x" not in made.lists["val"]
    assert (root / folder / "images/x.png").is_file()
    assert made.unread == {folder: 1}
    told = f"{folder} (1 image): in neither list; the files stay"
    assert ("left out", told) in made.rows()
    assert made.as_json()["left_out"] == {folder: 1}


def test_a_val_that_dataset_yaml_names_is_told_too(make):
    root = make("a folder named")
    save(root / "stage2/images/x.png", np.zeros((2, 3), np.uint8))
    (root / "dataset.yaml").write_text("splits: {train: stage1, val: stage2}\n")
    assert split_data(root, force=True).unread == {"stage2": 1}


def test_a_folder_of_test_is_no_split_any_more_and_told(make):
    root = make("train alone")
    save(root / "test/images/x.png", np.zeros((2, 3), np.uint8))
    assert refused(root) == (
        f"{root} has test beside train, for which lists have no place; gridgen train --fold 1/5 "
        "needs no val, and --force leaves test out"
    )
    made = split_data(root, force=True)
    assert made.unread == {"test": 1}
    assert ("left out", "test (1 image): in neither list; the files stay") in made.rows()


def test_named_folders_of_other_splits_are_refused(make):
    root = make("a folder named")
    (root / "dataset.yaml").write_text("splits: {train: stage1, test: stage2}\n")
    path = root / "dataset.yaml"
    assert refused(root, force=True) == (
        f"{path}: splits.test is a folder, and train will be a list; remove that line"
    )


def test_lists_that_lie_there_are_not_written_over(make):
    root = make()
    (root / "splits").mkdir()
    (root / "splits/val.txt").write_text("mine\n")
    path = root / "splits/val.txt"
    assert refused(root) == f"{path} exists already; --force writes over it"


def test_what_a_training_would_refuse_is_refused(make):
    root = make("train alone")
    save(root / "train/images/lonely.png", np.zeros((2, 3), np.uint8))
    assert refused(root).startswith(f"{root}/train/images/lonely.png: no label; it would be ")
    (root / "train/images/lonely.png").unlink()
    save(root / f"train/labels/{NAMES[0]}.png", np.full((2, 3), 9, np.uint8))
    assert "ids that classes.txt has not: 9 (6 pixels)" in refused(root)


def test_images_alone_are_divided_without_a_label(tmp_path):
    for number in range(5):
        save(tmp_path / f"train/images/{number}.png", np.full((2, 3), number, np.uint8))
    made = split_data(tmp_path)
    assert [len(names) for names in made.lists.values()] == [4, 1]
    assert len(load_dataset(f"denoising:{tmp_path}", "val")) == 1


@pytest.mark.parametrize("name", [" a", "a ", "a\x85b", "a\u2028b", "a\tb"])
def test_a_name_that_no_line_holds_is_refused(make, name):
    root = make("train alone", [*NAMES, name])
    assert f"a list has no line for the name {name!r}; rename it" in refused(root)


@pytest.mark.parametrize("val", [0, 1, -0.2, 20, float("nan")])
def test_a_share_is_between_0_and_1(make, val):
    assert refused(make(), UsageError, val=val) == (
        f"--val: {val:g} is not between 0 and 1; write 0.2 for a fifth"
    )


def test_a_folder_without_splits_and_one_that_is_not_there_are_told(tmp_path):
    assert refused(tmp_path / "none") == f"{tmp_path}/none: no such directory"
    assert refused(tmp_path).startswith(f"{tmp_path}: no split; a dataset has ")
    (tmp_path / "dataset.yaml").write_text("whit: 3\n")
    assert "whit: unknown field" in refused(tmp_path, SpecError)


def test_a_list_that_cannot_be_written_leaves_what_was_there(make, monkeypatch):
    root = make()
    split_data(root)
    write = split_data.__wrapped__.__globals__["write_file"]

    def failing(path, text):
        if path.name == "val.txt" and isinstance(text, str):
            raise FileError(f"{path}: cannot be written: No space left on device")
        return write(path, text)

    monkeypatch.setattr("gridgen.data.folder.splitting.write_file", failing)
    assert "No space left" in refused(root, FileError, seed=1, force=True)


def test_an_interruption_between_the_lists_leaves_what_was_there(make, monkeypatch):
    root = make()
    split_data(root)
    before = contents(root)
    write = split_data.__wrapped__.__globals__["write_file"]

    def interrupted(path, text):
        if path.name == "val.txt" and isinstance(text, str):
            raise KeyboardInterrupt
        return write(path, text)

    monkeypatch.setattr("gridgen.data.folder.splitting.write_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        split_data(root, seed=1, force=True)
    assert contents(root) == before


def test_names_in_folders_are_grouped_as_folds_have_them(make):
    names = [f"p{who}_{session}_{image}" for who in "ab" for session in "12" for image in "xy"]
    root = make("folders in names", names)
    for path in sorted(root.rglob("*.png")):
        place = path.parent / path.stem[:2] / path.name[3:]
        place.parent.mkdir(exist_ok=True)
        path.rename(place)
    lists = split_data(root, val=0.5, group="^a_[^_]+").lists
    assert {len({name[:5] for name in names}) for names in lists.values()} == {1}
