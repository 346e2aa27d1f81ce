"""Starting a training, and going on with one."""

import platform
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from gridgen.architectures.load import require_rebuildable
from gridgen.data.datasets import find_dataset, lasting_name
from gridgen.data.frequencies import median_frequency
from gridgen.emit.host import require_memory
from gridgen.grid import Grid
from gridgen.spec import NetworkSpec
from gridgen.training import devices
from gridgen.training.fit import Fit
from gridgen.training.recipe import Recipe, load_recipe
from gridgen.training.run import Run
from gridgen.training.splits import Splits, adopt, load_splits, require_splits
from gridgen.training.watch import Watch

RUNS = Path("runs")


def train(
    grid: Grid,
    data: str,
    recipe: Recipe | str | Path | None = None,
    *,
    folder: str | Path | None = None,
    holdout: str | None = None,
    seed: int = 0,
    device: str = "auto",
    watch: Watch | None = None,
) -> Run:
    """Train the network of `grid` on the dataset named `data`; the run folder that holds it all.

    Images of train whose names match `holdout`, a shell pattern, are not trained on but scored,
    and the best weights are chosen by them instead of by val. Without a `recipe`, the one that suits the dataset; without a `folder`, a new one under
    `runs/`. Errors: `SpecError` where spec and data do not fit, `SizeError`, `DataError`,
    `TooLargeError`, `DeviceError`, `RunError` where the folder is taken, `TrainingError`; all but
    the last before anything is written. `Interrupted` after Ctrl-C or SIGTERM, all saved.

    >>> import tempfile
    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec.of(streams=2, columns="1+1", base_channels=2, classes=3)
    >>> quick = Recipe.parse('''
    ... epochs: 1
    ... batch: 125
    ... learning_rate: 0.01
    ... crop: {smallest: 8, largest: 8, size: 8}
    ... ''')
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(build_grid(spec), "shapes", quick, folder=folder + "/run")
    ...     run.rows()[-1]["step"]
    8.0
    """
    chosen = devices.choose_device(device)
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe or find_dataset(data).recipe)
    splits = load_splits(data, holdout)
    grid = adopt(grid, splits[0])
    require_splits(grid.spec, splits, recipe)
    require_rebuildable(grid)
    require_memory(grid)
    devices.require_share(recipe.batch)
    path = Path(folder) if folder is not None else new_folder(grid.spec, data)
    watch = watch or Watch()
    facts = {
        "data": lasting_name(data),
        "holdout": holdout,
        "seed": seed,
        "device": device,
        "classes": list(splits[0].classes),
        "colours": [list(colour) for colour in splits[0].colours],
        "class_weights": class_weights(recipe, splits, watch),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "command": sys.argv,
    }
    with devices.group(chosen):
        run = Run.create(path, grid.spec, recipe, facts) if devices.rank() == 0 else Run(path)
        devices.meet()
        with _alone(run):
            Fit(run, splits, chosen, watch).go()
    return run


def resume(folder: str | Path, *, device: str | None = None, watch: Watch | None = None) -> Run:
    """Go on with the training in `folder` from its newest whole checkpoint, or from step 0.

    On a CPU the finished run equals the uninterrupted one bit for bit. Errors: as `train`, and
    `RunError` where there is no run or no whole checkpoint.
    """
    run = Run.open(folder)
    facts = run.facts
    chosen = devices.choose_device(device or facts["device"])
    splits = load_splits(facts["data"], facts.get("holdout"))
    require_splits(run.spec, splits, run.recipe)
    with devices.group(chosen), _alone(run):
        fit = Fit(run, splits, chosen, watch or Watch())
        fit.restore()
        fit.go()
    return run


def class_weights(recipe: Recipe, splits: Splits, watch: Watch) -> list[float] | None:
    """What the recipe wants classes to weigh in the loss, counted on train."""
    if recipe.class_weights == "none":
        return None
    return list(median_frequency(splits.train, watch.counted))


def _alone(run: Run) -> AbstractContextManager[None]:
    """One training per run; of several processes of a training, the first holds the lock."""
    return run.locked() if devices.rank() == 0 else nullcontext()


def new_folder(spec: NetworkSpec, data: str) -> Path:
    """A folder under `runs/` that does not exist yet, named after topology and data."""
    name = f"{spec.title}-{Path(lasting_name(data)).name}"
    tries = [RUNS / name, *(RUNS / f"{name}-{number}" for number in range(2, 10_000))]
    return next(path for path in tries if not path.exists())
