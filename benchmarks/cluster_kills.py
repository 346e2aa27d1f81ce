"""A search in a cluster and a database, both of which break: which trials are lost. None.

    python -m benchmarks.cluster_kills [--kills 20] [--restarts 10] [--trials 60] [--seed 0]

A Ray cluster of a head and two nodes on this machine and a PostgreSQL server; a search of small
trainings, two at once. While it goes on, a training, the process of Ray's that looks after one, a
whole node (another takes its place) or the driver is killed (SIGKILL), and the server is restarted,
every second time as in a power cut. These events are spread over all trials and come at random
instants. A driver that was killed is begun again by the same command. At the end the search must
have the trials, the candidates and the scores of one on this machine that was left alone, to the
last bit. Linux only: processes are found in /proc.
"""

import argparse
import contextlib
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

from benchmarks.search_kills import MOST, STUDY, children, results
from tests.study.engine.cluster import LocalCluster, local_cluster
from tests.study.store.server import Server

KINDS = ("training", "Ray's process", "node", "driver")
SPACE = STUDY.replace("high: 6", "high: 16").replace("[0.003, 0.01]", "[0.003, 0.005, 0.01]")


def trainers() -> list[int]:
    """Ray's processes in which trainers are."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().startswith(b"ray::RayTrainer"):
                found.append(int(path.parent.name))
    return found


def logs() -> dict[int, str]:
    """The processes that train, and the log into which each prints."""
    found = {}
    for server in (each for trainer in trainers() for each in children(trainer)):
        for child in children(server):
            with contextlib.suppress(OSError):
                found[child] = os.readlink(f"/proc/{child}/fd/1")
    return {child: log for child, log in found.items() if log.endswith(".log")}


@dataclass
class Breaking:
    """A search, its cluster and its database, and what was done to them."""

    folder: Path
    trials: int
    cluster: LocalCluster
    server: Server
    rng: random.Random
    driver: "subprocess.Popen[bytes] | None" = None
    done: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)

    def run(self, events: list[str]) -> None:
        """Search to the end, with all events on the way."""
        self._begin()
        for number, kind in enumerate(events, 1):
            self._until(number * self.trials / (len(events) + 2))
            time.sleep(self.rng.uniform(0, 2))
            while not self._break(kind):
                self._go_on()
                time.sleep(0.05)
            self.done[kind] += 1
            print(f"{self._begun()} of {self.trials} begun: {kind}", file=sys.stderr)
        while self._go_on():
            time.sleep(0.1)

    def _begin(self) -> None:
        command = [
            sys.executable,
            "-m",
            "gridgen",
            "search",
            str(self.folder.parent / "study.yaml"),
        ]
        options = ["-o", str(self.folder), "--trials", str(self.trials), "--engine", "ray"]
        where = ["--address", self.cluster.address, "--storage", self.server.address]
        with open(self.folder.parent / "told", "ab") as told:
            self.driver = subprocess.Popen(
                [*command, *options, *where], stderr=told, stdout=subprocess.DEVNULL
            )

    def _begun(self) -> int:
        return len([*self.folder.glob("trials/*")])

    def _go_on(self) -> bool:
        """Begin a driver again that was killed; False where the search is done."""
        assert self.driver is not None
        code = self.driver.poll()
        if code == -signal.SIGKILL:
            self._begin()
        elif code is not None and code != 0:
            raise AssertionError((self.folder.parent / "told").read_text("utf-8")[-2000:])
        return code != 0

    def _until(self, many: float) -> None:
        while self._begun() < many:
            assert self._go_on(), "the search is done before all events"
            time.sleep(0.02)

    def _break(self, kind: str) -> bool:
        """False where there is nothing of this kind at the moment."""
        assert self.driver is not None
        if kind == "driver":
            alive = self.driver.poll() is None
            self.driver.kill()
            self.driver.wait()
            return alive
        if kind == "node":
            self.cluster.kill(self.rng.choice(self.cluster.nodes).node_id)
            return True
        if kind.startswith("server"):
            self.server.stop(kill="power cut" in kind)
            time.sleep(self.rng.uniform(0, 1))
            self.server.start()
            return True
        return self._kill_process(kind)

    def _kill_process(self, kind: str) -> bool:
        # A third signal to the same training would make it a failure.
        known = {pid: log for pid, log in logs().items() if self.killed[log] < MOST}
        targets = [*known] if kind == "training" else trainers()
        for target in targets[:1]:
            self.killed[known.get(target, "")] += 1
            with contextlib.suppress(ProcessLookupError):
                os.kill(target, signal.SIGKILL)
        return bool(targets)


def events_of(kills: int, restarts: int, rng: random.Random) -> list[str]:
    """In random order: kinds of kills equally often, and both kinds of restarts."""
    found = [KINDS[number % len(KINDS)] for number in range(kills)]
    kinds = ("server, restarted", "server, as in a power cut")
    found += [kinds[number % 2] for number in range(restarts)]
    rng.shuffle(found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary, local_cluster() as cluster:
        place = Path(temporary)
        # The server runs as another user, where this one is root.
        place.chmod(0o755)
        (place / "study.yaml").write_text(SPACE, encoding="utf-8")
        whole = [sys.executable, "-m", "gridgen", "search", str(place / "study.yaml")]
        more = ["-o", str(place / "whole"), "--trials", str(options.trials), "--parallel", "2"]
        subprocess.run([*whole, *more], check=True, capture_output=True)
        (place / "server").mkdir()
        server = Server(place / "server")
        server.start()
        breaking = Breaking(place / "search", options.trials, cluster, server, rng)
        try:
            breaking.run(events_of(options.kills, options.restarts, rng))
            stored = server.ask("SELECT count(*), count(DISTINCT number) FROM trials")
        finally:
            server.stop()
        same = results(place / "search") == results(place / "whole")
        print("| what was killed or restarted | times |\n|---|---:|")
        for kind, number in sorted(breaking.done.items()):
            print(f"| {kind} | {number} |")
        told = "all as if left alone" if same else "OTHER TRIALS"
        print(f"| of {options.trials} trials, {told}; rows in the database {stored[0]} | |")
        assert same, (results(place / "search"), results(place / "whole"))
        assert stored == [(options.trials, options.trials)]


if __name__ == "__main__":
    main()
