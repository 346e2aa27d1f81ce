"""Predicted memory against what torch allocates and keeps, without a GPU.

python -m benchmarks.memory            # 60 settings and more, some minutes
python -m benchmarks.memory --small    # the same at a tenth of the width
python -m benchmarks.memory --losses   # what each loss needs, alone; a second
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.grid import TOPOLOGIES, Grid, build_grid
from gridgen.grid.tracing import Size
from gridgen.memory import Memory, Setting, count_memory
from gridgen.memory.min_memory_order import min_memory_order, own_order
from gridgen.spec import GridSpec
from gridgen.text import bytes_text
from gridgen.training.recipe.losses import LOSSES
from tests.oracles.tracking import DEVICE, Tracked, tracked, tracked_loss

OPTIMIZERS = ("sgd", "adam", "adamw")


@dataclass(frozen=True)
class Case:
    name: str
    grid: Grid
    size: Size
    batch: int


def cases(small: bool) -> Iterator[Case]:
    """Two families at every topology: the paper's, and a wider one that concatenates and pads."""
    width, (height, wide) = (2, (48, 64)) if small else (16, (400, 400))
    paper = {"streams": 5, "columns": "4+4", "base_channels": width, "classes": 19}
    other = {"streams": 4, "columns": "3+3", "base_channels": 2 * width, "classes": 11}
    other |= {"fusion": "concat", "total_dropout": 0.1, "size": "pad"}
    for topology in TOPOLOGIES:
        grid = build_grid(GridSpec(**paper, topology=topology))
        yield Case(f"5 streams, 4+4, {topology}", grid, (height, wide), 4)
    for topology in TOPOLOGIES:
        grid = build_grid(GridSpec(**other, topology=topology))
        yield Case(f"4 streams, 3+3, concat, {topology}", grid, (height - 40, wide + 80), 2)


def error(predicted: int, truth: int) -> str:
    return f"{100 * (predicted / truth - 1):+.3f}"


def row(case: Case, precision: str, recompute: str = "none") -> str:
    """Errors in percent: of what is saved, of both peaks; the training peak for each optimizer."""
    truths, ours = dict[str, Tracked](), dict[str, Memory]()
    for optimizer in OPTIMIZERS:
        setting = Setting(
            batch=case.batch, precision=precision, optimizer=optimizer, device=DEVICE,
            recompute=recompute,
        )  # fmt: skip
        truths[optimizer] = tracked(case.grid, case.size, setting)
        ours[optimizer] = count_memory(case.grid, case.size, setting)
    truth, our = truths["adam"], ours["adam"]
    again = "" if recompute == "none" else f", {recompute}s recomputed"
    cells = [
        *(case.name + again, precision, bytes_text(truth.saved), error(our.saved, truth.saved)),
        bytes_text(truth.peak_training),
        *(error(ours[o].peak_training, truths[o].peak_training) for o in OPTIMIZERS),
        bytes_text(truth.peak_inference),
        error(our.peak_inference, truth.peak_inference),
    ]
    return f"| {' | '.join(cells)} |"


def print_errors(small: bool) -> None:
    print(
        "| network | precision | saved | % | peak training (adam) | % sgd | % adam | % adamw |",
        end="",
    )
    print(" peak inference | % |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for case in cases(small):
        for precision in ("fp32", "bf16"):
            print(row(case, precision), flush=True)
    first = next(cases(small))
    for recompute in ("unit", "column"):
        for precision in ("fp32", "bf16"):
            print(row(first, precision, recompute), flush=True)


def print_orders() -> None:
    """The inference peak of the maps in the best order, against column by column."""
    print("\n| network | maps | column by column | best order | ratio | exact | ms |")
    print("|---|---:|---:|---:|---:|---|---:|")
    for name, grid in orders():
        start = time.perf_counter()
        found, own = min_memory_order(grid), own_order(grid)
        took = 1000 * (time.perf_counter() - start)
        cells = [name, str(len(grid.maps)), bytes_text(own.peak), bytes_text(found.peak)]
        cells += [f"{found.peak / own.peak:.3f}", str(found.exact).lower(), f"{took:.0f}"]
        print(f"| {' | '.join(cells)} |")


def orders() -> Iterator[tuple[str, Grid]]:
    for columns in ("3+3", "4+4", "8+8"):
        for topology in ("gridnet", "unet", "frrn"):
            spec = GridSpec(
                streams=5, columns=columns, base_channels=16, classes=19, topology=topology
            )
            yield f"5 streams, {columns}, {topology}", build_grid(spec)
    for name in ARCHITECTURES:
        yield name, build_grid(load_spec(name))


def print_losses() -> None:
    """What a loss keeps and needs at most, in predictions: (N, K, H, W) in fp32."""
    print("| loss | kept for the backward pass | at most |\n|---|---:|---:|")
    for losses, words in LOSS_SUMS.items():
        for smoothing in (0.0, 0.1):
            kept, peak = tracked_loss([LOSSES[name]() for name in losses], smoothing)
            print(f"| {words}{', smoothed labels' * (smoothing > 0)} | {kept:.2f} | {peak:.2f} |")


LOSS_SUMS = {
    ("cross-entropy",): "cross-entropy",
    ("focal",): "focal",
    ("dice",): "dice",
    ("cross-entropy", "dice"): "cross-entropy + dice",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--losses", action="store_true")
    arguments = parser.parse_args()
    if arguments.losses:
        print_losses()
        return
    print_errors(arguments.small)
    print_orders()


if __name__ == "__main__":
    main()
