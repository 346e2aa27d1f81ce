"""Damaged files: every one is opened with what was written, or refused in one line."""

import random
import shutil

import pytest

from gridgen.errors import GridgenError
from gridgen.study.store.storages import FILES, KINDS
from tests.study.store.samples import fill, opened

CASES = 60


def flip(content: bytearray, draw: random.Random) -> None:
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)


def overwrite(content: bytearray, draw: random.Random) -> None:
    begin, many = draw.randrange(len(content)), draw.choice([1, 4, 40, 400, 4096])
    content[begin : begin + many] = draw.randbytes(len(content[begin : begin + many]))


def zero(content: bytearray, draw: random.Random) -> None:
    begin = draw.randrange(0, len(content), 512)
    content[begin : begin + 512] = bytes(len(content[begin : begin + 512]))


def digit(content: bytearray, draw: random.Random) -> None:
    """Another digit in place of one: what no format notices."""
    places = [place for place, byte in enumerate(content) if chr(byte).isdigit()]
    place = draw.choice(places)
    content[place] = ord(
        draw.choice([each for each in "0123456789" if ord(each) != content[place]])
    )


def leave_out(content: bytearray, draw: random.Random) -> None:
    begin = draw.randrange(len(content) - 1)
    del content[begin : begin + draw.choice([1, 100, 5000])]


def cut(content: bytearray, draw: random.Random) -> None:
    del content[draw.randrange(len(content)) :]


DAMAGES = (flip, overwrite, zero, digit, leave_out, cut)


@pytest.fixture(scope="module", params=FILES)
def whole(request, tmp_path_factory):
    """Kind, folder and trials of a study; its trials as they were after each line of a journal."""
    folder = tmp_path_factory.mktemp(request.param)
    store = opened(folder, request.param)
    fill(store)
    store.close()
    return request.param, folder, store.trials()


def outcome(folder):
    """The trials that are accepted, or the line by which they are refused."""
    try:
        store = opened(folder)
    except GridgenError as error:
        return str(error)
    store.close()
    return store.trials()


@pytest.mark.parametrize("case", range(CASES))
def test_a_damaged_file_is_opened_rightly_or_refused_in_a_line(whole, tmp_path, case):
    kind, folder, written = whole
    draw = random.Random(case)
    damage = DAMAGES[case % len(DAMAGES)]
    shutil.copytree(folder, tmp_path / "study")
    file = tmp_path / "study" / KINDS[kind].file
    content = bytearray(file.read_bytes())
    damage(content, draw)
    file.write_bytes(content)
    found = outcome(tmp_path / "study")
    if isinstance(found, str):
        assert f"gridgen study {tmp_path / 'study'} repair" in found
        assert "\n" not in found
    elif damage is cut and kind == "journal":
        # A file that ends early is what it was at an earlier time: every trial is a beginning of
        # the one that was written.
        assert all(is_beginning(*pair) for pair in zip(found, written, strict=False))
    else:
        assert found == written


def is_beginning(early, late) -> bool:
    if early.state != "running":
        return early == late
    known = len(early.trainings)
    return early.candidate == late.candidate and early.trainings == late.trainings[:known]
