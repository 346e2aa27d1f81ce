"""Starting a training, and going on with one."""

import platform
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

from gridgen.architectures.load import require_rebuildable
from gridgen.arguments import PathLike, checked
from gridgen.data.datasets import lasting_name, scale_of
from gridgen.data.labelled import TRAIN
from gridgen.data.subsets import digest_of_names
from gridgen.errors import DataError, FileError, RunError, UsageError
from gridgen.grid import GridLike, as_grid, build_grid
from gridgen.memory.host import require_memory
from gridgen.spec import NetworkSpec
from gridgen.spec.document import dump
from gridgen.training.loop.labels import class_weights, counted_labels
from gridgen.training.loop.requirements import require_step_memory, require_variances
from gridgen.training.loop.supernet import dropout_line, networks_of
from gridgen.training.loop.trainer import Trainer
from gridgen.training.loop.transfer import initial_weights, require_frozen
from gridgen.training.loop.watch import Watch
from gridgen.training.processes import devices
from gridgen.training.processes.allocator import freed_memory_kept
from gridgen.training.processes.group import joined
from gridgen.training.processes.precision import slow_precision
from gridgen.training.recipe import Recipe
from gridgen.training.run.checkpoint import newest
from gridgen.training.run.facts import Facts
from gridgen.training.run.folder import FACTS, Run, require_free
from gridgen.training.run.locks import require_locks
from gridgen.training.tasks.fingerprint import Fingerprint, fingerprint
from gridgen.training.tasks.fitting import ChosenRecipe, RecipeLike, work_line
from gridgen.training.tasks.requirements import Splits, adopt, load_splits, require_splits

RUNS = Path("runs")
SAME = ("data", "holdout", "fold", "group", "seed", "init")


