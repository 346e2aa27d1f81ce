"""What total dropout is worth, and whether it makes the streams independent of each other.

    python -m benchmarks.topologies.shrink data/camvid data/camvid-half --by 2
    python -m benchmarks.total_dropout --data data/camvid-half [--parallel 2] [-o FOLDER]

The search of studies/total-dropout.yaml; the same command goes on with one that was stopped. Each
trained network is scored whole and with its lower streams silenced: all connections that touch them
cut, the weights left as they are; then again, with statistics of batch normalization made anew for
what is left. Writes a row for each training into benchmarks/total-dropout.csv, draws
docs/total-dropout.svg, and prints the paired differences, each with its own 95 % interval.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

from torch import Tensor

from benchmarks.topologies.train import use_one_thread
from gridgen import GridNetwork, Model, Run, Study, evaluate, inherit, keep, open_model, search
from gridgen.emit.sharing import recalibrate
from gridgen.errors import GridgenError
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
from gridgen.training.loop.batches import Batches
from gridgen.training.tasks.requirements import load_splits

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "studies" / "total-dropout.yaml"
TABLE, FIGURE = ROOT / "benchmarks" / "total-dropout.csv", ROOT / "docs" / "total-dropout.svg"
WANTED = 0.015
"""Half the width of the interval that the difference on val is to have."""
BATCHES = 32
"""Batches of a training's crops by which statistics are made anew."""
ANEW = ", new statistics"


def silenced(model: Model, streams: int, batches: Sequence[Tensor] = ()) -> Model:
    """The network of a model, of which the first streams alone are left.

    With batches, the statistics of batch normalization are those of what is left.
    """
    grid = model.network.grid
    kept = keep(grid, lambda each: max(each.source.stream, each.target.stream) < streams)
    network = GridNetwork(kept)
    inherit(network, model.network)
    if batches:
        recalibrate(network, batches)
    return replace(model, network=network.eval(), spec=kept.spec)


def rows(folder: Path, data: str) -> Iterator[dict[str, object]]:
    """The scores of each run in a folder, with each number of streams that is left."""
    train = load_splits(data, Study.load(STUDY).holdout).train
    for place in sorted(folder.glob("trials/*/seed-*/weights.safetensors")):
        model = open_model(place.parent)
        seed = int(place.parent.name.partition("-")[2])
        crops = Batches(train, Run.open(place.parent).recipe, seed)
        batches = [crops[step][0] for step in range(BATCHES)]
        row: dict[str, object] = {"total_dropout": model.spec.total_dropout, "seed": seed}
        for streams in range(model.spec.streams, 0, -1):
            for kind, seen in (("", ()), (ANEW, batches)):
                left = silenced(model, streams, seen)
                for split in SPLITS:
                    found = evaluate(left, data, split, baseline=False)
                    name = f"{split}, {streams} of {model.spec.streams}{kind}"
                    row[name] = f"{found.network.value:.6f}"
        print(row, file=sys.stderr)
        yield row


def pairs(table: Sequence[dict[str, str]], column: str) -> list[tuple[float, float]]:
    """The scores without total dropout and with it, of each seed that has both."""
    scores: dict[bool, dict[str, float]] = {False: {}, True: {}}
    for row in table:
        scores[float(row["total_dropout"]) > 0][row["seed"]] = float(row[column])
    both = sorted(scores[True].keys() & scores[False].keys(), key=int)
    return [(scores[False][seed], scores[True][seed]) for seed in both]


def told(table: Sequence[dict[str, str]]) -> Iterator[str]:
    """The table as Markdown, in points of IoU, and what makes the first interval narrow enough."""
    whole, *_ = columns = list(table[0])[2:]
    if len(pairs(table, whole)) < 2:
        yield f"{len(table)} trainings are scored; an interval needs two seeds that have both."
        return
    yield "| scored, streams left | seeds | without | with total dropout | with less without |"
    yield "|---|---:|---:|---:|---:|"
    for column in columns:
        both = pairs(table, column)
        means = " | ".join(f"{100 * fmean(each):.1f}" for each in zip(*both, strict=True))
        found = mean_interval([100 * (after - before) for before, after in both])
        title = column.replace("holdout", HEADINGS["holdout"])
        yield f"| {title} | {len(both)} | {means} | {found.told(1)} |"
    found = [after - before for before, after in pairs(table, whole)]
    each = mean_interval(found)
    if each.high - each.value > WANTED:
        points = f"±{100 * WANTED:g} points on {whole}"
        yield f"\nAn interval of {points} takes about {seeds_needed(stdev(found))} seeds."


def seeds_needed(deviation: float) -> int:
    """Pairs of trainings for an interval as narrow as wanted, where differences vary so much."""
    return next(n for n in count(2) if critical(LEVEL, n - 1) * deviation / sqrt(n) <= WANTED)


def draw(table: Sequence[dict[str, str]], path: Path) -> None:
    """Scores against the number of streams that are left, a line for each training."""
    figure, axes = new_figure(9, 3.6, parts=2)
    for split, axis in zip(SPLITS, axes, strict=True):
        names = [name for name in table[0] if name.startswith(split)]
        columns = [name for name in names if not name.endswith(ANEW)]
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


def train_and_score(data: str, folder: Path, parallel: int) -> None:
    """Train what the folder lacks, score all, and write the table. Errors: `GridgenError`."""
    use_one_thread()
    study = Study.load(STUDY).but(data=str(Path(data).resolve()))
    watch = SearchProgress(asked_of(study, folder))
    search(study, folder=folder, parallel=parallel, watch=watch)
    found = list(rows(folder, data))
    write_file(TABLE, csv_text([found[0], *(row.values() for row in found)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="data/camvid-half")
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/total-dropout"))
    parser.add_argument("--table-only", action="store_true", help="Tell what the table says.")
    options = parser.parse_args()
    if not options.table_only:
        try:
            train_and_score(options.data, options.output, options.parallel)
        except GridgenError as error:
            parser.error(str(error))
    elif not TABLE.is_file():
        parser.error(f"{TABLE}: no such file; leave --table-only out, and it is made")
    table = list(csv.DictReader(read_text(TABLE).splitlines()))
    print("\n".join(told(table)))
    draw(table, FIGURE)


if __name__ == "__main__":
    main()
