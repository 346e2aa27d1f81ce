"""Candidates that a search would train, each counted again: how many are over the budget. None.

    python -m benchmarks.over_budget [STUDY] [--asked 10000] [--sampler NAME]

The study's sampler is asked for so many candidates, as `gridgen search STUDY --dry-run` asks it;
all are told the same score. The grid of each is then built and counted anew, without the tables and
caches that proposing uses, and held against the budget.
"""

import argparse
from pathlib import Path

from gridgen.grid import build_grid
from gridgen.study import SAMPLERS, Study
from gridgen.study.driver.dry_run import sampled

STUDY = Path(__file__).parents[1] / "studies" / "camvid.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", nargs="?", default=STUDY)
    parser.add_argument("--asked", type=int, default=10_000)
    parser.add_argument("--sampler", choices=[*SAMPLERS])
    options = parser.parse_args()
    study = Study.load(options.study)
    if options.sampler:
        study = study.but(sampler=options.sampler)
    found = sampled(study, options.asked)
    over = 0
    for candidate in found.candidates:
        limits = study.limits_of(study.recipe_of(candidate.params))
        over += bool(limits.broken(limits.cost(build_grid(candidate.network))))
    different = len({candidate.key for candidate in found.candidates})
    print("| study | sampler | candidates | different | drawn again | over budget |")
    print("|---|---|---:|---:|---:|---:|")
    cells = [len(found.candidates), different, found.refused.total(), over]
    numbers = " | ".join(f"{cell:,}" for cell in cells)
    print(f"| {Path(options.study).stem} | {study.sampler} | {numbers} |")


if __name__ == "__main__":
    main()
