"""How many processes the kernel has ended for want of memory, as control groups count them."""

from collections.abc import Iterator
from pathlib import Path

from gridgen.files import read_text

GROUPS = Path("/proc/self/cgroup")
ROOT = Path("/sys/fs/cgroup")


def out_of_memory_kills(groups: Path = GROUPS, root: Path = ROOT) -> int:
    """The count of all time in this process's control group; 0 where none is kept."""
    for path in _files(groups, root):
        try:
            words = read_text(path).split()
            return int(words[words.index("oom_kill") + 1])
        except (OSError, ValueError):
            continue
    return 0


def _files(groups: Path, root: Path) -> Iterator[Path]:
    """Where the count may be: in this process's own group, or at the root that a container sees."""
    try:
        lines = [line.split(":", 2) for line in read_text(groups).splitlines()]
    except (OSError, ValueError):
        return
    for _, kinds, path in (line for line in lines if len(line) == 3):
        if not kinds:  # version 2, beside version 1 in a folder of its own
            for top in (root, root / "unified"):
                yield from (top / path.lstrip("/") / "memory.events", top / "memory.events")
        elif "memory" in kinds.split(","):
            top = root / "memory"
            yield from (top / path.lstrip("/") / "memory.oom_control", top / "memory.oom_control")
