"""steps.csv: to the last bit, and readable whatever a kill or a power cut left of it."""

import pytest

from gridgen.errors import FileError
from gridgen.training.run.steplog import COLUMNS, StepLog

ROWS = [
    dict(zip(COLUMNS, (20.0, 0.1 + 0.2, 1 / 3, 9.0, 0.5), strict=True)),
    dict(zip(COLUMNS, (40.0, 1e-7, 2 / 3, 8.0, 0.0), strict=True)),
]
TORN = (
    *(b"60,0.1,0.", b"60,0.1\n", b"\x00\x00\x00\n"),
    *(b"\xff\xfe,1,1,1,1\n", b"\n", b"a,b,c,d,e\n"),
)


@pytest.fixture
def log(tmp_path) -> StepLog:
    log = StepLog(tmp_path / "steps.csv")
    log.cut(0)
    for row in ROWS:
        log.add(row)
    return log


def test_rows_come_back_as_they_were(log):
    assert log.rows() == ROWS
    assert log.path.read_text("utf-8").splitlines()[0] == ",".join(COLUMNS)


def test_no_file_has_no_rows(tmp_path):
    assert StepLog(tmp_path / "steps.csv").rows() == []


def test_a_training_that_goes_on_drops_what_came_after(log):
    log.cut(20)
    assert log.rows() == ROWS[:1]


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_line_is_passed_over_and_gone_after_the_next_start(torn, log):
    log.path.write_bytes(log.path.read_bytes() + torn)
    assert log.rows() == ROWS
    log.cut(40)
    assert log.rows() == ROWS
    assert log.path.read_text("utf-8").count("\n") == 3


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(FileError) as caught:
        StepLog(tmp_path).add(ROWS[0])
    assert str(caught.value) == f"{tmp_path}: cannot be written: Is a directory"
