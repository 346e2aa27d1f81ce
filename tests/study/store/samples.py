"""Studies and trials to keep, of which nothing is trained."""

import json
from pathlib import Path
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from gridgen.grid import build_grid
from gridgen.space.choices import label
from gridgen.spec import GridSpec
from gridgen.study.store import Store, open_store
from gridgen.study.trials import Candidate, Training

DISTRIBUTIONS = {
    "streams": IntDistribution(2, 5),
    "topology": CategoricalDistribution(["unet", '{"keep": ["sub_1_0", "up_0_3"]}']),
    "recipe.learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
    "base_channels": IntDistribution(4, 64),
}
FIELDS: dict[str, Any] = {"columns": "2+2", "base_channels": 4, "classes": 3}


def opened(folder: Path, kind: str | None = None, data: str = "d1", **changes: Any) -> Store:
    """The store of a study, to write to."""
    fields = {"seed": 0, "objective": "val_iou", "space": {"streams": [2, 3]}, "trials": 4}
    text = "".join(f"{name}: {json.dumps(value)}\n" for name, value in (fields | changes).items())
    return open_store(folder, text, {"data": data}, ["trials"], kind)


def begin(store: Store, number: int = 0, role: str = "searched", **changes: Any) -> int:
    """The number of a new trial of `candidate(number)`."""
    made = candidate(number)
    params = {name: label(value) for name, value in made.params.items()}
    return store.begin(made, role, DISTRIBUTIONS, params, **changes).number


def candidate(number: int = 0, **changes: Any) -> Candidate:
    rate = 0.001 * (number + 1)
    fields: dict[str, Any] = {
        "name": f"grid {number}",
        "params": {
            "streams": 2,
            "topology": {"keep": ["sub_1_0", "up_0_3"]},
            "recipe.learning_rate": rate,
            "base_channels": 4 + number % 60,
        },
        "network": GridSpec(**FIELDS, streams=2),
        "recipe": {"learning_rate": rate},
        "costs": {"parameters": 1000 + number, "activations": 7, "macs": 10**12},
        "key": f"key {number}",
    }
    return Candidate(**fields | changes)


def training(seed: int = 0, score: float | None = 0.5, epochs: int = 3, **changes: Any) -> Training:
    curve = tuple((epoch, 0.1 + epoch / 7) for epoch in range(1, epochs + 1))
    fields: dict[str, Any] = {
        "seed": seed,
        "state": "finished",
        "score": score,
        "row": {"epoch": float(epochs), "loss": 0.25, "val_iou": score or 0.0},
        "curve": curve,
        "seconds": 1.5,
        "folder": f"trials/00000/seed-{seed}",
    }
    return Training(**fields | changes)


def fill(store: Store, trials: int = 6) -> None:
    """Trials of every state, the last one running."""
    for number in range(trials):
        begun = begin(store, number)
        for step in (1, 2, 3):
            store.report(begun, step, 0.1 * step + number)
        if number == trials - 1:
            store.trained(begun, training(0, 0.25))
        elif number % 4 == 3:
            store.finish(begun, "infeasible", "memory")
        elif number % 4 == 2:
            store.trained(begun, training(0, None, state="failed", reason="the loss is nan"))
            store.finish(begun, "failed", "the loss is nan")
        elif number % 4 == 1:
            store.trained(begun, training(0, 0.1, state="pruned"))
            store.finish(begun, "pruned")
        else:
            store.trained(begun, training(0, 0.5 + number / 100))
            store.trained(begun, training(1, 0.75))
            store.finish(begun, "finished")


def long_candidate() -> Candidate:
    """One with the names of 60 connections."""
    network = GridSpec(columns="5+5", streams=6, base_channels=4, classes=3)
    names = [each.name for each in build_grid(network).connections][:60]
    params = candidate().params | {"topology": {"keep": names}}
    return candidate(params=params, network=network.but(topology={"keep": names}))
