"""A study as its trials tell it: real small networks, scores that nobody measured."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from gridgen.analysis import count
from gridgen.grid import build_grid
from gridgen.memory import Setting, training_memory
from gridgen.spec import GridSpec
from gridgen.study.report.asked import Asked
from gridgen.study.trials import Candidate, Role, Training, TrialRecord, TrialState

OBJECTIVE = "val_iou"
EPOCHS = 6
TOPOLOGIES = ("gridnet", "unet", "frrn", "conv-deconv")
ASKED = Asked(
    title="nuclei",
    objective=OBJECTIVE,
    data="nuclei",
    limits={"parameters": 130_000},
    seeds=(0, 1, 2),
    about=[("sampler", "tpe"), ("pruner", "median")],
    stopped="20 candidates are trained, as many as were wanted",
    commands=[("Go on with it", "gridgen search studies/nuclei.yaml -o runs/search-nuclei")],
    refused={"parameters are more than 130,000": 161, "3 streams need 3+3 columns": 7},
)


def candidate(name: str | None = None, rate: float | None = None, **params: Any) -> Candidate:
    """A small network of the paper's family, and how its learning rate is changed."""
    fields = {"streams": 2, "columns": "1+1", "base_channels": 4} | params
    spec = GridSpec(**fields, in_channels=1, classes=3)
    grid = build_grid(spec)
    counted = count(grid, (64, 64))
    costs = {
        "parameters": counted.parameters.total,
        "activations": counted.activations.total,
        "macs": counted.macs.total,
        "training_memory": training_memory(grid, (64, 64), Setting(batch=4)),
    }
    recipe = {} if rate is None else {"learning_rate": rate}
    varied = params | {f"recipe.{key}": value for key, value in recipe.items()}
    words = name or f"{spec.title}, {spec.shape}"
    return Candidate(words, varied, spec, recipe, costs, f"{grid.fingerprint}-{rate}")


def training(seed: int, score: float, epochs: int = EPOCHS, **changes: Any) -> Training:
    """A training whose curve rises to `score`."""
    rising = [(e, score * (1 - 0.7 * 0.4**e)) for e in range(1, epochs)]
    curve = (*rising, (epochs, score))
    row = {"epoch": float(epochs), "loss": 1 - score, OBJECTIVE: score}
    fields = {"seed": seed, "state": "finished", "score": score, "row": row, "curve": curve}
    return Training(**fields | {"seconds": 40.0 + seed} | changes)


def record(
    number: int,
    scores: Sequence[float] = (),
    role: Role = "searched",
    state: TrialState = "finished",
    of: int | None = None,
    made: Candidate | None = None,
    **changes: Any,
) -> TrialRecord:
    """A trial with a training for each score, of seeds that only confirmations share."""
    first = 100 if role == "confirmation" else 0
    trainings = [training(first + seed, score) for seed, score in enumerate(scores)]
    return TrialRecord(
        number, role, state, made or candidate(), **{"trainings": trainings, "of": of} | changes
    )


def study(many: int = 20, confirmed: bool = True, seed: int = 0) -> list[TrialRecord]:
    """A whole study: every state and every role, `many` candidates searched."""
    random = Random(seed)
    unet = candidate(
        "U-Net, 3 streams, 2+2 columns, F0 = 8",
        streams=3,
        columns="2+2",
        base_channels=8,
        topology="unet",
    )
    plain = Candidate(unet.name, {}, unet.network, {}, unet.costs, unet.key)
    found = [record(0, _scores(random, 0.61), "baseline", made=plain)]
    for number in range(1, many + 1):
        made = candidate(
            rate=round(10 ** random.uniform(-3, -1.5), 5),
            streams=random.choice((2, 3)),
            columns=random.choice(("1+1", "2+2")),
            base_channels=random.choice((4, 6, 8)),
            topology=random.choice(TOPOLOGIES),
        )
        level = 0.45 + 0.0008 * made.costs["parameters"] ** 0.5 + random.gauss(0, 0.03)
        found.append(_searched(number, made, level, random))
    if confirmed:
        done = [each for each in found if each.state == "finished"]
        best = sorted((e for e in done if e.role == "searched"), key=lambda e: -(e.score or 0))[:3]
        for number, each in enumerate([found[0], *best], start=many + 1):
            level = each.score or 0
            scores = _scores(random, level)
            of, made = each.number, each.candidate
            found.append(record(number, scores, "confirmation", of=of, made=made))
    return found


def _scores(random: Random, level: float) -> list[float]:
    return [round(random.gauss(level, 0.008), 5) for _ in range(3)]


def _searched(number: int, made: Candidate, level: float, random: Random) -> TrialRecord:
    if number % 9 == 4:
        score = level - 0.1
        stopped = training(0, score, epochs=3, state="pruned", seconds=20.0)
        return record(number, state="pruned", made=made, trainings=[stopped])
    if number % 11 == 7:
        reason = "the training's process ended with signal 9, three times"
        ended = training(0, 0.4, state="failed", reason=reason)
        ended = replace(ended, score=None, row={}, curve=())
        return record(number, state="failed", made=made, trainings=[ended], reason=reason)
    if number % 13 == 9:
        reason = "a step needs more memory than there is"
        return record(number, state="infeasible", made=made, reason=reason)
    scores = _scores(random, level)
    if number == 6:
        return record(number, scores[:1], state="running", made=made)
    return record(number, scores, made=made)
