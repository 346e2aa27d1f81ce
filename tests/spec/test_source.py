from collections.abc import Callable

import pytest
from hypothesis import given, settings, strategies as st

from gridgen.errors import SpecError
from gridgen.spec import Source
from gridgen.spec.source import MAX_BYTES, MAX_NODES
from tests.work import calls, peak_bytes


def refusal(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        Source.parse(text, "mine.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("16", 16),
        ("+5", 5),
        ("-3", -3),
        ("0", 0),
        ("0.1", 0.1),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),  # YAML 1.1: the word "1e-3"
        ("1E6", 1_000_000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),  # YAML 1.1: False
        ("on", "on"),
        ("010", "010"),  # YAML 1.1: 8
        ("0x10", "0x10"),
        ("0o10", "0o10"),
        ("1:30", "1:30"),  # YAML 1.1: 90
        ("1_6", "1_6"),  # YAML 1.1: 16
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("tRUE", "tRUE"),
        ("2026-01-01", "2026-01-01"),  # YAML 1.1: a date
        ("'4'", "4"),
        ('"4"', "4"),
        ("'true'", "true"),
        ("[1, [a, b], {c: 2}]", [1, ["a", "b"], {"c": 2}]),
    ],
)
def test_scalars_are_read_as_yaml_1_2_writes_them(written, read):
    found = Source.parse(f"field: {written}\n", "mine.yaml").data["field"]
    assert (type(found), found) == (type(read), read)


def test_anchors_and_aliases_are_read():
    source = Source.parse("a: &x [1, 2]\nb: *x\n", "mine.yaml")
    assert source.data == {"a": [1, 2], "b": [1, 2]}


LOCATED = {
    "a field twice": ("a: 1\nb: 2\na: 3\n", 3, 1, "a: given twice; remove one"),
    "a nested field twice": ("a: {b: 1, b: 2}\n", 1, 11, "b: given twice; remove one"),
    "a merge": ("a: &x {b: 1}\n<<: *x\n", 2, 1, "merge keys are not read; write the fields out"),
    "a list as a name": ("[1]: 2\n", 1, 1, "a field's name must be a word"),
    "a mapping as a name": ("? {a: 1}\n: 2\n", 1, 3, "a field's name must be a word"),
    "two lines as a name": ('"a\\nb": 1\n', 1, 1, "a field's name must be a word"),
    "a terminal code in a name": ('"\\e[31m": 1\n', 1, 1, "a field's name must be a word"),
    "a python tag": (
        "a: !!python/object/apply:os.system [ls]\n",
        1,
        4,
        "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not read; "
        "write the plain value",
    ),
    "a core tag": (
        "a: !!str 5\n",
        1,
        4,
        "the tag 'tag:yaml.org,2002:str' is not read; write the plain value",
    ),
    "a bare tag": ("a: ! b\n", 1, 4, "the tag '!' is not read; write the plain value"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, 1, "a second document; a file holds one"),
    "depth": ("a: [[[[[[[[1]]]]]]]]\n", 1, 11, "nested deeper than 8 levels"),
    "a recursive alias": (
        "a: &x [*x]\n",
        1,
        4,
        "over 4096 values or 8 levels, aliases expanded",
    ),
    "an unknown alias": ("a: *x\n", 1, 4, "found undefined alias 'x'"),
    "an open bracket": (
        "a: [1,\n",
        2,
        1,
        "expected the node content, but found '<stream end>'",
    ),
    "a tab": ("a: 1\n\tb: 2\n", 2, 1, "a tab where YAML takes none; indent with spaces"),
    "41 digits": ("a: " + "9" * 41 + "\n", 1, 4, "a number of more than 40 characters"),
    "a hidden character, escaped": (
        'a: "\\u202e"\n',
        1,
        4,
        "hidden character U+202E; remove it",
    ),
    "a lone surrogate, escaped": (
        'a: "\\uD800"\n',
        1,
        4,
        "hidden character U+D800; remove it",
    ),
}