@checked
def train(
    grid: GridLike,
    data: PathLike,
    recipe: RecipeLike | None = None,
    *,
    folder: PathLike | None = None,
    holdout: str | None = None,
    fold: str | None = None,
    group: str | None = None,
    seed: int = 0,
    init: PathLike | None = None,
    device: str = "auto",
    resume_if_begun: bool = False,
    watch: Watch | None = None,
) -> Run:
    """Train the network of `grid` on the dataset named `data`; the run folder that holds it all.

    Images of train whose names match `holdout`, a shell pattern, are not trained on but scored,
    and the best weights are chosen by them instead of by val. With a `fold`, such as 2/5, val is
    that part of the other images of train, and the rest is trained on; names for which the first
    group of the regular expression `group`, or all that it matches, is equal are on one side.
    Without a `recipe`, the one that suits the dataset, which for a folder is `modern`, fitted to
    its images; fields in a mapping replace those of that. Without a `folder`, a new one under
    `runs/`. With `resume_if_begun`, a run that is in `folder` already is gone on with, if spec,
    recipe, data, holdout, fold, group, seed and init are the same.

    `init`, a run or a weights file, gives the weights to begin with: whatever fits by name and
    shape (`inherit`), be it of another grid; the head is fresh where it is of other classes.

    Errors: `SpecError` where spec, recipe and data do not fit, `SizeError`, `DataError`,
    `TooLargeError`, `DeviceError`, `RunError` where the folder is taken, `TrainingError`; all but
    the last before anything is written. `Interrupted` after Ctrl-C or SIGTERM, all saved.

    >>> import tempfile
    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3)
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
    grid = as_grid(grid)
    if resume_if_begun and folder is None:
        raise UsageError("--resume-if-begun needs -o, the folder of the run")
    require_locks()
    data, chosen = str(data), devices.choose_device(device)
    # Before anything can be refused: where one process is alone in that, the others are told.
    with joined(chosen):
        watch, asked = watch or Watch(), ChosenRecipe.of(recipe, data)
        watch.opening(data)
        splits = load_splits(data, holdout, fold, group)
        grid = adopt(grid, splits.train)
        recipe, lines = asked.suited(splits.train, grid.spec, chosen)
        for line in lines:
            watch.noted(line)
        if recipe.supernet is not None:
            if line := dropout_line(grid.spec):
                watch.noted(line)
            grid = build_grid(networks_of(grid, recipe).whole)
        require_splits(grid.spec, splits, recipe)
        require_rebuildable(grid)
        require_frozen(grid, recipe)
        require_memory(grid)
        require_variances(grid, recipe)
        require_step_memory(grid, recipe, chosen)
        devices.require_share(recipe.batch)
        if line := slow_precision(chosen, recipe.precision):
            watch.noted(line)
        if asked.fits and recipe.supernet is None:
            watch.noted(work_line(recipe, splits.train, grid))
        facts = Facts(
            data=lasting_name(data),
            task=splits.train.task,
            holdout=holdout,
            fold=fold,
            group=group,
            fold_names=digest_of_names(splits.val) if fold else None,
            seed=seed,
            init=str(Path(init).absolute()) if init is not None else None,
            device=device,
            classes=splits.train.classes,
            colours=splits.train.colours,
            **asdict(known := fingerprint(splits)),
            **asdict(scale_of(data)),
            torch=str(torch.__version__),
            python=platform.python_version(),
            platform=platform.platform(),
            machine=devices.machine(chosen),
            processes=devices.world_size(),
            begun=datetime.now(UTC).isoformat(timespec="seconds"),
            # Bytes of an argument that are no text are written as escapes, which a file can hold.
            command=tuple(
                argument.encode("utf-8", "backslashreplace").decode() for argument in sys.argv
            ),
        )

        def begun() -> Run:
            path = Path(folder) if folder is not None else None
            if path is not None:
                if resume_if_begun and (path / FACTS).is_file():
                    return _the_same(Run.open(path), grid.spec, recipe, facts)
                require_free(path)
            initial = None
            if init is not None:
                initial, told = initial_weights(grid, splits.train, seed, init)
                for line in told:
                    watch.noted(line)
            found = counted_labels(splits, recipe, watch)
            counted = facts.but(
                pixels={split: each.pixels for split, each in found.items()} or None,
                class_weights=class_weights(recipe, found.get(TRAIN)),
            )
            for line in counted.absent:
                watch.noted(line)
            return _created(path, grid.spec, recipe, counted, initial)

        run = devices.by_first(begun)
        require_unchanged(run, splits, known)  # each process may have a copy of its own
        _go(run, splits, chosen, watch)
    return run


@checked
def resume(folder: PathLike, *, device: str | None = None, watch: Watch | None = None) -> Run:
    """Go on with the training in `folder` from its newest whole checkpoint, or from step 0.

    On a CPU the finished run equals the uninterrupted one bit for bit. Errors: as `train`, and
    `RunError` where there is no run or no whole checkpoint.
    """
    run = Run.open(folder)
    facts = run.facts
    # A GPU that is named by its number was that of one process; each of several has its own.
    known = facts.device if devices.world_size() == 1 else facts.device.split(":")[0]
    chosen = devices.choose_device(device or known)
    with joined(chosen):
        watch = watch or Watch()
        watch.opening(facts.data)
        try:
            splits = load_splits(facts.data, facts.holdout, facts.fold, facts.group)
        except DataError as error:
            raise DataError(f"{run.folder}, data as {FACTS} names it: {error}") from error
        require_unchanged(run, splits, fingerprint(splits))
        require_splits(run.spec, splits, run.recipe)
        grid = build_grid(run.spec)
        require_variances(grid, run.recipe)
        require_step_memory(grid, run.recipe, chosen)
        devices.require_share(run.recipe.batch)
        _go(run, splits, chosen, watch)
    return run


def _go(run: Run, splits: Splits, device: torch.device, watch: Watch) -> None:
    """Train from the newest checkpoint, or from the beginning, to the end.

    The run is locked against other trainings; of several processes, the first holds the lock.
    """
    with ExitStack() as held:
        devices.by_first(lambda: held.enter_context(run.locked()))
        if newest(run.checkpoints) is None and run.is_finished(run.rows()):
            return  # and whoever took the checkpoints away needs them no more
        if device.type == "cpu":
            held.enter_context(freed_memory_kept())
        trainer = Trainer(run, splits, device, watch)
        trainer.restore()
        trainer.go()
        devices.by_first(lambda: None)  # which writes the weights that all may want to read


def _the_same(run: Run, spec: NetworkSpec, recipe: Recipe, facts: Facts) -> Run:
    """`run`, if that is how it was begun, or a `RunError`."""
    for what, begun, asked in (
        ("spec", dump(run.spec), dump(spec)),
        ("recipe", dump(run.recipe), dump(recipe)),
        *((name, getattr(run.facts, name), getattr(facts, name)) for name in SAME),
    ):
        if begun != asked:
            lines = zip(str(begun).splitlines(), str(asked).splitlines(), strict=False)
            was, now = next(((a, b) for a, b in lines if a != b), (begun, asked))
            fact = f"{run.folder} was begun with another {what}: {was}, not {now}"
            raise RunError(f"{fact}; name another folder")
    return run


def require_unchanged(run: Run, splits: Splits, now: Fingerprint) -> None:
    """The data is what the run was begun on, or a `RunError`: its steps would be others."""
    facts = run.facts
    changed = None
    if facts.images not in (None, now.images):
        changed = "Images were added, removed, renamed or resized"
    elif facts.scale != scale_of(facts.data):
        changed = "Its dataset.yaml names another white, black or nodata"
    elif facts.classes != splits.train.classes:
        changed = "Its classes are others, or in another order"
    elif facts.labels not in (None, now.labels):
        changed = "Its classes.txt or dataset.yaml gives its labels another meaning"
    elif facts.label_files not in (None, now.label_files):
        changed = "Label files hold other labels"
    if changed:
        raise RunError(
            f"{run.folder} was begun on other data than {facts.data} is now. {changed}; put that "
            f"back, or train anew."
        )


def _created(
    path: Path | None,
    spec: NetworkSpec,
    recipe: Recipe,
    facts: Facts,
    initial: Mapping[str, Tensor] | None,
) -> Run:
    """A new run in `path`, or in a new folder under `runs/`, named after topology and data.

    Errors: `RunError`, `FileError`.
    """
    if path is not None:
        return Run.create(path, spec, recipe, facts, initial)
    while True:
        place = _new_folder(spec, recipe, facts.data)
        try:
            return Run.create(place, spec, recipe, facts, initial)
        except (RunError, FileError):
            # What is there now is another training's, which has just begun.
            if not place.exists():
                raise


def _new_folder(spec: NetworkSpec, recipe: Recipe, data: str) -> Path:
    """A folder under `runs/` that does not exist yet."""
    kind = ["supernet"] if recipe.supernet else []
    name = "-".join([spec.title, *kind, Path(data).name])
    tries = [RUNS / name, *(RUNS / f"{name}-{number}" for number in range(2, 10_000))]
    return next(path for path in tries if not path.exists())
