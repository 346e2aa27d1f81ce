import numpy as np
import pytest
import tifffile
from PIL import Image
from torch.utils.data import DataLoader

from gridgen.data.check import check_data
from gridgen.data.dataset import IGNORE, Window
from gridgen.data.folder import Folder
from gridgen.errors import DataError
from gridgen.images.files import SUFFIXES
from gridgen.training.tasks.requirements import load_splits

ENDINGS = ", ".join(SUFFIXES)


def failure(tree, split="train"):
    with pytest.raises(DataError) as error:
        Folder(tree.root, split)
    return str(error.value)


def test_samples_come_sorted_by_name_whatever_the_format(tree):
    assert [sample.name for sample in Folder(tree.root, "train")] == ["a", "b"]
    assert [sample.name for sample in Folder(tree.root, "val")] == ["c"]


def test_classes_are_those_of_role_class(tree):
    dataset = Folder(tree.root)
    assert dataset.name == "streets"
    assert dataset.classes == ("sky", "road")
    assert dataset.colours == ((0, 0, 255), (90, 90, 90))


def test_palette_indices_are_ids_and_ignored_ids_the_ignored_label(tree):
    ids = np.array([[0, 1, 7, 0, 1, 7]] * 4)
    tree.label("train/labels/a.png", ids)
    assert Folder(tree.root)[0].label.tolist() == [[0, 1, IGNORE, 0, 1, IGNORE]] * 4


def test_grey_and_1_bit_labels_are_ids_too(tree):
    ids = np.array([[0, 1, 1, 0, 0, 1]] * 4)
    tree.image("train/labels/a.png", ids.astype(np.uint8))
    tree.image("train/labels/b.png", ids.astype(bool))
    for sample in Folder(tree.root):
        assert sample.label.tolist() == ids.tolist()


def test_images_have_1_channel_where_all_are_grey(tree):
    grey = np.full((4, 6), 9, np.uint8)
    tree.image("train/images/a.png", grey)
    (tree.root / "train/images/b.webp").unlink()
    tree.image("train/images/b.png", grey.astype(np.uint16))
    assert Folder(tree.root).channels == 3, "the image of val is not grey"
    tree.image("val/images/c.jpg", grey)
    dataset = Folder(tree.root)
    assert dataset.channels == 1
    assert dataset[0].image.shape == (1, 4, 6)


def test_images_differ_in_size(tree):
    tree.image("train/images/a.png", np.zeros((8, 2, 3), np.uint8))
    tree.label("train/labels/a.png", np.zeros((8, 2)))
    assert [sample.image.shape[1:] for sample in Folder(tree.root)] == [(8, 2), (4, 6)]


def test_a_jpeg_and_its_label_agree_once_it_is_upright(tree):
    tag = Image.Exif()
    tag[0x0112] = 6
    path = tree.root / "val/images/c.jpg"
    Image.fromarray(np.zeros((6, 4, 3), np.uint8)).save(path, exif=tag)
    assert Folder(tree.root, "val")[0].image.shape == (3, 4, 6)


def test_other_files_and_hidden_ones_are_passed_over(tree):
    for name in ("train/images/.a.png", "train/images/Thumbs.db", "train/labels/notes.txt"):
        tree.write(name, "x")
    assert len(Folder(tree.root)) == 2


def test_suffixes_may_be_upper_case(tree):
    (tree.root / "train/images/a.png").rename(tree.root / "train/images/a.PNG")
    assert len(Folder(tree.root)) == 2


def test_any_split_that_exists_can_be_read(tree):
    (tree.root / "val").rename(tree.root / "test")
    assert len(Folder(tree.root, "test")) == 1
    assert failure(tree, "val") == (
        f"{tree.root}: no split val beside test, train; gridgen data split {tree.root} makes one, "
        "gridgen train --fold 1/5 needs none"
    )


def test_a_folder_without_any_split_is_told_what_it_lacks(tree):
    for split in ("train", "val"):
        (tree.root / split).rename(tree.root.parent / split)
    assert failure(tree) == (
        f"{tree.root}: no split; a dataset has {{split}}/images and {{split}}/labels; "
        "gridgen data init finds others"
    )


