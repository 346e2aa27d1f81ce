"""The code of a commit against that of the working tree, bit for bit.

    python -m benchmarks.unchanged COMMIT

COMMIT is checked out beside the working tree, and both are observed by the same program, in two
processes on this machine with one thread each: counts, memory, receptive fields, names and shapes
of weights, and the SHA-256 of what seeded networks compute, in evaluation and in training. Prints
a row for each network and every difference; exits with 1 where there is one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parent.parent


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A worktree of `commit`, removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git("worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            git("worktree", "remove", "--force", str(tree))


def git(*arguments: str) -> None:
    """Run git in the working tree; its own message and exit code 2 where it fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr.strip(), file=sys.stderr)
        sys.exit(2)


@contextmanager
def observer(package: Path) -> Iterator[IO[str]]:
    """The lines of `tests.unchanged.bits` about the package `gridgen` in `package`."""
    with tempfile.TemporaryDirectory() as folder:
        # A folder that holds nothing but the package, so that the tests are those of this tree.
        (Path(folder) / "gridgen").symlink_to(package / "gridgen")
        path = os.pathsep.join((folder, str(ROOT)))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.unchanged.bits"],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()
            process.wait()


def differences(then: Any, now: Any, at: str = "") -> Iterator[str]:
    """The places where two observations differ."""
    if not (isinstance(then, dict) and isinstance(now, dict)):
        if then != now:
            yield f"{at}: {then} then, {now} now"
        return
    for key in sorted({*then, *now}):
        where = f"{at} / {key}".removeprefix(" / ")
        yield from differences(then.get(key), now.get(key), where)


def compare(old: IO[str], new: IO[str]) -> int:
    """Print a row for each network; how many differ."""
    print("| network | then s | now s | differences |\n|---|---:|---:|---:|", flush=True)
    differing = 0
    for before, after in zip(map(json.loads, old), map(json.loads, new), strict=True):
        assert before["name"] == after["name"]
        found = list(differences(before["observed"], after["observed"]))
        times = f"{before['seconds']:.2f} | {after['seconds']:.2f}"
        print(f"| {before['name']} | {times} | {len(found) or 'none'} |", flush=True)
        for line in found:
            print(f"    {line}", flush=True)
        differing += bool(found)
    return differing


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commit", help="what to compare with, such as HEAD or v0.1.0")
    options = parser.parse_args()
    with checked_out(options.commit) as tree, observer(tree) as old, observer(ROOT) as new:
        differing = compare(old, new)
    print(f"\n{differing or 'no'} network{'s' if differing != 1 else ''} changed")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