@pytest.mark.parametrize("what", LOCATED)
def test_what_is_not_read_is_refused_at_its_place(what):
    text, line, column, fact = LOCATED[what]
    shown = (text.split("\n"))[line - 1]
    assert refusal(text) == (
        f"mine.yaml:{line}:{column}: {fact}\n{line:>6} | {shown}\n       | {' ' * (column - 1)}^"
    )


@pytest.mark.parametrize(
    "character",
    "\x00\x07\x1b\x7f\x85\x9b\u061c\u200b\u200e\u2028\u202a\u202e\u2066\u2069\ufeff\ud800\r",
)
def test_hidden_characters_are_refused_and_not_shown(character):
    assert refusal(f"a: 1\nb: x{character}y  # \u00e9\n") == (
        f"mine.yaml:2:5: hidden character U+{ord(character):04X}; remove it\n"
        "     2 | b: x\ufffdy  # \u00e9\n"
        "       |     ^"
    )


def test_windows_line_ends_are_read_and_not_shown():
    assert Source.parse("a: 1\r\nb: 2\r\n", "mine.yaml").data == {"a": 1, "b": 2}
    assert refusal("a: 1\r\na: 2\r\n") == (
        "mine.yaml:2:1: a: given twice; remove one\n     2 | a: 2\n       | ^"
    )


def test_of_a_long_line_the_part_around_the_fault_is_shown():
    text = "a: [" + "x, " * 100 + "!t y" + ", x" * 100 + "]\n"
    fact, line, caret = refusal(text).split("\n")
    assert fact == "mine.yaml:1:305: the tag '!t' is not read; write the plain value"
    assert line == f"     1 | {text[244:364]}"
    assert line[caret.index("^") :].startswith("!t y")


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "5\n", "null\n", "--- \n"])
def test_a_file_without_fields_says_so(text):
    assert refusal(text) == "mine.yaml: the file has no fields; write `field: value` lines"


def test_a_list_is_told_so_where_it_begins():
    assert refusal("# mine\n- a\n") == (
        "mine.yaml:2:1: the file is a list; write `field: value` lines, without dashes\n"
        "     2 | - a\n       | ^"
    )


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('"\\UFFFFFFFF": 1\n', "Python int too large to convert to C int"),
        ('"\\U00110000": 1\n', "chr() arg not in range(0x110000)"),
    ],
)
def test_an_escape_beyond_unicode_is_refused(text, fact):
    assert refusal(text) == f"mine.yaml: not YAML: {fact}"


def test_a_version_of_5000_digits_is_refused():
    assert refusal(f"%YAML 1.{'9' * 5000}\n---\na: 1\n").startswith("mine.yaml: not YAML: ")


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)
HUGE = {
    "billion laughs": LAUGHS,
    "laughs as names": "a: &a {x: 1}\n" + "b: {*a : 1}\n",
    "a long list": "a: [" + "1," * 32_000 + "]\n",
    "many fields": "".join(f"a{i}: 1\n" for i in range(6000)),
    "brackets": "[" * 60_000,
    "braces": "{" * 60_000,
    "dashes": "- " * 30_000,
    "question marks": "? " * 30_000,
    "a million columns": "columns: [" + "sub, " * 1_000_000 + "]\n",
    "ten megabytes": "x" * 10_000_000,
}


# A character costs PyYAML about 13 calls.
MOST_CALLS = 20 * MAX_BYTES


@pytest.mark.parametrize("what", HUGE)
def test_what_would_grow_is_refused_with_little_work_and_memory(what):
    assert len(refusal(HUGE[what])) < 500
    assert calls(lambda: refusal(HUGE[what])) < MOST_CALLS
    assert peak_bytes(lambda: refusal(HUGE[what])) < 32 * 2**20


def test_billion_laughs_are_refused_by_the_number_of_values():
    assert refusal(LAUGHS) == (
        "mine.yaml:1:17: over 4096 values or 8 levels, aliases expanded\n"
        "     1 | a: &a [x, x, x, x, x, x, x, x, x]\n"
        "       |                 ^"
    )