def test_an_empty_split_is_refused(tree):
    (tree.path("test/images/x")).touch()
    assert failure(tree, "test") == (f"{tree.root}/test/images: no images; they end in {ENDINGS}")


def test_an_image_without_label_is_named(tree):
    (tree.root / "train/labels/b.png").unlink()
    assert failure(tree) == (
        f"{tree.root}/train/images/b.webp: no label; it would be {tree.root}/train/labels/b.png; "
        "draw one, or take the image away"
    )


def test_a_label_without_image_is_named(tree):
    (tree.root / "train/images/b.webp").unlink()
    assert failure(tree) == (
        f"{tree.root}/train/labels/b.png: no image of that name in {tree.root}/train/images"
    )


def test_two_images_of_one_name_are_refused(tree):
    tree.image("train/images/a.tif", np.zeros((4, 6), np.uint8))
    assert failure(tree) == (f"{tree.root}/train/images/a.tif: a.png has the same name; remove one")


def test_a_label_of_another_size_is_named_with_both_sizes(tree):
    path = tree.label("train/labels/b.png", np.zeros((6, 4)))
    assert failure(tree) == (
        f"{path}: 6x4 pixels, but images/b.webp has 4x6; all files of a sample have one size"
    )


def test_an_unlisted_id_is_named_with_the_listed_ones(tree):
    ids = np.zeros((4, 6))
    ids[3, 5] = 2
    path = tree.label("train/labels/b.png", ids)
    assert failure(tree) == (
        f"{path}: ids that classes.txt has not: 2 (1 pixel); list them there, or map them by "
        "values in dataset.yaml"
    )


