"""The program itself: help, exit codes, and who is told of what goes wrong."""

import os
import subprocess
import sys

import pytest

import gridgen as gridgen_package
from gridgen.cli import app
from gridgen.names import HIDDEN

COMMANDS = [
    *("render", "count", "paths", "lint", "calibrate", "relate", "diff", "build"),
    *("convert", "train"),
    *("evaluate", "predict", "report", "export", "feasible", "search", "study"),
    *("topologies", "list", "schema", "new", "data", "supernet"),
]


def test_without_a_command_it_lists_them(gridgen):
    code, out, err = gridgen()
    assert (code, err) == (0, "")
    listed = out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed if line.startswith("  ") and line[2] != " "] == (
        COMMANDS
    )
    assert gridgen("--help") == gridgen("-h") == (0, out, "")


@pytest.mark.parametrize("command", [*COMMANDS, "data check", "supernet take"])
def test_every_command_has_help(command, gridgen):
    code, out, err = gridgen(*command.split(), "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: gridgen {command} ")
    assert gridgen(*command.split(), "-h") == (0, out, "")


def test_the_version_is_that_of_the_package(gridgen):
    assert gridgen("--version") == (0, f"gridgen {gridgen_package.__version__}\n", "")


def test_ctrl_c_is_one_word_and_exit_code_130(gridgen, monkeypatch):
    monkeypatch.setattr("gridgen.cli.terminal.build_grid", interrupt)
    assert gridgen("count", "mine.yaml") == (130, "", "stopped\n")


def interrupt(spec):
    raise KeyboardInterrupt


def test_a_bug_of_ours_keeps_its_traceback(gridgen, monkeypatch):
    def bug(spec):
        raise ZeroDivisionError

    monkeypatch.setattr("gridgen.cli.terminal.build_grid", bug)
    with pytest.raises(ZeroDivisionError):
        gridgen("count", "mine.yaml")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error(unbuffered, place, monkeypatch):
    """As `gridgen list topologies | true`."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-c", "from gridgen.cli import main; main()", "list", "topologies"],
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=300,
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "closed", "code", "told"),
    [
        ("list topologies", ">&-", 0, ""),
        ("list topologies", "2>&-", 0, ""),
        ("list topologys", ">&-", 2, "unknown list 'topologys'; did you mean 'topologies'?\n"),
        ("list topologys", "2>&-", 2, ""),
        ("list", ">&- 2>&-", 2, ""),
    ],
)
def test_a_stream_that_is_closed_is_no_bug(arguments, closed, code, told, place):
    program = f"{sys.executable} -m gridgen {arguments} {closed}"
    done = subprocess.run(["sh", "-c", program], stderr=subprocess.PIPE, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (code, told)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_no_room_for_what_is_printed_is_one_line(unbuffered, place, monkeypatch):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from gridgen.cli import main; main()", "list", "topologies"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
        )
    told = "What was found cannot be printed: No space left on device.\n"
    assert (done.returncode, done.stderr) == (2, told)


def test_main_exits_with_the_code(place, capsys):
    for arguments, code in ((["list", "recipes"], 0), (["list", "recipe"], 2)):
        with pytest.raises(SystemExit) as ended:
            app.main(arguments)
        assert ended.value.code == code


HIDDEN_NAME = "a\x1b[31m\u202egnp"
SHOWN_NAME = r"a\x1b[31m\u202egnp"


@pytest.mark.parametrize(
    "command",
    ["count {}.yaml", "train mine.yaml --data {}", "data check {}", "report {}", "{}", "list --{}"],
)
def test_a_name_with_hidden_characters_is_shown_escaped(command, gridgen):
    code, out, err = gridgen(*(word.format(HIDDEN_NAME) for word in command.split()))
    assert code == 2
    assert SHOWN_NAME in err
    assert HIDDEN.search(out + err) is None


def test_a_warning_is_escaped_even_while_a_bar_is_drawn(capsys):
    app._warn(HIDDEN_NAME)
    assert capsys.readouterr().err == f"gridgen: {SHOWN_NAME}\n"
