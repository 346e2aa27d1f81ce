"""Whether two seeds agree the better where predictions are averaged over flips and scales.

    python -m benchmarks.topologies.inferences runs/every-topology --data data/camvid-third

Scores val again, with the trained networks of a search: seconds for each network.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from gridgen import Inference, Model, evaluate, open_model
from gridgen.tabular.ranking import kendall, spread

WAYS = {
    "as it was trained": Inference(precision="fp32"),
    "mirrored too": Inference(precision="fp32", flip=True),
    "at three scales, mirrored too": Inference(
        precision="fp32", flip=True, scales=(0.75, 1.0, 1.25)
    ),
}


def score(model: Model, data: str, inference: Inference) -> float:
    return evaluate(model, data, "val", baseline=False, inference=inference).network.value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    trials = [sorted(each.glob("seed-*")) for each in sorted(options.runs.glob("trials/*"))]
    models = [[open_model(run) for run in runs] for runs in trials if whole(runs)]
    print("| scored | topologies | mean | standard deviation of seeds | τ of two seeds |")
    print("|---|---:|---:|---:|---:|")
    for way, inference in WAYS.items():
        scores = np.array([[score(m, options.data, inference) for m in pair] for pair in models])
        found, tau = spread(scores), kendall(scores[:, 0], scores[:, 1])
        numbers = f"{scores.mean():.3f} | {found.seeds:.4f} | {tau:.2f}"
        print(f"| {way} | {len(scores)} | {numbers} |", flush=True)


def whole(runs: list[Path]) -> bool:
    return len(runs) == 2 and all((run / "weights.safetensors").is_file() for run in runs)


if __name__ == "__main__":
    main()
