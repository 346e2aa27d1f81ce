"""Searches that are killed at random instants: which trials are lost of them. None.

    python -m benchmarks.search_kills [--kills 100] [--terms 30] [--trials 6] [--seed 0]

The driver, a training, or all processes of a search are killed (SIGKILL), or the driver is asked to
stop (SIGTERM); the same command is called again until the search is done, then another search is
begun, until there were enough signals. A third of them falls within 50 ms of a write to the
database. No training is killed more than twice, since a third signal makes it a failure. At its end
each search must have the trials, the candidates and the scores of one that was left alone, to the
last bit. Linux only: processes are found in /proc.
"""

import argparse
import contextlib
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

STUDY = """\
data: shapes
spec: {classes: 3, in_channels: 3, columns: 1+1}
space:
  streams: [2, 3]
  base_channels: {low: 2, high: 6, step: 1}
  recipe.learning_rate: [0.003, 0.01]
baselines: []
reproducible: true
recipe:
  extends: demo
  epochs: 3
  batch: 50
  validate_every: 1
  workers: 0
  crop: {smallest: 32, largest: 48, size: 32}
"""
NEAR = 0.05
"""Seconds after a write to the database."""
MOST = 2
"""Kills of one training."""
KINDS = ("driver", "training", "all")


def children(of: int) -> list[int]:
    """The processes that a process has begun and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text("utf-8").rpartition(")")[2].split()
            if int(fields[1]) == of and fields[0] != "Z":
                found.append(int(path.parent.name))
    return found


def trainings(driver: int) -> dict[int, str]:
    """The processes of trainings of a driver, and the log into which each prints."""
    found = {}
    for server in children(driver):
        for child in children(server):
            with contextlib.suppress(OSError):
                log = os.readlink(f"/proc/{child}/fd/1")
                if log.endswith(".log"):
                    found[child] = log
    return found


def results(folder: Path) -> list[tuple[str, ...]]:
    """Every trial: its number, role, state, candidate, seeds and scores in full."""
    with open(folder / "trials.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        tuple(row[name] for name in ("trial", "role", "state", "candidate", "seeds", "scores"))
        for row in rows
    ]


@dataclass
class Killing:
    """Searches that are killed, and how often what was hit."""

    place: Path
    trials: int
    life: float
    rng: random.Random
    hits: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)

    def begin(self, folder: Path) -> "subprocess.Popen[bytes]":
        """The command of a search, which goes on with what is there."""
        command = [sys.executable, "-m", "gridgen", "search", str(self.place / "study.yaml")]
        return subprocess.Popen(
            [*command, "-o", str(folder), "--trials", str(self.trials), "--parallel", "2"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def until_done(self, folder: Path, kinds: list[str]) -> None:
        """Signal a search and begin it again, until it is done.

        Of `kinds` those are taken away whose signal reached what it was meant for.
        """
        while True:
            driver = self.begin(folder)
            if kinds and self._wait(driver, folder) and self._hit(driver, kinds[-1]):
                self.hits[kinds.pop()] += 1
            _, said = driver.communicate()
            if driver.returncode == 0:
                return
            # While Python still imports, a request to stop ends it as it ends any program.
            stopped = -signal.SIGTERM if not said else 128 + signal.SIGTERM
            ended = driver.returncode
            assert ended in (-signal.SIGKILL, stopped, 128 + signal.SIGTERM), (ended, said)

    def _wait(self, driver: "subprocess.Popen[bytes]", folder: Path) -> bool:
        """Wait for a random instant of the search's life; False where it was over before."""
        until = time.monotonic() + self.rng.uniform(0, self.life)
        while time.monotonic() < until and driver.poll() is None:
            time.sleep(0.01)
        if self.rng.random() < 1 / 3:
            self._await_write(driver, folder)
        return driver.poll() is None

    def _await_write(self, driver: "subprocess.Popen[bytes]", folder: Path) -> None:
        def state() -> int:
            files = folder.glob("study.db*")
            return max((path.stat().st_mtime_ns for path in files if path.exists()), default=0)

        with contextlib.suppress(OSError):
            before = state()
            while state() == before and driver.poll() is None:
                time.sleep(0.001)
        time.sleep(self.rng.uniform(0, NEAR))

    def _hit(self, driver: "subprocess.Popen[bytes]", kind: str) -> bool:
        """Send a signal; False where no training runs that may be killed."""
        known = trainings(driver.pid)
        if kind == "term":
            driver.send_signal(signal.SIGTERM)
        elif kind == "driver":
            driver.kill()
        elif kind == "training":
            left = [pid for pid, log in known.items() if self.killed[log] < MOST]
            for pid in left[:1]:
                self.killed[known[pid]] += 1
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
            return bool(left)
        else:
            for pid in (driver.pid, *children(driver.pid), *known):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return True


def kinds_of(kills: int, terms: int, rng: random.Random) -> list[str]:
    """What each signal goes to: each kind of kill equally often, at least a quarter of them."""
    found = [KINDS[number % len(KINDS)] for number in range(kills)] + ["term"] * terms
    rng.shuffle(found)
    return found


def report(kills: int, terms: int, trials: int, rng: random.Random) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        (place / "study.yaml").write_text(STUDY, encoding="utf-8")
        killing = Killing(place, trials, 0.0, rng)
        begun = time.monotonic()
        killing.until_done(place / "whole", [])
        killing.life = time.monotonic() - begun
        whole, searches = results(place / "whole"), 0
        kinds = kinds_of(kills, terms, rng)
        while kinds:
            searches += 1
            begun = time.monotonic()
            folder = place / f"search-{searches}"
            killing.killed.clear()
            killing.until_done(folder, kinds)
            # Of a machine that has become quicker, or most signals would come too late.
            killing.life = min(killing.life, time.monotonic() - begun)
            same = results(folder) == whole
            told = f"search {searches}: {'equal' if same else 'OTHER TRIALS'}, {killing.hits}"
            print(told, file=sys.stderr)
            assert same, results(folder)
    print("| a signal went to | signals |\n|---|---:|")
    for kind, number in sorted(killing.hits.items()):
        print(f"| {kind} | {number} |")
    print(f"| all, in {searches} searches of {trials} trials, each as if left alone | |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--terms", type=int, default=30)
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    report(options.kills, options.terms, options.trials, random.Random(options.seed))


if __name__ == "__main__":
    main()
