"""What a training step on a CPU gains where freed memory is kept, and what it costs in memory.

    python -m benchmarks.allocator [--steps 100]

A step of the full grid of 3 streams, 2+2 columns, F0 8, batch 4 of 64x64, and one of the paper's
network at 400x400, each with and without, in processes of their own, one thread.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from contextlib import nullcontext

import torch
from torch.nn.functional import cross_entropy

from gridgen import GridNetwork, GridSpec
from gridgen.training.loop.measurement import resident
from gridgen.training.processes.allocator import freed_memory_kept

PAPER = GridSpec(streams=5, columns="3+3", base_channels=16, classes=19, total_dropout=0.0)
SMALL = GridSpec(streams=3, columns="2+2", base_channels=8, classes=11, total_dropout=0.0)
CASES = {
    "small, 4 of 64x64": (SMALL, 4, 64, 1.0),
    "the paper's, 1 of 400x400": (PAPER, 1, 400, 0.1),
}


def measured(case: str, keep: bool, steps: int) -> dict[str, float]:
    with freed_memory_kept() if keep else nullcontext():
        found = steps_of(case, steps)
    return found | {"after": resident("VmRSS") / 2**20}


def steps_of(case: str, steps: int) -> dict[str, float]:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    spec, batch, side, share = CASES[case]
    network = GridNetwork(spec).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.train().parameters(), fused=True)

    def step() -> None:
        images = torch.rand(batch, 3, side, side).to(memory_format=torch.channels_last)
        labels = torch.randint(0, spec.classes, (batch, side, side))
        optimizer.zero_grad(set_to_none=False)
        cross_entropy(network(images), labels).backward()
        optimizer.step()

    many = max(1, round(share * steps))
    step()
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(many):
        step()
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"ms": 1000 * spent / many, "MB": after.ru_maxrss / 1024}


def in_a_child(case: str, keep: bool, steps: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.allocator", "--case", case, "--steps", str(steps)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    told = subprocess.run(
        [*command, *(["--keep"] if keep else [])], check=True, capture_output=True, env=environment
    )
    found: dict[str, float] = json.loads(told.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measured(options.case, options.keep, options.steps)))
        return
    print("| step | CPU, ms | kept | ratio | peak MB | kept | ratio | MB afterwards | kept |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for case in CASES:
        # Twice in turns, as the machine may change its pace; the lesser of both.
        pairs = [[in_a_child(case, keep, options.steps) for keep in (False, True)] for _ in "ab"]
        ms, kept_ms = (min(pair[k]["ms"] for pair in pairs) for k in (0, 1))
        mb, kept_mb = (min(pair[k]["MB"] for pair in pairs) for k in (0, 1))
        times = f"{ms:.1f} | {kept_ms:.1f} | {kept_ms / ms:.2f}"
        after, kept_after = (min(pair[k]["after"] for pair in pairs) for k in (0, 1))
        memory = f"{mb:.0f} | {kept_mb:.0f} | {kept_mb / mb:.2f} | {after:.0f} | {kept_after:.0f}"
        print(f"| {case} | {times} | {memory} |")


if __name__ == "__main__":
    main()
