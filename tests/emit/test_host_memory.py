"""The memory that a process may use: the machine's, or less in a container."""

import os

import pytest

from gridgen.memory import host

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
WITHOUT = 9223372036854771712  # what version 1 says where there is no limit


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Writes what the process is in, and the limits of some groups."""

    def write(membership, **limits):
        monkeypatch.setattr(host, "CGROUPS", tmp_path)
        monkeypatch.setattr(host, "MEMBERSHIP", tmp_path / "membership")
        (tmp_path / "membership").write_text(membership)
        for place, limit in limits.items():
            file = tmp_path / place.replace("__", "/").replace("DOT", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{limit}\n")

    return write


def test_without_groups_it_is_the_machines(groups):
    groups("")
    assert host.host_memory() == MACHINE


@pytest.mark.parametrize("limit", ["max", WITHOUT])
def test_a_group_without_a_limit_changes_nothing(groups, limit):
    groups("0::/\n4:memory:/\n", memoryDOTmax=limit, memory__memoryDOTlimit_in_bytes=limit)
    assert host.host_memory() == MACHINE


def test_the_least_limit_of_all_groups_around_it_holds(groups):
    groups("0::/job/step 1\n", **{"job__memoryDOTmax": 2000, "job__step 1__memoryDOTmax": 3000})
    assert host.host_memory() == 2000


def test_version_1_has_a_group_for_memory_alone(groups):
    groups(
        "5:cpu:/job\n4:memory:/job\n0::/\n",
        cpu__memoryDOTlimit_in_bytes=1,
        memory__job__memoryDOTlimit_in_bytes=4000,
    )
    assert host.host_memory() == 4000
