"""What was tried before the recipe of the table was fixed: a line for each recipe in tried.csv.

python -m benchmarks.topologies.tried
"""

import csv
from pathlib import Path

import numpy as np

from gridgen.files import read_text
from gridgen.tabular.ranking import spread

TRIED = Path(__file__).with_name("tried.csv")


def main() -> None:
    found: dict[str, dict[str, list[list[float]]]] = {}
    for row in csv.DictReader(read_text(TRIED).splitlines()):
        scores = found.setdefault(row["recipe"], {}).setdefault(row["topology"], [])
        scores.append([float(row["val_iou"]), float(row["holdout_iou"])])
    print("| recipe | topologies | val, the first three | seeds, val | seeds, held out |")
    print("|---|---:|---:|---:|---:|")
    for recipe, topologies in found.items():
        # (topologies, seeds, splits)
        table = np.array([scores for scores in topologies.values() if len(scores) == 2])
        first = ", ".join(f"{mean:.3f}" for mean in table[:3, :, 0].mean(axis=1))
        several = len(table) > 1  # of one nobody knows what the seed does to all
        told = [f"{spread(table[:, :, i]).seeds:.3f}" if several else "" for i in (0, 1)]
        print(f"| {recipe} | {len(table)} | {first} | {told[0]} | {told[1]} |")


if __name__ == "__main__":
    main()
