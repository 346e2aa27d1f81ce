"""Zero-cost proxies of all networks of the table: scores of a fresh network and one batch.

    python -m benchmarks.topologies.proxies --data data/camvid-third

Writes gridgen/tabular/proxies.csv, means over five fresh networks and batches of 16 crops as in
training. Gradient norm as Abdelfattah et al. (ICLR 2021) use it, over the weights of
convolutions; synflow by Tanaka et al. (NeurIPS 2020), of these weights too, with BN that changes
nothing; NASWOT by Mellor et al. (ICML 2021, who take 128 images). Six minutes.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from statistics import fmean

import torch
from torch import Tensor, nn

from benchmarks.topologies.train import STUDY
from gridgen import GridNetwork, GridSpec, Study, build_grid, subtopologies
from gridgen.data.frequencies import count_pixels
from gridgen.files import write_file
from gridgen.names import csv_text
from gridgen.tabular.table import PROXIES, SPEC
from gridgen.training.loop.batches import Batches, TrainingBatch
from gridgen.training.loop.labels import class_weights
from gridgen.training.tasks import Task, task_of
from gridgen.training.tasks.requirements import load_splits

SEEDS = 5
IMAGES = 16


def gradient_norm(network: GridNetwork, batch: TrainingBatch, task: Task) -> float:
    """The sum of the norms of the gradients of the loss, of all convolutions."""
    images, labels = batch
    task.loss(network.train()(images), labels.long()).backward()
    return sum(float(gradient.norm()) for _, gradient in weights_of(network))


def weights_of(network: GridNetwork) -> Iterator[tuple[Tensor, Tensor]]:
    """The weights of all convolutions, each with its gradient."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.weight.grad is not None:
            yield module.weight.detach(), module.weight.grad


def synflow(network: GridNetwork, batch: TrainingBatch, task: Task) -> float:
    """The logarithm of the sum of weight x gradient of all outputs' sum, for an image of ones and
    absolute weights. In evaluation a fresh BN leaves values as they are.
    """
    network = network.eval().double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    network(torch.ones_like(batch[0][:1]).double()).sum().backward()
    return math.log(sum(float((weight * grad).sum()) for weight, grad in weights_of(network)))


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
    weights = class_weights(study.training, count_pixels(train))
    task = task_of(train).with_loss(study.training, weights)
    rows = []
    for topology in subtopologies(SPEC):
        found = measured(SPEC.but(topology=topology.topology), batches, task)
        rows.append([topology.name, *(f"{value:.6g}" for value in found)])
    write_file(PROXIES, csv_text([("topology", *MEASURES), *rows]))


if __name__ == "__main__":
    main()