def test_the_limit_on_values_is_exact():
    fields = "".join(f"a{i}: 1\n" for i in range(MAX_NODES - 1))
    assert len(Source.parse(fields, "mine.yaml").data) == MAX_NODES - 1
    assert "over 4096 values" in refusal(fields + "b: 1\n")


def test_a_file_of_64_kib_is_read_and_one_byte_more_is_not(tmp_path):
    path = tmp_path / "mine.yaml"
    text = "a: 1\n# "
    path.write_text(text + "x" * (MAX_BYTES - len(text)))
    assert Source.read(path).data == {"a": 1}
    path.write_text(text + "x" * (MAX_BYTES - len(text) + 1))
    with pytest.raises(SpecError) as caught:
        Source.read(path)
    assert str(caught.value) == f"{path}: too long: 65,537 bytes, and 65,536 are read at most"


def test_a_device_without_end_is_refused():
    with pytest.raises(SpecError) as caught:
        Source.read("/dev/zero")
    assert str(caught.value) == "/dev/zero: no file, but a device or a pipe"


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"a: caf\xe9\n")
    with pytest.raises(SpecError) as caught:
        Source.read(path)
    assert str(caught.value) == (
        f"{path}:1: byte 6 of the file is not UTF-8; save it as UTF-8, or name a YAML file"
    )


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(SpecError) as caught:
        Source.read(tmp_path / "none.yaml")
    assert str(caught.value) == f"{tmp_path}/none.yaml: No such file or directory"
    with pytest.raises(SpecError) as caught:
        Source.read(tmp_path)
    assert str(caught.value) == f"{tmp_path}: a folder; name a YAML file in it"


def test_a_missing_file_that_comes_along_is_said_to_come_with_a_new_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError) as caught:
        Source.read("specs/gridnet.yaml")
    assert str(caught.value) == (
        "specs/gridnet.yaml: No such file or directory; gridgen new FOLDER writes it there"
    )


def test_a_field_that_is_not_in_the_file_is_shown_at_what_should_hold_it():
    source = Source.parse("# mine\na:\n  b: 1\n", "mine.yaml")
    error = source.blame(SpecError("is missing", ("a", "c")))
    assert str(error) == "mine.yaml:3:3: a: is missing\n     3 |   b: 1\n       |   ^"
    assert str(source.blame(SpecError("says nothing"))) == (
        "mine.yaml:2:1: says nothing\n     2 | a:\n       | ^"
    )


TOKENS = st.sampled_from(
    [
        *("a", "b: ", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "&x ", "*x", "!", "!!int "),
        *("'", '"', "\\u", "\\U", "\\x", "|", ">", "? ", "---\n", "...\n", "#", "@", "`", "%"),
        *("<<", "0", "1e", ".", "_", "null", "~", "%YAML 1.1\n", "%TAG ! x\n", "\t", "\r\n"),
        *("\u202e", "\U0001f600"),
    ]
)


def outcome(read: Callable[[], Source]) -> Source | SpecError:
    try:
        return read()
    except SpecError as error:
        return error


@settings(max_examples=200)
@given(st.one_of(st.text(), st.lists(TOKENS, max_size=30).map("".join)))
def test_any_text_is_plain_data_or_a_spec_error(text):
    found = outcome(lambda: Source.parse(text, "mine.yaml"))
    if isinstance(found, Source):
        assert type(found.data) is dict
        assert str(found.data).encode()
    else:
        assert str(found).startswith("mine.yaml:")
        assert str(found).encode()


@settings(max_examples=100)
@given(raw=st.one_of(st.binary(), st.lists(TOKENS).map(lambda some: "".join(some).encode())))
def test_any_file_is_plain_data_or_a_spec_error(raw, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(raw)
    found = outcome(lambda: Source.read(path))
    if isinstance(found, Source):
        assert type(found.data) is dict
    else:
        assert str(found).startswith(f"{path}:")
