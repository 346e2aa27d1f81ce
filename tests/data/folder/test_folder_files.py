"""`classes.txt`, and `dataset.yaml`, which says what white is."""

import numpy as np
import pytest

from gridgen.data.denoising import Denoising
from gridgen.data.folder import Folder, FolderSettings, read_classes, read_settings
from gridgen.errors import DataError, SpecError, unknown

GOOD = "0\tsky\t1\t2\t3\tclass\n"


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "classes.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_classes(path)

    return read


def test_ids_come_in_ascending_order_with_names_and_colours(read):
    listed = read("1\troad\t4\t5\t6\tclass\n# comment\n\n9\tvoid\t0\t0\t0\tignore\n" + GOOD)
    assert [line.name for line in listed.classes] == ["sky", "road"]
    assert [line.colour for line in listed.classes] == [(1, 2, 3), (4, 5, 6)]
    assert listed.ids == (0, 1, 9)


def test_windows_line_ends_and_byte_order_mark_are_read(read):
    assert read(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()).ids == (0,)


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        ("0 sky 1 2 3 class", "1: 1 column; write id, name, R, G, B, role, separated by tabs"),
        (GOOD + "1\troad\t4\t5\tclass", "2: 5 columns; write id, name, R, G, B, role, "
         "separated by tabs"),
        ("x\tsky\t1\t2\t3\tclass", "1: id: 'x' is not a whole number from 0 to 255"),
        ("1" * 5000 + "\tsky\t1\t2\t3\tclass",
         f"1: id: '{'1' * 40}' is not a whole number from 0 to 255"),
        ("-1\tsky\t1\t2\t3\tclass", "1: id: '-1' is not a whole number from 0 to 255"),
        ("0\tsky\t1\t256\t3\tclass", "1: G: '256' is not a whole number from 0 to 255"),
        ("0\tsky\t1\t2\t3.5\tclass", "1: B: '3.5' is not a whole number from 0 to 255"),
        ("0\t\t1\t2\t3\tclass", "1: the name is empty"),
        (GOOD + "1\tro\x1b[31mad\t1\t2\t3\tclass", "2: name: 'ro\\x1b[31mad' is not 200 printable "
         "characters at most; write it anew"),
        ("0\tsky\u200b\t1\t2\t3\tclass", "1: name: 'sky\\u200b' is not 200 printable characters at "
         "most; write it anew"),
        ("0\tblue\u00a0sky\t1\t2\t3\tclass", "1: name: 'blue\\xa0sky' is not 200 printable "
         "characters at most; write it anew"),
        ("0\t" + 201 * "a" + "\t1\t2\t3\tclass", f"1: name: {40 * 'a'!r} is not 200 printable "
         "characters at most; write it anew"),
        ("0\tsky\t1\t2\t3\tvoid", "1: role: 'void' is neither class nor ignore"),
        (GOOD + "# again\n0\troad\t1\t2\t3\tclass", "3: id 0 stands in line 1 already"),
        (GOOD + "1\tsky\t1\t2\t3\tclass", "2: name 'sky' stands in line 1 already"),
        (GOOD + "2\troad\t1\t2\t3\tclass", "2: class id 2, but no class id 1; "
         "classes count up from 0, and values in dataset.yaml say which numbers of labels they "
         "are"),
        ("0\tvoid\t0\t0\t0\tignore\n1\tsky\t1\t2\t3\tclass", "2: class id 1, but no class id 0; "
         "classes count up from 0, and values in dataset.yaml say which numbers of labels they "
         "are"),
        ("".join(f"{i}\tc{i}\t0\t0\t0\tclass\n" for i in range(256)),
         "256: class id 255 marks ignored pixels; 255 classes at most"),
        ("# nothing\n", " no line of role class; a dataset has one at least"),
        ("0\tvoid\t0\t0\t0\tignore", " no line of role class; a dataset has one at least"),
        (b"0\tsk\xff\t1\t2\t3\tclass", " byte 4 is not UTF-8 text; save it as UTF-8"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line(read, tmp_path, content, fact):
    with pytest.raises(DataError) as error:
        read(content)
    assert str(error.value) == f"{tmp_path}/classes.txt:{fact}"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError) as error:
        read_classes(tmp_path / "classes.txt")
    assert str(error.value) == (
        f"{tmp_path}/classes.txt: No such file or directory; it lists the classes; "
        "gridgen data init writes one"
    )


@pytest.fixture
def dark(tree):
    """The tree with grey images of 12 bits, as bright as 1/5 of white."""
    for split, name in (("train", "a.png"), ("train", "b.webp"), ("val", "c.jpg")):
        (tree.root / split / "images" / name).unlink()
        ramp = np.full((4, 6), 819, np.uint16)
        ramp[0] = 0
        tree.image(f"{split}/images/{name[0]}.png", ramp)
    return tree


def test_without_the_file_nothing_is_set(tree):
    assert read_settings(tree.root) == FolderSettings()


@pytest.mark.parametrize("dataset", [lambda root: Folder(root), lambda r: Denoising("train", r)])
def test_white_keeps_a_dark_image_dark(dark, dataset):
    assert dataset(dark.root)[0].image.max() == 1
    dark.write("dataset.yaml", "white: 4095\n")
    sample = dataset(dark.root)[0]
    clean = sample.label if sample.label.is_floating_point() else sample.image
    assert clean.max().item() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("whit: 3\n", f"1:1: whit: {unknown('field', 'whit', ['white'])}"),
        ("white: 0\n", "1:8: white: 0 is not more than black, which is 0"),
        ("white: bright\n", "1:8: white: 'bright' is not a number"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tree, content, error):
    path = tree.write("dataset.yaml", content)
    with pytest.raises(SpecError) as caught:
        Folder(tree.root)
    assert str(caught.value).splitlines()[0] == f"{path}:{error}"


def test_two_classes_that_look_alike_have_one_name(tmp_path):
    path = tmp_path / "classes.txt"
    names = ("r\u00fcbe", "ru\u0308be")
    path.write_text("".join(f"{i}\t{n}\t0\t0\t{i}\tclass\n" for i, n in enumerate(names)), "utf-8")
    with pytest.raises(DataError, match="stands in line 1 already"):
        read_classes(path)
