"""Building, pruning and counting against the size of the grid, up to 10,000 maps.

python -m benchmarks.scaling

Ten streams and ever more columns, half of them sub, half up. The exponent is the slope of
log(time) against log(maps) by least squares: 1 is linear. The last column is against the smallest
grid, per map.
"""

import math
import time
from collections.abc import Callable

from gridgen import Grid, GridSpec, build_grid, count, prune

STREAMS = 10
COLUMNS = (10, 30, 100, 300, 1000)
ROUNDS = 3
SIZE = (512, 512)


def seconds(work: Callable[[], object]) -> float:
    """The least of the rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def spec(columns: int) -> GridSpec:
    half = columns // 2
    return GridSpec(streams=STREAMS, columns=f"{half}+{half}", base_channels=2, classes=2)


def measure(columns: int) -> dict[str, float]:
    described = spec(columns)
    full: Grid = build_grid(described)
    return {
        "build": seconds(lambda: build_grid(described)),
        "prune": seconds(lambda: prune(full, "unet")),
        "count": seconds(lambda: count(build_grid(described), SIZE))
        - seconds(lambda: build_grid(described)),
    }


def exponent(maps: list[int], times: list[float]) -> float:
    """The slope of log(time) against log(maps)."""
    x, y = [math.log(n) for n in maps], [math.log(t) for t in times]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return above / sum((a - mean_x) ** 2 for a in x)


def main() -> None:
    sizes = [STREAMS * columns for columns in COLUMNS]
    rows = [measure(columns) for columns in COLUMNS]
    totals = [sum(row.values()) for row in rows]
    print("| maps | build ms | prune to unet ms | count ms | all ms | us per map | against first |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for maps, row, total in zip(sizes, rows, totals, strict=True):
        parts = " | ".join(f"{1e3 * value:,.1f}" for value in row.values())
        share = (total / maps) / (totals[0] / sizes[0])
        print(
            f"| {maps:,} | {parts} | {1e3 * total:,.1f} | {1e6 * total / maps:.0f} | {share:.2f} |"
        )
    print(f"\nexponent: {exponent(sizes, totals):.3f}")
    for name in rows[0]:
        print(f"  {name}: {exponent(sizes, [row[name] for row in rows]):.3f}")


if __name__ == "__main__":
    main()
