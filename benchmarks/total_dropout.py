"""What total dropout is worth, and whether it makes the streams independent of each other.

    python -m benchmarks.topologies.shrink data/camvid data/camvid-half --by 2
    python -m benchmarks.total_dropout --data data/camvid-half [--parallel 2] [-o FOLDER]

The search of studies/total-dropout.yaml; the same command goes on with one that was stopped. Each
trained network is scored whole and with its lower streams silenced: all connections that touch them
cut, the weights left as they are. Writes a row for each training into benchmarks/total-dropout.csv,
draws docs/total-dropout.svg, and prints the paired differences, each with its own 95 % interval.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from math import sqrt
from pathlib import Path
from statistics import stdev

from benchmarks.topologies.train import use_one_thread
from gridgen import GridNetwork, Model, Study, evaluate, inherit, keep, open_model, search
from gridgen.figures import new_figure, save_svg
from gridgen.figures.palette import LIGHT
from gridgen.files import read_text, write_file
from gridgen.names import csv_text
from gridgen.study.driver.writing import asked_of
from gridgen.study.report.observer import SearchProgress
from gridgen.study.report.statistics import LEVEL, mean_interval
from gridgen.study.report.student import critical
from gridgen.tabular.standings import HEADINGS
from gridgen.tabular.trainings import SPLITS

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "studies" / "total-dropout.yaml"
TABLE, FIGURE = ROOT / "benchmarks" / "total-dropout.csv", ROOT / "docs" / "total-dropout.svg"
WANTED = 0.015
"""Half the width of the interval that the difference on val is to have."""


def silenced(model: Model, streams: int) -> Model:
    """The network of a model, of which the first streams alone are left."""
    grid = model.network.grid
    kept = keep(grid, lambda each: max(each.source.stream, each.target.stream) < streams)
    network = GridNetwork(kept)
    inherit(network, model.network)
    return replace(model, network=network.eval(), spec=kept.spec)


def rows(folder: Path, data: str) -> Iterator[dict[str, object]]:
    """The scores of each run in a folder, with each number of streams that is left."""
    for place in sorted(folder.glob("trials/*/seed-*/weights.safetensors")):
        model = open_model(place.parent)
        seed = int(place.parent.name.partition("-")[2])
        row: dict[str, object] = {"total_dropout": model.spec.total_dropout, "seed": seed}
        for streams in range(model.spec.streams, 0, -1):
            left = silenced(model, streams)
            for split in SPLITS:
                found = evaluate(left, data, split, baseline=False)
                row[f"{split}, {streams} of {model.spec.streams}"] = f"{found.network.value:.6f}"
        print(row, file=sys.stderr)
        yield row


def differences(table: Sequence[dict[str, str]], column: str) -> list[float]:
    """With total dropout less without it, seed by seed."""
    scores: dict[bool, dict[str, float]] = {False: {}, True: {}}
    for row in table:
        scores[float(row["total_dropout"]) > 0][row["seed"]] = float(row[column])
    both = sorted(scores[True].keys() & scores[False].keys(), key=int)
    return [scores[True][seed] - scores[False][seed] for seed in both]


def told(table: Sequence[dict[str, str]]) -> Iterator[str]:
    yield "| scored, streams left | seeds | with total dropout less without | 95 % interval |"
    yield "|---|---:|---:|---:|"
    whole, *_ = columns = list(table[0])[2:]
    for column in columns:
        found = differences(table, column)
        if len(found) < 2:
            yield f"| {column} | {len(found)} | two pairs at least give an interval | |"
            continue
        each = mean_interval(found)
        interval = f"{100 * each.low:+.1f} to {100 * each.high:+.1f}"
        yield f"| {column} | {len(found)} | {100 * each.value:+.1f} | {interval} |"
        if column == whole and each.high - each.value > WANTED:
            yield f"| | | about {seeds_needed(stdev(found))} seeds for an interval of ±1.5 | |"


def seeds_needed(deviation: float) -> int:
    """Pairs of trainings for an interval as narrow as wanted, where differences vary so much."""
    return next(n for n in count(2) if critical(LEVEL, n - 1) * deviation / sqrt(n) <= WANTED)


def draw(table: Sequence[dict[str, str]], path: Path) -> None:
    """Scores against the number of streams that are left, a line for each training."""
    figure, axes = new_figure(9, 3.6, parts=2)
    for split, axis in zip(SPLITS, axes, strict=True):
        columns = [name for name in table[0] if name.startswith(split)]
        left = [int(name.split()[1]) for name in columns]
        for row in table:
            dropped = float(row["total_dropout"]) > 0
            colour = LIGHT.mark if dropped else LIGHT.wrong
            label = f"trained with p = {float(row['total_dropout']):g}"
            values = [100 * float(row[name]) for name in columns]
            axis.plot(left, values, color=colour, marker="o", linewidth=1, label=label)
        axis.set(title=HEADINGS[split], xlabel="streams that are left")
        axis.set(ylabel="mean IoU, %", xticks=left, ylim=(0, None))
    handles = dict(zip(*reversed(axes[0].get_legend_handles_labels()), strict=True))
    axes[0].legend(handles.values(), handles.keys(), frameon=False)
    save_svg(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/total-dropout"))
    parser.add_argument("--table-only", action="store_true", help="Tell what the table says.")
    options = parser.parse_args()
    if not options.table_only:
        use_one_thread()
        study = Study.load(STUDY).but(data=str(Path(options.data).resolve()))
        watch = SearchProgress(asked_of(study, options.output))
        search(study, folder=options.output, parallel=options.parallel, watch=watch)
        found = list(rows(options.output, options.data))
        write_file(TABLE, csv_text([found[0], *(row.values() for row in found)]))
    table = list(csv.DictReader(read_text(TABLE).splitlines()))
    print("\n".join(told(table)))
    draw(table, FIGURE)


if __name__ == "__main__":
    main()
