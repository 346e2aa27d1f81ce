"""What a trial costs that trains nothing: the store of a study beside plain Optuna.

    python -m benchmarks.study_store [--trials 200] [--rounds 3]

Both write the same: a trial with four parameters, three validations, a score. Plain Optuna asks,
suggests, reports and tells, with its random sampler; gridgen's store begins a trial (with its
candidate), reports, notes the training, and finishes. CPU is that of the process without its start,
the least of the rounds; flushes (fsync and fdatasync) are counted by strace, where there is one,
those of opening taken off. The last column compares the last tenth of the trials with the first.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from gridgen import GridSpec
from gridgen.study.store import open_store
from gridgen.study.trials import Candidate, Training

KINDS = ("sqlite", "journal")
SPEC = GridSpec(streams=3, columns="2+2", base_channels=8, classes=3)
PARAMS = {"streams": 3, "base_channels": 8, "topology": "unet", "rate": 0.001}
DISTRIBUTIONS = {
    "streams": IntDistribution(2, 5),
    "base_channels": IntDistribution(4, 64),
    "topology": CategoricalDistribution(["unet", "gridnet"]),
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
}
COSTS = {"parameters": 18_564, "activations": 1_000_000, "macs": 10_000_000}
EPOCHS = (1, 2, 3)
CURVE = tuple((epoch, 0.1 * epoch) for epoch in EPOCHS)


def ours(folder: Path, kind: str) -> Callable[[int], None]:
    store = open_store(folder, "seed: 0\n", {}, (), kind)

    def trial(index: int) -> None:
        candidate = Candidate(f"grid {index}", PARAMS, SPEC, {}, COSTS, str(index))
        number = store.begin(candidate, "searched", DISTRIBUTIONS, PARAMS).number
        for epoch, score in CURVE:
            store.report(number, epoch, score)
        store.trained(number, Training(0, "finished", 0.3, {"val_iou": 0.3}, CURVE))
        store.finish(number, "finished")
        store.trials()

    return trial


def plain(folder: Path, kind: str) -> Callable[[int], None]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if kind == "sqlite":
        storage = RDBStorage(f"sqlite:///{folder / 'plain.db'}")
    else:
        storage = JournalStorage(JournalFileBackend(str(folder / "plain.journal")))
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(0))

    def trial(index: int) -> None:
        asked = study.ask()
        asked.suggest_int("streams", 2, 5)
        asked.suggest_int("base_channels", 4, 64)
        asked.suggest_categorical("topology", ["unet", "gridnet"])
        asked.suggest_float("rate", 1e-4, 1e-1, log=True)
        for epoch, score in CURVE:
            asked.report(score, epoch)
        study.tell(asked, 0.3)

    return trial


WAYS = {"gridgen": ours, "plain Optuna": plain}


def work(way: str, kind: str, trials: int) -> None:
    """In a process of its own: CPU seconds of all trials, and the last tenth against the first."""
    with tempfile.TemporaryDirectory() as folder:
        trial = WAYS[way](Path(folder), kind)
        times = [time.process_time()]
        for index in range(trials):
            trial(index)
            times.append(time.process_time())
    tenth = max(trials // 10, 1)
    first, last = times[min(tenth, trials)] - times[0], times[-1] - times[-1 - min(tenth, trials)]
    print(times[-1] - times[0], last / first if first else 0.0)


def measured(way: str, kind: str, trials: int) -> tuple[float, float]:
    done = subprocess.run(_command(way, kind, trials), capture_output=True, text=True, check=True)
    cpu, growth = map(float, done.stdout.split())
    return cpu, growth


def flushes(way: str, kind: str, trials: int) -> int:
    trace = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync"]
    command = [*trace, *_command(way, kind, trials)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) .*f(?:data)?sync$", done.stderr, re.MULTILINE)
    return sum(map(int, rows))


def _command(way: str, kind: str, trials: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.study_store", "--work", way, kind, str(trials)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        way, kind, trials = options.work
        work(way, kind, int(trials))
        return
    many = options.trials
    print("| storage | way | CPU ms a trial | flushes a trial | last tenth / first |")
    print("|---|---|---:|---:|---:|", flush=True)
    for kind in KINDS:
        for way in WAYS:
            rounds = [measured(way, kind, many) for _ in range(options.rounds)]
            cpu, growth = min(rounds)
            counted = "-"
            if shutil.which("strace"):
                counted = f"{(flushes(way, kind, many) - flushes(way, kind, 0)) / many:.1f}"
            print(
                f"| {kind} | {way} | {1e3 * cpu / many:.1f} | {counted} | {growth:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
