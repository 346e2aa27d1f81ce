"""Whether the mean of the scores of several supernets agrees better with networks trained alone
than the scores of each.

    python -m benchmarks.supernet.averaged RUN RUN ...

Each RUN is a supernet of another seed. Networks are every second topology of the table, as in
`benchmarks.supernet.variants`; the scores of each are kept in its run, so that this takes seconds.
"""

import argparse
from collections.abc import Iterator
from statistics import fmean

from benchmarks.supernet.variants import compared
from gridgen import score_subnetworks
from gridgen.supernet.agreement import ScoreAgreement
from gridgen.supernet.alone import TrainedAlone, benchmarked
from gridgen.supernet.check import common_seeds
from gridgen.supernet.scoring import SubnetworkScore

METRICS = ("val_iou", "holdout_iou")


def agreement(
    supernets: list[list[SubnetworkScore]], alone: list[TrainedAlone], column: str
) -> ScoreAgreement:
    """Of the means over supernets with networks trained alone."""
    given = [fmean(each.scores[column] for each in same) for same in zip(*supernets, strict=True)]
    seeds = common_seeds(alone)
    theirs = [[each.scores[seed][column] for seed in seeds] for each in alone]
    parameters = [each.costs["parameters"] for each in supernets[0]]
    return ScoreAgreement.of(given, theirs, parameters)


def rows(folders: list[str]) -> Iterator[tuple[str, list[ScoreAgreement]]]:
    """Each supernet, and their mean."""
    alone = benchmarked(compared())
    scored = [score_subnetworks(folder, [each.grid for each in alone]) for folder in folders]
    several = [*zip(folders, ([each] for each in scored), strict=True), ("their mean", scored)]
    for name, supernets in several:
        yield name, [agreement(supernets, alone, column) for column in METRICS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    titles = ("τ, val", "τ, held out", "regret", "regret, held out")
    print(f"| supernet | {' | '.join(titles)} |\n|---{'|---:' * len(titles)}|")
    for name, found in rows(parser.parse_args().runs):
        told = [each.tau.told(2) for each in found]
        told += [f"{100 * each.regret:.1f}" for each in found]
        print(f"| {name} | {' | '.join(told)} |")


if __name__ == "__main__":
    main()
