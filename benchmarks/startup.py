"""Start-up of `gridgen count` and `gridgen render`, as a user feels it, torch not loaded.

    python -m benchmarks.startup

Each command is a fresh process; the least of twenty is what the program needs, the median what a
busy machine makes of it. `python -c pass` and `import torch` stand beside them in the same run.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 20
SPEC = str(Path(__file__).parent.parent / "specs" / "gridnet.yaml")
GRIDGEN = str(Path(sys.executable).parent / "gridgen")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "gridgen count specs/gridnet.yaml": [GRIDGEN, "count", SPEC],
            "gridgen render specs/gridnet.yaml": [GRIDGEN, "render", SPEC, "-o", f"{folder}/a.svg"],
            "python -c 'import torch'": [sys.executable, "-c", "import torch"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                start = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                times[name].append(time.perf_counter() - start)
    print("| command | least s | median s |")
    print("|---|---|---|")
    for name, taken in times.items():
        print(f"| `{name}` | {min(taken):.2f} | {statistics.median(taken):.2f} |")


if __name__ == "__main__":
    main()