def test_an_empty_file_is_named(tree):
    path = tree.write("train/labels/a.png", "")
    assert failure(tree) == f"{path}: the file is empty"


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_an_image_that_was_cut_off_is_found_before_it_is_used(tree, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    path = tree.image(f"val/images/noise.{suffix}", noise)
    tree.label("val/labels/noise.png", np.zeros((64, 64)))
    assert len(Folder(tree.root, "val")) == 2
    tree.cut(f"val/images/{path.name}")
    assert failure(tree, "val").startswith(f"{path}: damaged, or no image: ")


def test_a_class_list_that_is_wrong_is_named(tree):
    tree.write("classes.txt", "0\tsky\n")
    assert failure(tree) == (
        f"{tree.root}/classes.txt:1: 2 columns; write id, name, R, G, B, role, separated by tabs"
    )


def test_a_file_is_no_directory(tree):
    with pytest.raises(DataError) as error:
        Folder(tree.root / "classes.txt")
    assert str(error.value) == f"{tree.root}/classes.txt: no such directory"


def test_camvid_has_11_classes_and_ignores_void(shared_data):
    dataset = Folder(shared_data / "camvid", "val")
    assert (len(dataset), len(dataset.classes), dataset.channels) == (101, 11, 3)
    assert dataset.colours[dataset.classes.index("road")] == (128, 64, 128)
    sample = dataset[0]
    assert sample.image.shape == (3, 360, 480)
    assert 0 < (sample.label == IGNORE).float().mean() < 0.2


def test_grey_micrographs_have_1_channel(shared_data):
    dataset = Folder(shared_data / "isbi-em", "val")
    assert (len(dataset), dataset.classes, dataset.channels) == (4, ("membrane", "cell"), 1)
    membrane = dataset[0].label == 0
    image = dataset[0].image[0]
    assert image[membrane].mean() < image[~membrane].mean()


def test_labels_may_be_16_bit_grey_or_tiff(tree):
    ids = np.array([[0, 1, 7, 0, 1, 7]] * 4)
    tree.image("train/labels/a.png", ids.astype(np.uint16))
    (tree.root / "train/labels/b.png").unlink()
    tree.image("train/labels/b.tif", ids.astype(np.uint16))
    for sample in Folder(tree.root):
        assert sample.label.tolist() == [[0, 1, IGNORE, 0, 1, IGNORE]] * 4


def test_an_id_beyond_8_bits_is_named(tree):
    path = tree.image("train/labels/a.png", np.full((4, 6), 300, np.uint16))
    assert failure(tree) == (
        f"{path}: ids that classes.txt has not: 300 (24 pixels); list them there, or map them by "
        "values in dataset.yaml"
    )


def test_images_of_any_number_of_channels_make_a_set(tree):
    for split, name in (("train", "a.png"), ("train", "b.webp"), ("val", "c.jpg")):
        (tree.root / split / "images" / name).unlink()
        path = tree.root / split / "images" / f"{name[0]}.tif"
        pixels = np.ones((4, 6, 7), np.uint16)
        tifffile.imwrite(path, pixels, photometric="minisblack", planarconfig="contig")
    dataset = Folder(tree.root)
    assert dataset.channels == 7
    assert dataset[0].image.shape == (7, 4, 6)


def test_images_whose_channels_make_no_set_are_named(tree):
    path = tree.root / "val/images/z.tif"
    tifffile.imwrite(path, np.ones((4, 6, 2), np.uint8), photometric="minisblack", planarconfig=1)
    other = tree.root / "train/images/a.png"
    assert failure(tree) == (
        f"{path}: 2 channels, but {other} has 3; the images of a dataset agree"
    )


def broken(tree):
    """What may go wrong while an epoch is read: how, and what is said of it."""
    root, noise = tree.root / "train", np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    tree.image("train/images/a.png", noise.astype(np.uint8))
    tree.label("train/labels/a.png", np.zeros((64, 64)))
    return {
        "image missing": (lambda: (root / "images/a.png").unlink(),
                          f"{root}/images/a.png: No such file or directory"),
        "label missing": (lambda: (root / "labels/a.png").unlink(),
                          f"{root}/labels/a.png: No such file or directory"),
        "image cut": (lambda: tree.cut("train/images/a.png"),
                      f"{root}/images/a.png: damaged, or no image: "),
        "label cut": (lambda: tree.write("train/labels/a.png", ""),
                      f"{root}/labels/a.png: the file is empty"),
        "another id": (lambda: tree.label("train/labels/a.png", np.full((64, 64), 5)),
                       f"{root}/labels/a.png: ids that classes.txt has not: 5 (4,096 pixels)"),
        "another size": (lambda: tree.label("train/labels/a.png", np.zeros((6, 4))),
                         f"{root}/labels/a.png: 6x4 pixels, but images/a.png has 64x64"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "what",
    ["image missing", "label missing", "image cut", "label cut", "another id", "another size"],
)
def test_a_file_that_changes_while_it_is_in_use_is_named(tree, what):
    damage, said = broken(tree)[what]
    dataset = Folder(tree.root)
    damage()
    with pytest.raises(DataError) as error:
        dataset[0]
    assert str(error.value).startswith(said)


def test_a_process_that_loads_images_names_the_file(tree):
    damage, said = broken(tree)["image missing"]
    loader = DataLoader(Folder(tree.root), batch_size=None, num_workers=1)
    damage()
    with pytest.raises(DataError) as error:
        list(loader)
    assert said in str(error.value)


@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_file_that_has_become_smaller_is_named(tree, kind):
    folder = Folder(tree.root)
    index, window = 0, Window.square(0, 0, min(folder.sizes[0]))
    [path] = (tree.root / "train" / kind).glob(f"{folder.names[index]}.*")
    with Image.open(path) as image:
        small = image.crop((0, 0, 3, 3))
    small.save(path)
    with pytest.raises(DataError) as caught:
        folder.window(index, window)
    assert str(caught.value) == (
        f"{path}: has become smaller since the dataset was opened; put it back"
    )


def test_what_is_damaged_in_a_split_of_no_labels_is_no_matter(tree):
    for name in ("broken.png", "deep.tif"):
        (tree.root / "test/images").mkdir(parents=True, exist_ok=True)
        (tree.root / "test/images" / name).write_bytes(b"\x89PNG")
    tifffile.imwrite(tree.root / "test/images/deep.tif", np.ones((4, 6, 4), np.uint16))
    assert not check_data(str(tree.root)).faults
    assert Folder(tree.root).channels == 3


def test_a_fold_does_not_ask_whether_val_is_whole(tree):
    (tree.root / "val/images/c.jpg").write_bytes(b"\x89PNG")
    assert load_splits(str(tree.root), fold="1/2").val.names
    with pytest.raises(DataError, match=r"c\.jpg: damaged"):
        load_splits(str(tree.root))
