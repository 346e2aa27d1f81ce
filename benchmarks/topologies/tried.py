"""What was tried before the recipe of the table was fixed: a line for each recipe in tried.csv.

python -m benchmarks.topologies.tried
"""

import csv
from pathlib import Path
from statistics import fmean, variance

from gridgen.files import read_text

TRIED = Path(__file__).with_name("tried.csv")


def main() -> None:
    found: dict[str, dict[str, list[float]]] = {}
    for row in csv.DictReader(read_text(TRIED).splitlines()):
        scores = found.setdefault(row["recipe"], {}).setdefault(row["topology"], [])
        scores.append(float(row["val_iou"]))
    print("| recipe | topologies | val, the first three | standard deviation of two seeds |")
    print("|---|---:|---:|---:|")
    for recipe, topologies in found.items():
        seeds = [scores for scores in topologies.values() if len(scores) > 1]
        first = ", ".join(f"{fmean(scores):.3f}" for scores in seeds[:3])
        spread = fmean(map(variance, seeds)) ** 0.5
        print(f"| {recipe} | {len(seeds)} | {first} | {spread:.3f} |")


if __name__ == "__main__":
    main()
