"""Trainings that are killed and checkpoints that are damaged: what is lost of them. Nothing.

    python -m benchmarks.nothing_lost [--kills 25] [--damages 300] [--seed 0] [--supernet]

The program is killed (SIGKILL) at random instants and started again with --resume, until it is
done, then again from the beginning, until there were enough kills; each training must end with the
weights, metrics.csv, and losses of steps.csv of one that was left alone, bit for bit. Then one file
of the newer of two checkpoints is damaged at random and a state is restored: it must be the older
one, with one warning, or, where the damage changes nothing, the newer one.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from gridgen.training import Recipe
from tests.oracles.killing import (
    DAMAGES,
    RECIPE,
    STEPS,
    SUPERNET,
    bits,
    kill_until_done,
    restore_damaged,
    train_whole,
    write_checkpoints,
    write_training,
)


def report_kills(kills: int, rng: random.Random, recipe: Recipe) -> None:
    hits, trainings = Counter[str](), 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_training(folder, recipe)
        life = train_whole(folder) / 3
        while hits.total() < kills:
            trainings += 1
            run, left = f"run-{trainings}", kills - hits.total()
            hits.update(kill_until_done(folder, run, left, life, rng))
            same = bits(folder / run) == bits(folder / "whole")
            print(f"training {trainings}: {'equal' if same else 'OTHER BITS'}", file=sys.stderr)
            assert same
    print("| the program was killed | kills |\n|---|---:|")
    for place_hit, number in sorted(hits.items()):
        print(f"| {place_hit} | {number} |")
    print(
        f"| all, in {trainings} trainings of {STEPS} steps, all equal to the last bit | {kills} |"
    )


def report_damages(damages: int, rng: random.Random) -> None:
    counts = Counter[tuple[str, str]]()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        held = write_checkpoints(folder)
        for number in range(damages):
            kind = list(DAMAGES)[number % len(DAMAGES)]
            counts[kind, restore_damaged(folder, kind, rng, held)[1]] += 1
    outcomes = sorted({"detected", "harmless", *(outcome for _, outcome in counts)})
    print(f"\n| a file of the newest checkpoint is | {' | '.join(outcomes)} |")
    print("|---" + "|---:" * len(outcomes) + "|")
    for kind in DAMAGES:
        print(f"| {kind} | {' | '.join(str(counts[kind, o]) for o in outcomes)} |")
    assert "LOST" not in outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--damages", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--supernet", action="store_true", help="train sub-networks too")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    report_kills(options.kills, rng, SUPERNET if options.supernet else RECIPE)
    if options.damages:
        report_damages(options.damages, rng)


if __name__ == "__main__":
    main()
