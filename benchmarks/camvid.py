"""Which topology wins on CamVid with 825,000 parameters and twenty minutes of a CPU?

    python -m benchmarks.camvid --data FOLDER [--seeds 0 1 2] [--recipe NAME] [-o runs/camvid]

Trains each network below with each seed, one after the other, each in a program of its own. What is
finished is not trained again, what was stopped goes on, so the command may be given until all is
done. Prints a table of the scores on val and on the drive 0006R0, which is not trained on: those of
the last step, mean and range over the seeds.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean

from gridgen import GridSpec, build_grid, count
from gridgen.training import Run
from gridgen.training.run.steplog import overall

SPEC = Path(__file__).parent.parent / "specs" / "camvid-small.yaml"
HOLDOUT = "0006R0*"
# The base channels that bring each topology nearest to the full grid's parameters.
WIDTHS = {"gridnet": 8, "unet": 14, "frrn": 14, "conv-deconv": 15}


def spec_of(topology: str) -> GridSpec:
    return GridSpec.load(SPEC).but(topology=topology, base_channels=WIDTHS[topology])


def train(topology: str, seed: int, options: argparse.Namespace) -> Run:
    folder = Path(options.output) / f"{topology}-{seed}"
    if not (folder / "weights.safetensors").is_file():
        command = [sys.executable, "-m", "gridgen", "train", str(SPEC), "--as", topology]
        command += ["--set", f"base_channels={WIDTHS[topology]}", "--data", options.data]
        command += ["--holdout", HOLDOUT, "--recipe", options.recipe, "--seed", str(seed)]
        command += ["-o", str(folder), "--resume-if-begun"]
        begun = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print(f"{folder}: {(time.monotonic() - begun) / 60:.1f} minutes", file=sys.stderr)
    return Run.open(folder)


def shown(values: list[float]) -> str:
    spread = f" ({min(values):.3f} .. {max(values):.3f})" if len(values) > 1 else ""
    return f"{mean(values):.3f}{spread}"


def minutes(run: Run) -> float:
    """Spent in steps, by the pace that steps.csv notes; validations are left out."""
    rows = run.steps.rows()
    pace = overall(rows)
    assert pace is not None
    return rows[-1]["step"] * run.recipe.batch / pace.images_per_second / 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--recipe", default="camvid-small")
    parser.add_argument("-o", "--output", default="runs/camvid")
    options = parser.parse_args()
    runs = {(t, seed): train(t, seed, options) for seed in options.seeds for t in WIDTHS}
    print("| topology | F0 | parameters | GMAC at 240x180 | val | held out 0006R0 | minutes |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for topology in WIDTHS:
        counted = count(build_grid(spec_of(topology)), size=(184, 240))
        mine = [runs[topology, seed] for seed in options.seeds]
        last = [run.rows()[-1] for run in mine]
        val, held_out = ([row[name] for row in last] for name in ("val_iou", "holdout_iou"))
        cost = f"{counted.parameters.total:,} | {counted.macs.total / 1e9:.2f}"
        scores = f"{shown(val)} | {shown(held_out)} | {mean(map(minutes, mine)):.0f}"
        print(f"| {topology} | {WIDTHS[topology]} | {cost} | {scores} |")


if __name__ == "__main__":
    main()
