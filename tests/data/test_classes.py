import pytest

from gridgen.data.classes import read_classes
from gridgen.data.dataset import IGNORE
from gridgen.errors import DataError

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


def test_ignored_ids_become_the_ignored_label_and_unlisted_ones_stand_out(read):
    labels = read(GOOD + "9\tvoid\t0\t0\t0\tignore\n").labels
    assert (labels[0], labels[9], labels[1], labels[255]) == (0, IGNORE, -1, -1)


def test_255_may_be_the_ignored_id(read):
    assert read(GOOD + "255\tvoid\t0\t0\t0\tignore\n").labels[255] == IGNORE


def test_windows_line_ends_and_byte_order_mark_are_read(read):
    assert read(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()).ids == (0,)


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        ("0 sky 1 2 3 class", "1: 1 columns; write id, name, R, G, B, role, separated by tabs"),
        (GOOD + "1\troad\t4\t5\tclass", "2: 5 columns; write id, name, R, G, B, role, "
         "separated by tabs"),
        ("x\tsky\t1\t2\t3\tclass", "1: id: 'x' is no whole number from 0 to 255"),
        ("-1\tsky\t1\t2\t3\tclass", "1: id: '-1' is no whole number from 0 to 255"),
        ("0\tsky\t1\t256\t3\tclass", "1: G: '256' is no whole number from 0 to 255"),
        ("0\tsky\t1\t2\t3.5\tclass", "1: B: '3.5' is no whole number from 0 to 255"),
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
         "classes count up from 0"),
        ("0\tvoid\t0\t0\t0\tignore\n1\tsky\t1\t2\t3\tclass", "2: class id 1, but no class id 0; "
         "classes count up from 0"),
        ("".join(f"{i}\tc{i}\t0\t0\t0\tclass\n" for i in range(256)),
         "256: class id 255 marks ignored pixels; 255 classes at most"),
        ("# nothing\n", " no line of role class; a dataset has one at least"),
        ("0\tvoid\t0\t0\t0\tignore", " no line of role class; a dataset has one at least"),
        (b"0\tsk\xff\t1\t2\t3\tclass", " byte 4 is not UTF-8 text"),
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
        f"{tmp_path}/classes.txt: No such file or directory; it lists the classes"
    )
