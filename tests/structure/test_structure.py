"""The package keeps its shape: its size, one meaning for each name, imports that run downward."""

import ast
from collections import Counter
from textwrap import dedent

import pytest

from tests.structure import contributing
from tests.structure.docstrings import empty_docstrings, repeats
from tests.structure.names import defined_twice, shadowed
from tests.structure.order import ORDERS, cycle, graph, upward
from tests.structure.package import PACKAGE, modules
from tests.structure.size import LEAST_COMMENTS, MOST_FILES, MOST_LINES, Size, size_of, total
from tests.test_rooms import ROOMS, imports


def trees(**texts: str) -> dict[str, ast.Module]:
    """Modules of a package by their paths, in which `__of__` stands for `/`."""
    return {f"{name.replace('__of__', '/')}.py": ast.parse(text) for name, text in texts.items()}


def test_the_package_has_no_more_code_than_it_may():
    assert total().code <= MOST_LINES


def test_the_package_has_no_more_files_than_it_may():
    assert total().files <= MOST_FILES


def test_enough_lines_say_why():
    assert total().comments >= LEAST_COMMENTS * total().lines


def test_no_type_name_is_defined_twice():
    assert defined_twice() == {}


def test_no_package_hides_a_module_behind_a_function():
    assert shadowed() == []


def test_no_docstring_only_repeats_its_name():
    assert empty_docstrings() == []


@pytest.mark.parametrize("room", ORDERS)
def test_no_files_of_a_room_import_each_other_in_a_circle(room):
    assert graph(room), f"gridgen/{room} holds no files"
    assert cycle(room) == []


@pytest.mark.parametrize("room", ORDERS)
def test_imports_inside_a_room_run_downward(room):
    assert ORDERS[room]
    assert list(upward(room, ORDERS[room])) == []


def test_contributing_tells_the_rooms_in_their_order():
    assert list(ROOMS) == contributing.rooms()


def test_every_place_that_contributing_names_exists():
    assert contributing.missing_places() == []


def test_every_file_and_name_that_a_page_gives_exists():
    assert contributing.unknown_names() == []


def test_lines_are_counted():
    text = '''
    """A module."""

    # Why it is 1.
    ONE = 1  # not a line of its own
    """What it is."""


    def two() -> int:
        """Two.

        Not three.
        """
        return ONE + ONE
    '''
    assert size_of(dedent(text).lstrip()) == Size(files=1, lines=13, code=3, comments=1)


def test_a_string_that_is_used_counts_as_code():
    assert size_of('text = """\none\n"""\n').code == 3


def test_a_type_that_is_defined_twice_is_found():
    found = trees(a="class Part: ...", b="Part = Literal['stem']", c="_Part = int\nPARTS = ()")
    assert defined_twice(found) == {"Part": ["a.py", "b.py"]}


def test_a_constant_is_no_type():
    assert defined_twice(trees(a="Part = 1", b="Part = ()", c="PART = x", d="PART = y")) == {}


@pytest.mark.parametrize(
    ("init", "hidden"),
    [
        ("from gridgen.room.keep import keep", ["room/keep.py"]),
        ("from gridgen.room.pruning import take as keep", ["room/keep.py"]),
        ("LATER = {'keep': 'gridgen.room.pruning'}", ["room/keep.py"]),
        ("def keep(): ...", ["room/keep.py"]),
        ("from gridgen.room import keep", []),
        ("from gridgen.room.pruning import take", []),
    ],
)
def test_a_module_behind_a_function_is_found(init, hidden):
    assert shadowed(trees(room__of____init__=init, room__of__keep="")) == hidden


@pytest.mark.parametrize(
    ("name", "docstring"),
    [
        ("legal_size", "The legal size."),
        ("Part.stem", "Of the stem."),
        ("numbers", "Its number."),
        ("LegalSizes", "Legal sizes."),
    ],
)
def test_a_docstring_that_repeats_its_name_is_found(name, docstring):
    assert repeats(name, docstring)


@pytest.mark.parametrize(
    ("name", "docstring"),
    [
        ("legal_size", "The legal size (height, width) that is nearest from above."),
        ("Part.stem", "Layers before the grid."),
    ],
)
def test_a_docstring_that_says_more_is_not_found(name, docstring):
    assert not repeats(name, docstring)


UPWARD = "def f():\n    from gridgen.room.low import x"
TYPED = "if TYPE_CHECKING:\n    from gridgen.room import x"


def test_an_import_against_the_order_is_found_inside_functions_and_through_the_package():
    found = trees(
        room__of____init__="from gridgen.room.low import x",
        room__of__high=UPWARD,
        room__of__middle=TYPED,
        room__of__low="x = 1",
        room__of__other="",
    )
    assert list(upward("room", ("high", "middle", "low"), found)) == [
        "room/high.py imports room/low.py, which is below it",
        "room/middle.py imports room/low.py, which is below it",
        "room/other.py: other has no place in the order of room/",
    ]
    assert list(upward("room", ("low", "middle", "high", "other"), found)) == []


def test_a_circle_is_found():
    one, two = "from gridgen.room import two", "import gridgen.room.one"
    found = trees(room__of____init__="", room__of__one=one, room__of__two=two)
    assert set(cycle("room", found)) == {"room/one.py", "room/two.py"}


def test_the_package_is_read():
    assert len(modules()) > 100


@pytest.mark.parametrize("folder", ["tests", "benchmarks"])
def test_files_are_read_as_utf_8_whatever_the_system_says(folder):
    found = [
        f"{path}:{node.lineno}"
        for path in sorted((PACKAGE.parent / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "read_text"
        if not (node.args or node.keywords)
    ]
    assert found == []


@pytest.mark.parametrize("folder", ["tests", "docs", "gridgen"])
def test_only_benchmarks_import_benchmarks(folder):
    root = PACKAGE.parent / folder
    found = [
        f"{path}:{line}"
        for path in sorted(root.rglob("*.py"))
        for line, name in imports(ast.parse(path.read_text("utf-8")), "tests/x.py")
        if name.split(".")[0] == "benchmarks"
    ]
    assert found == []


def test_no_two_test_files_are_imported_under_one_name():
    """Outside packages, pytest imports a file by its name alone, and stops at a second one."""
    tests = PACKAGE.parent / "tests"
    alone = [path for path in tests.rglob("*.py") if not (path.parent / "__init__.py").exists()]
    names = Counter(path.name for path in alone if path.name != "conftest.py")
    assert [name for name, number in names.items() if number > 1] == []
