"""Zero-cost proxies of all networks of the table: scores of a fresh network and one batch.

    python -m benchmarks.topologies.proxies --data data/camvid-third

Writes gridgen/tabular/proxies.csv, each the mean over five fresh networks. Gradient norm as
Abdelfattah et al. (ICLR 2021) use it, synflow by Tanaka et al. (NeurIPS 2020), NASWOT by Mellor et
al. (ICML 2021). Six minutes.
"""

import argparse
import math
from collections.abc import Callable
from statistics import fmean

import torch
from torch import Tensor, nn

from benchmarks.topologies.train import STUDY
from gridgen import GridNetwork, GridSpec, Study, build_grid, subtopologies
from gridgen.files import write_file
from gridgen.names import csv_text
from gridgen.tabular.table import PROXIES, SPEC
from gridgen.training.loop.batches import Batches, TrainingBatch
from gridgen.training.tasks import Task, task_of
from gridgen.training.tasks.requirements import load_splits

SEEDS = 5
IMAGES = 16


def gradient_norm(network: GridNetwork, batch: TrainingBatch, task: Task) -> float:
    """The sum over all parameters of the norm of the gradient of the loss."""
    images, labels = batch
    task.loss(network.train()(images), labels.long()).backward()
    return sum(float(p.grad.norm()) for p in network.parameters() if p.grad is not None)


def synflow(network: GridNetwork, batch: TrainingBatch, task: Task) -> float:
    """The logarithm of the sum of |weight x gradient| of all outputs' sum, for an image of ones and
    absolute weights; BN leaves values as they are.
    """
    network = network.eval().double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    network(torch.ones_like(batch[0][:1]).double()).sum().backward()
    return math.log(
        sum(float((p * p.grad).sum()) for p in network.parameters() if p.grad is not None)
    )


def naswot(network: GridNetwork, batch: TrainingBatch, task: Task) -> float:
    """The logarithm of the determinant of the matrix of how many ReLUs agree for two images."""
    codes: list[Tensor] = []

    def note(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        codes.append((output > 0).flatten(1).float())

    hooks = [m.register_forward_hook(note) for m in network.modules() if isinstance(m, nn.ReLU)]
    with torch.no_grad():
        network.train()(batch[0])
    for hook in hooks:
        hook.remove()
    code = torch.cat(codes, dim=1)
    agree = (code @ code.T + (1 - code) @ (1 - code).T).double()
    return float(torch.linalg.slogdet(agree).logabsdet)


MEASURES: dict[str, Callable[[GridNetwork, TrainingBatch, Task], float]] = {
    "gradient_norm": gradient_norm,
    "synflow": synflow,
    "naswot": naswot,
}


def measured(spec: GridSpec, batches: Batches, task: Task) -> list[float]:
    grid, found = build_grid(spec), []
    for measure in MEASURES.values():
        values = []
        for seed in range(SEEDS):
            torch.manual_seed(seed)
            values.append(measure(GridNetwork(grid), batches[seed], task))
        found.append(fmean(values))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    study = Study.load(STUDY)
    train = load_splits(options.data, study.holdout).train
    batches = Batches(train, study.training.but(batch=IMAGES), seed=0)
    task = task_of(train)
    rows = []
    for topology in subtopologies(SPEC):
        found = measured(SPEC.but(topology=topology.topology), batches, task)
        rows.append([topology.name, *(f"{value:.6g}" for value in found)])
    write_file(PROXIES, csv_text([("topology", *MEASURES), *rows]))


if __name__ == "__main__":
    main()
