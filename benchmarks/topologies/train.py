"""Train every sub-topology of the grid, and keep the table as it grows.

    python -m benchmarks.topologies.shrink data/camvid data/camvid-third --by 3
    python -m benchmarks.topologies.train --data data/camvid-third [--parallel 2] [--hours H]
    python -m benchmarks.topologies.train --data data/camvid-third --again

The search of studies/every-topology.yaml, in a random order, so that a table that is not complete
yet is a sample of all. What gridgen/tabular/trainings.csv holds already is not trained again, on
whatever machine it was. With `--again`, 40 topologies get one more seed.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import torch

from gridgen import GridgenError, Run, Study, Subtopology, search, subtopologies
from gridgen.emit.weights import load_tensors
from gridgen.files import write_file
from gridgen.names import csv_text
from gridgen.space.choices import value_text
from gridgen.study.candidates.counting import counted
from gridgen.study.driver.writing import asked_of
from gridgen.study.report.asked import Asked
from gridgen.study.report.observer import SearchProgress
from gridgen.study.store.tables import TRIALS
from gridgen.study.trials import TrialRecord
from gridgen.tabular.table import SPEC
from gridgen.tabular.trainings import (
    SPLITS,
    TRAININGS,
    BenchmarkTraining,
    read_trainings,
    trainings_text,
)

STUDY = Path(__file__).parents[2] / "studies" / "every-topology.yaml"
AGAIN, AGAIN_SEED = 40, 2
ORDER = 7
DIGITS = 12


def chosen_again() -> list[str]:
    """Forty topologies, drawn by a hash of their names."""
    names = [each.name for each in subtopologies(SPEC)]
    return sorted(names, key=lambda name: sha256(f"again {name}".encode()).digest())[:AGAIN]


def study_of(data: Path, hours: float | None, again: bool) -> Study:
    study = Study.load(STUDY).but(data=str(data.resolve()), sampler="random", seed=ORDER)
    if again:
        known = {each.name: each.topology.plain() for each in subtopologies(SPEC)}
        listed = [known[name] for name in chosen_again()]
        study = study.but(space={"topology": listed}, seeds=(AGAIN_SEED,), trials=AGAIN)
    return study if hours is None else study.but(stop={"hours": hours})


def known_table(study: Study, trainings: Sequence[BenchmarkTraining]) -> str:
    """A trials.csv of what is trained: keys of candidates, their fields, their scores by seed."""
    trained: dict[str, dict[int, float]] = {}
    for each in trainings:
        trained.setdefault(each.topology, {})[each.seed] = each.score()
    rows = []
    for label in study.dimensions.named["topology"].labels():
        candidate = counted(study, {"topology": label}).candidate
        if scores := trained.get(Subtopology.of(candidate.network).name):
            told = {"role": "searched", "candidate": candidate.key}
            told |= {"seeds": joined(scores), "scores": joined(scores.values())}
            rows.append([*(told.get(column, "") for column in TRIALS), value_text(label)])
    return csv_text([(*TRIALS, "topology"), *rows])


def joined(values: Iterable[object]) -> str:
    return " ".join(map(str, values))


def machine(version: str) -> str:
    """What may change the last bits: the processor, its instructions that torch uses, and torch."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text("utf-8").splitlines() if facts.is_file() else []
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    told = {name.strip(): value.strip() for name, value in pairs}
    # Hosts hide the names of processors; the numbers of family and model stay.
    numbers = [told.get(name, "") for name in ("cpu family", "model", "stepping")]
    name = f"{told.get('model name') or platform.machine()} {'.'.join(numbers)}"
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{name}, {capability}, torch {version}"


def taken(run: Run, name: str, seed: int, seconds: float) -> BenchmarkTraining:
    """A training of this machine that is over, as its run folder tells it."""
    rows = run.rows()
    curves = {s: {int(row["epoch"]): row[f"{s}_iou"] for row in rows} for s in SPLITS}
    digest = weights_digest(run.weights)
    return BenchmarkTraining(name, seed, curves, seconds, digest, machine(run.facts.torch))


def weights_digest(path: Path) -> str:
    """Of names and bytes of all tensors; what else the file says does not count."""
    digest = sha256()
    for name, tensor in sorted(load_tensors(path)[0].items()):
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:DIGITS]


class Collector(SearchProgress):
    """Writes the table anew whenever a topology is trained."""

    def __init__(self, asked: Asked, folder: Path, table: Path) -> None:
        super().__init__(asked)
        self.folder, self.table = folder, table

    def ended(self, record: TrialRecord) -> None:
        super().ended(record)
        done = [t for t in record.trainings if t.state == "finished" and t.folder]
        name = Subtopology.of(record.candidate.network).name
        fresh = {
            (name, t.seed): taken(Run.open(self.folder / t.folder), name, t.seed, t.seconds)
            for t in done
        }
        before = {(each.topology, each.seed): each for each in trained(self.table)}
        if fresh.keys() - before.keys():
            write_file(self.table, trainings_text([*(fresh | before).values()]))


def use_one_thread() -> None:
    """Train with one thread, here and in the processes of a search, however many cores there are:
    the number of threads changes last bits.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


def trained(table: Path) -> list[BenchmarkTraining]:
    return read_trainings(table) if table.is_file() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--hours", type=float)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--table", type=Path, default=TRAININGS)
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/every-topology"))
    options = parser.parse_args()
    use_one_thread()
    study = study_of(options.data, options.hours, options.again)
    folder = options.output.with_name(options.output.name + "-again" * options.again)
    with tempfile.TemporaryDirectory() as place:
        known = write_file(Path(place) / "known.csv", known_table(study, trained(options.table)))
        watch = Collector(asked_of(study, folder), folder, options.table)
        search(study, folder=folder, parallel=options.parallel, known=known, watch=watch)


if __name__ == "__main__":
    try:
        main()
    except GridgenError as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt as error:
        raise SystemExit(f"stopped: {error}; the same command goes on") from error
