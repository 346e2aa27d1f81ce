"""What a trial costs that trains nothing, in a study beside plain Optuna.

    python -m benchmarks.study_store [--trials 1000] [--rounds 3]

All three write the same: a trial with four parameters, three validations, a score. Plain Optuna
asks, suggests, reports and tells, with its random sampler; gridgen's store begins a trial (with its
candidate), reports, notes the training, and finishes; the search is gridgen's whole one, whose
trainings are a function: it draws candidates at random as well, counts them exactly, prints, and
writes its report. CPU is that of the process from the first trial on, the least of the rounds;
flushes (fsync and fdatasync) are counted by strace, where there is one, those of opening taken off.
Then the CPU of the last tenth of the trials beside the first, and how much more memory the process
holds before the last trial ends, and before the report, than after the first tenth.
"""

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from gridgen import GridSpec, Study, search
from gridgen.study.engine.engine import TrainingJob
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
STUDY = """\
data: shapes
spec: {classes: 3, columns: 2+2}
space:
  streams: {low: 2, high: 5}
  base_channels: {low: 4, high: 64}
  topology: [unet, gridnet]
  recipe.learning_rate: {low: 1.0e-4, high: 1.0e-1, log: true}
sampler: random
baselines: []
recipe: demo
"""
EPOCHS = (1, 2, 3)
CURVE = tuple((epoch, 0.1 * epoch) for epoch in EPOCHS)


Marks = list[tuple[float, float]]
"""CPU seconds and resident MB of the process, before each trial and after the last."""


def mark(marks: Marks) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    marks.append((used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))


def each(trials: int, trial: Callable[[int], None]) -> Marks:
    marks: Marks = []
    mark(marks)
    for index in range(trials):
        trial(index)
        mark(marks)
    return marks


def store_alone(folder: Path, kind: str, trials: int) -> Marks:
    store = open_store(folder, "seed: 0\n", {}, (), kind)

    def trial(index: int) -> None:
        candidate = Candidate(f"grid {index}", PARAMS, SPEC, {}, COSTS, str(index))
        number = store.begin(candidate, "searched", DISTRIBUTIONS, PARAMS).number
        for epoch, score in CURVE:
            store.report(number, epoch, score)
        store.trained(number, Training(0, "finished", 0.3, {"val_iou": 0.3}, CURVE))
        store.finish(number, "finished")
        store.trials()

    return each(trials, trial)


def whole_search(folder: Path, kind: str, trials: int) -> Marks:
    marks: Marks = []

    def evaluate(job: TrainingJob) -> float:
        mark(marks)
        for epoch, score in CURVE:
            job.report(epoch, score)
        return 0.3

    if trials:
        study = Study.parse(STUDY)
        search(study, folder=folder, trials=trials, evaluate=evaluate, storage=kind)
        mark(marks)
    return marks


def plain(folder: Path, kind: str, trials: int) -> Marks:
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

    return each(trials, trial)


WAYS = {
    "gridgen's store": store_alone,
    "gridgen's search": whole_search,
    "plain Optuna": plain,
}


def work(way: str, kind: str, trials: int) -> None:
    """In a process of its own: CPU seconds, last tenth beside the first, MB after the first."""
    with tempfile.TemporaryDirectory() as folder:
        marks = WAYS[way](Path(folder), kind, trials)
    if trials:
        seconds, held = zip(*marks, strict=True)
        tenth = max(trials // 10, 1)
        cost = [after - before for before, after in pairwise(seconds)]
        # The report of a search is written after its last trial.
        growth = sum(cost[-1 - tenth : -1]) / sum(cost[:tenth])
        print(sum(cost), growth, held[-2] - held[tenth])


def measured(way: str, kind: str, trials: int) -> tuple[float, ...]:
    done = subprocess.run(_command(way, kind, trials), capture_output=True, text=True, check=True)
    return tuple(map(float, done.stdout.split()))


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
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        way, kind, trials = options.work
        work(way, kind, int(trials))
        return
    many = options.trials
    print("| storage | way | CPU ms a trial | flushes a trial | last tenth / first | more MB |")
    print("|---|---|---:|---:|---:|---:|", flush=True)
    for kind in KINDS:
        for way in WAYS:
            rounds = [measured(way, kind, many) for _ in range(options.rounds)]
            cpu, growth, more = min(rounds)
            counted = "-"
            if shutil.which("strace"):
                few = min(many, 20)
                counted = f"{(flushes(way, kind, few + 1) - flushes(way, kind, 1)) / few:.1f}"
            shown = f"{1e3 * cpu / many:.1f} | {counted} | {growth:.2f} | {more:.1f}"
            print(f"| {kind} | {way} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
