"""Folders with what people's folders have: from the files to a dataset without an edit by hand."""

import unicodedata

import numpy as np
import pytest
from folders import save

from gridgen import init_data, split_data
from gridgen.data.check import check_data
from gridgen.data.folder import Folder

IMAGE = np.full((4, 6, 3), 50, np.uint8)
MASK = np.resize([0, 255], (4, 6)).astype(np.uint8)
DECOMPOSED = unicodedata.normalize("NFD", "Größe ä")
CLASSES = (
    "\ufeff# id\tname\tR\tG\tB\trole\r\n0\tboden\t0\t0\t0\tclass\r\n1\tbäume\t9\t0\t0\tclass\r\n"
)
FOLDERS = {
    "capitals": ("Train/Images/IMG_{}.JPG", "Train/Masks/IMG_{}.PNG"),
    "spaces": ("images/photo {} (copy).jpeg", "masks/photo {} (copy).png"),
    "a folder for each patient, below": (
        "images/Patient {0}/s{0}.png",
        "masks/Patient {0}/s{0}.png",
    ),
    "a folder for each patient, above": ("P {}/images/s.png", "P {}/masks/s.png"),
    "another ending": ("img/{}.bmp", "gt/{}.tif"),
    "accents of two kinds": (f"images/{DECOMPOSED} {{}}.png", "masks/Größe ä {}.png"),
    "names that begin apart": ("images/image_{}.png", "masks/mask_{}.png"),
    "one folder in another": ("archive/images/{}.png", "archive/masks/{}.png"),
    "splits with an ending": ("train_images/{}.png", "train_masks/{}.png"),
}
JUNK = {
    ".DS_Store": b"\0\0\0\1Bud1",
    "__MACOSX/._images": b"\0\5\x16\7",
    "Thumbs.db": b"\xd0\xcf\x11\xe0",
    "desktop.ini": b"[.ShellClassInfo]\r\n",
    "README.txt": b"made by hand\r\n",
}


@pytest.mark.parametrize(("image", "label"), FOLDERS.values(), ids=FOLDERS)
@pytest.mark.parametrize("listed", [False, True], ids=["", "classes.txt from Windows"])
def test_a_folder_becomes_a_dataset(tmp_path, image, label, listed):
    root = tmp_path / "My data, März"
    for number in range(4):
        path = save(root / image.format(number), IMAGE)
        save(root / label.format(number), MASK)
        # What macOS writes beside each file on a disk of another system.
        (path.parent / f"._{path.name}").write_bytes(b"\0\5\x16\7")
        (path.parent / "Thumbs.db").write_bytes(JUNK["Thumbs.db"])
    for name, content in JUNK.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(content)
    if listed:
        (root / "classes.txt").write_bytes(CLASSES.encode())
    init_data(root)
    split_data(root, 0.25)
    assert [fault.text for fault in check_data(root).faults] == []
    train = Folder(root, "train")
    assert (len(train), len(Folder(root, "val"))) == (3, 1)
    assert train.classes == (("boden", "bäume") if listed else ("class 0", "class 1"))
    assert train[0].label.unique().tolist() == [0, 1]


def test_images_and_labels_that_are_links_are_read(tmp_path):
    root = tmp_path / "links"
    (root / "labels").mkdir(parents=True)
    for name in "abc":
        save(tmp_path / f"images/{name}.png", IMAGE)
        label = save(tmp_path / f"masks/{name}_1.png", MASK)
        (root / f"labels/{name}.png").symlink_to(label)
    (root / "images").symlink_to(tmp_path / "images")
    init_data(root)
    split_data(root, 0.34)
    assert check_data(root).faults == ()
