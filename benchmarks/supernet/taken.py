"""Sub-networks of a supernet as they are, fine-tuned, and the same networks trained alone with as
many updates of their weights. A supernet computes several networks for each update, so that it
takes a multiple of the time of one of these trainings, but is trained once for all of them.

    python -m benchmarks.supernet.taken RUN [RUN ...] --data data/camvid-third [-o runs/taken]
        [--shares 0.03 0.1 0.3] [--only unet frrn]

Each RUN is a supernet of another seed. Fine-tuned is for a share of the supernet's steps at a tenth
of its learning rate, its schedule as long as the share, so that each share is a training of its
own; alone is for all steps of the supernet and a tenth more, at all of its rate. Trainings that are
finished in the output folder, below the name of the RUN, are taken over, so that the same command
goes on.
"""

import argparse
from pathlib import Path
from statistics import fmean, stdev

from gridgen import (
    Run,
    build_grid,
    export_model,
    prune,
    score_subnetworks,
    take_subnetwork,
    train,
)
from gridgen.files import sha256_of_file
from gridgen.grid import GridSpec
from gridgen.training.recipe import Recipe, changed_recipe

NAMED = ("conv-deconv", "unet", "frrn", "gridnet")
TENTH = 0.1
"""Share of the supernet's learning rate in fine-tuning, and of its epochs where none is asked."""
METRICS = ("val_iou", "holdout_iou")
Scores = dict[str, float]


def tuned_recipe(recipe: Recipe, share: float) -> Recipe:
    epochs = max(round(share * recipe.epochs), 1)
    fields = {"epochs": epochs, "validate_every": epochs, "supernet": None, "schedule.warmup": 0.0}
    return changed_recipe(recipe, fields | {"learning_rate": TENTH * recipe.learning_rate})


def alone_recipe(recipe: Recipe) -> Recipe:
    epochs = recipe.epochs + tuned_recipe(recipe, TENTH).epochs
    return changed_recipe(recipe, {"epochs": epochs, "validate_every": epochs, "supernet": None})


def trained(
    run: Run, spec: GridSpec, data: str, recipe: Recipe, folder: Path, init: Path | None
) -> Scores:
    """The last scores of a training with the seed of a supernet."""
    facts = run.facts
    found = train(
        spec,
        data,
        recipe,
        folder=folder,
        holdout=facts.holdout,
        fold=facts.fold,
        group=facts.group,
        seed=facts.seed,
        init=init,
        resume_if_begun=True,
    )
    return {name: found.rows()[-1][name] for name in METRICS}


def scores_of(
    run: Run, name: str, data: str, output: Path, shares: list[float]
) -> dict[str, Scores]:
    """The scores of one topology, by what was done."""
    spec = prune(build_grid(run.spec).full, name).spec
    (taken,) = score_subnetworks(run, [spec])
    # By its weights too: another supernet in the same folder has other sub-networks.
    place = output / f"{run.folder.name}-{sha256_of_file(run.weights)[:8]}" / name
    path = place.with_suffix(".safetensors")
    if not path.is_file():
        export_model(take_subnetwork(run, spec), path)
    found = {"as they are": {each: taken.scores[each] for each in METRICS}}
    for share in shares:
        folder = place.with_name(f"{name}-tuned-{share:g}")
        recipe = tuned_recipe(run.recipe, share)
        found[tuned(share)] = trained(run, spec, data, recipe, folder, path)
    folder = place.with_name(f"{name}-alone")
    return found | {"alone": trained(run, spec, data, alone_recipe(run.recipe), folder, None)}


def tuned(share: float) -> str:
    return f"fine-tuned {100 * share:g} %"


def told(values: list[float]) -> str:
    spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    return f"{fmean(values):.3f}{spread}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--data", default="data/camvid-third")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/taken"))
    parser.add_argument("--only", nargs="+", choices=NAMED, default=NAMED)
    parser.add_argument("--shares", nargs="+", type=float, default=[TENTH])
    given = parser.parse_args()
    runs = [Run.open(folder) for folder in given.runs]
    kinds = ("as they are", *map(tuned, given.shares), "alone")
    heads = [f"{kind}, {split}" for kind in kinds for split in ("val", "held out")]
    print(f"| topology | {' | '.join(heads)} |")
    print("|---" + "|---:" * len(heads) + "|")
    for name in given.only:
        found = [scores_of(run, name, given.data, given.output, given.shares) for run in runs]
        cells = [told([each[kind][m] for each in found]) for kind in kinds for m in METRICS]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
