"""What makes the scores of a supernet agree with those of networks trained alone: a row for each
way to train it.

    python -m benchmarks.supernet.variants --data data/camvid-third [-o runs/supernets]
        [--only "drawn fairly" "150 epochs"] [--seed 0] [--table-only]

Ways are compared at 50 epochs, for as many updates as a network of the table has that is trained
alone; the longer trainings are ways of their own. Each supernet is compared with every second
topology of the table, from the fewest connections to the most, and added to variants.csv. What
stands there is not trained again; it is compared again where the table has grown since and the run
is still there. One takes about ten minutes of an idle core for 50 epochs, and six for the scores.
The best of many is also the luckiest: before one is called better, it needs other seeds than the
one that chose it.
"""

import argparse
import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.topologies.train import STUDY
from gridgen import (
    Run,
    Study,
    TopologyBenchmark,
    check_supernet,
    topology_benchmark,
    train_supernet,
)
from gridgen.files import is_file, read_text, write_file
from gridgen.names import csv_text
from gridgen.study.report.statistics import Estimate
from gridgen.supernet.check import Agreement
from gridgen.training.recipe import changed_recipe

HERE = Path(__file__).parent
VARIANTS = HERE / "variants.csv"
BASE: Mapping[str, Any] = {"epochs": 50, "validate_every": 50}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "base": {},
    "taught by labels alone": {"supernet.distillation": 0.0},
    "taught by the whole network alone": {"supernet.distillation": 1.0},
    "drawn fairly": {"supernet.sampling": "fair"},
    "drawn by cost": {"supernet.sampling": "cost"},
    "one drawn a step": {"supernet.samples": 1},
    "four drawn a step": {"supernet.samples": 4},
    "without the smallest": {"supernet.smallest": False},
    "150 epochs": {"epochs": 150},
    "150 epochs drawn fairly": {"epochs": 150, "supernet.sampling": "fair"},
    "300 epochs": {"epochs": 300},
    "without averaged weights": {"ema": None},
    "learning rate 0.006": {"learning_rate": 0.006},
}
"""What differs from the base, by the name of the variant."""
COLUMNS = ("variant", "seed", "steps", "networks", "compared")
NUMBERS = (
    "tau",
    "tau_low",
    "tau_high",
    "tau_alike",
    "regret",
    "seeds_tau",
    "seeds_regret",
    "seeds_deviation",
    "score",
)


def compared() -> TopologyBenchmark:
    """Every second topology of the table."""
    return TopologyBenchmark(topology_benchmark().entries[::2])


def trained(name: str, seed: int, data: str, folder: Path) -> Run:
    """The run of a variant, begun or gone on with."""
    study = Study.load(STUDY)
    recipe = changed_recipe(study.training, {**BASE, **SETTINGS[name]})
    return train_supernet(
        study.but(data=data, recipe=recipe.plain()), folder=folder, seed=seed, resume_if_begun=True
    )


def row_of(name: str, seed: int, run: Run, found: Agreement) -> dict[str, str]:
    """What the table holds of a supernet."""
    last, supernet = run.rows()[-1], run.recipe.supernet
    assert supernet is not None
    about = (name, seed, int(last["step"]), supernet.networks_a_step, found.networks)
    row = dict(zip(COLUMNS, about, strict=True))
    for column, each in found.scores.items():
        assert each.seeds is not None
        of_seeds = each.seeds.tau.value, each.seeds.regret, each.seeds.deviation
        tau = each.tau.value, each.tau.low, each.tau.high
        values = *tau, each.alike.value, each.regret, *of_seeds, last[column]
        named = zip(NUMBERS, values, strict=True)
        row |= {f"{column}.{number}": f"{value:.4f}" for number, value in named}
    return {name: str(value) for name, value in row.items()}


def known() -> list[dict[str, str]]:
    """The rows of the table."""
    if not is_file(VARIANTS):
        return []
    return list(csv.DictReader(read_text(VARIANTS).splitlines()))


def with_row(rows: list[dict[str, str]], row: dict[str, str]) -> list[dict[str, str]]:
    """The rows, of which that of the same variant and seed is replaced, the shortest first."""
    others = [each for each in rows if key_of(each) != key_of(row)]
    return sorted([*others, row], key=lambda each: (int(each["steps"]), *key_of(each)))


def key_of(row: Mapping[str, str]) -> tuple[str, str]:
    return row["variant"], row["seed"]


def written(rows: list[dict[str, str]]) -> None:
    names = [*rows[0]]
    write_file(VARIANTS, csv_text([names, *([row[name] for name in names] for row in rows)]))


def printed(rows: list[dict[str, str]]) -> None:
    """The table as Markdown, regret in points of IoU."""
    titles = ("networks trained", "τ, val", "τ, held out", "regret", "regret, held out", "compared")
    print(f"| supernet | {' | '.join(titles)} |\n|---{'|---:' * len(titles)}|")
    for row in rows:
        total = int(row["steps"]) * int(row["networks"])
        regrets = [row["val_iou.regret"], row["holdout_iou.regret"]]
        told = [tau_of(row, column).told(2) for column in ("val_iou", "holdout_iou")]
        told += [f"{100 * float(each):.1f}" for each in regrets]
        told.append(row["compared"])
        print(f"| {row['variant']}, seed {row['seed']} | {total:,} | {' | '.join(told)} |")


def tau_of(row: Mapping[str, str], column: str) -> Estimate:
    return Estimate(*(float(row[f"{column}.{each}"]) for each in ("tau", "tau_low", "tau_high")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="data/camvid-third")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/supernets"))
    parser.add_argument("--only", nargs="+", choices=[*SETTINGS], default=[*SETTINGS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table-only", action="store_true")
    given = parser.parse_args()
    rows, benchmark = known(), compared()
    for name in [] if given.table_only else given.only:
        folder = given.output / f"{name.replace(' ', '-')}-{given.seed}"
        there = {key_of(row): row["compared"] for row in rows}.get((name, str(given.seed)))
        if there is not None and (int(there) == len(benchmark) or not folder.is_dir()):
            continue
        run = trained(name, given.seed, given.data, folder)
        found = check_supernet(run, benchmark=benchmark)
        # Read again: another process may have trained other variants meanwhile.
        rows = with_row(known(), row_of(name, given.seed, run, found))
        written(rows)
        print(f"{name}: {found.line}")
    printed(rows)


if __name__ == "__main__":
    main()
