"""What commands share: options that mean the same everywhere, and how results are printed."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import TextWrapper
from typing import Annotated, Any, get_args

import typer

from gridgen.analysis.sizes import read_size
from gridgen.architectures import load_spec
from gridgen.cli.tables import WIDTH
from gridgen.errors import SYNONYMS, SizeError, SpecError, TopologyError, UsageError
from gridgen.files import ends_in
from gridgen.grid import Grid, build_grid, prune
from gridgen.grid.topologies import DESCENDING, NOTES, Descent
from gridgen.grid.tracing import Size
from gridgen.progress import OnProgress
from gridgen.shown import console
from gridgen.spec import GridSpec, NetworkSpec, Source
from gridgen.spec.network import SizePolicy, changed, root

SPEC = "YAML file of the network, or an architecture's name; @TOPOLOGY after it prunes."
RECIPE = "recipe"
SpecName = Annotated[str, typer.Argument(metavar="SPEC", help=SPEC)]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="A field of the spec, over what it says."),
]
SizeSetting = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="size=POLICY",
        help="What becomes of images that do not fit, over what the spec says: "
        f"{', '.join(get_args(get_args(SizePolicy)[0]))}.",
    ),
]
As = Annotated[
    str | None,
    typer.Option("--as", metavar="TOPOLOGY", help="Topology to prune to, over the spec's own."),
]
ImageSize = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="HxW",
        help="Height and width of the image; 400x400, rounded up, if not given. Volumes: DxHxW.",
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="PATH", help="Where to write.")
]
To = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="FORM", help="As gridgen list exporters says; else what -o ends in."
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")]
MaybeDevice = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1 ...")]
Best = Annotated[
    bool, typer.Option("--best", help="The weights of the best validation, not of the last step.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def grid_of(name: str, topology: str | None = None, settings: list[str] | None = None) -> Grid:
    """The grid of `SPEC` or `SPEC@TOPOLOGY`, pruned to `--as` where that is given."""
    spec, at = split(name)
    loaded = spec_of(spec, settings)
    with _blaming_settings(settings):
        if topology is not None:
            return _pruned(loaded, topology, "--as")
        return _pruned(loaded, at, name) if at is not None else build_grid(loaded)


@contextmanager
def errors_beginning(option: str) -> Iterator[None]:
    """Errors in what an option says begin with it."""
    try:
        yield
    except (SpecError, SizeError) as error:
        raise type(error)(f"{option}{error}") from error


@contextmanager
def _blaming_settings(settings: list[str] | None) -> Iterator[None]:
    """Errors in fields that `--set` gave begin with that option."""
    try:
        yield
    except SpecError as error:
        given = {root(_setting(setting)[0]) for setting in settings or ()}
        if error.field and error.field[0] in given:
            raise type(error)(f"--set: {error}", error.field) from error
        raise


def split(name: str) -> tuple[str, str | None]:
    """The spec and the topology of `SPEC@TOPOLOGY`; a file may have an @ in its name."""
    spec, at, topology = name.rpartition("@")
    return (name, None) if not at or Path(name).exists() else (spec, topology)


def _pruned(spec: NetworkSpec, topology: str, where: str) -> Grid:
    """The grid of `spec` with `topology` in place of its own; errors begin with `where`."""
    try:
        return prune(build_grid(spec.but(topology=None)), topology)
    except TopologyError as error:
        raise TopologyError(f"{where}: {error}") from error


def spec_of(name: str, settings: list[str] | None) -> NetworkSpec:
    """The spec of a file or architecture, its fields replaced by those of `--set`."""
    loaded, given = load_spec(name), fields_of(settings)
    known = type(loaded).model_fields
    for field in given:
        if root(field) == RECIPE:
            fact = "fields of a recipe say how to train, and nothing is trained here; leave it out"
            raise UsageError(f"--set {field}: {fact}")
    for field in sorted(set(map(root, given)) - known.keys()):
        if suggestion := setting_for(field):
            raise UsageError(f"--set {field}: {suggestion}")
    with errors_beginning("--set: "):
        return changed(loaded, given)


def fields_of(settings: list[str] | None) -> dict[str, Any]:
    """The fields that `--set` gives, and their values; the last of a field holds, so that what
    `gridgen lint` advises can be put behind a command.
    """
    with errors_beginning("--set: "):
        return dict(map(_setting, settings or ()))


def setting_for(field: str) -> str | None:
    """How a field of a recipe is set, should `field` be one that no spec has."""
    from gridgen.training.recipe import Recipe  # takes seconds, so only where something is wrong

    field = SYNONYMS.get(field, field)
    if field not in Recipe.model_fields:
        return None
    return f"a field of the recipe; gridgen train takes --set {RECIPE}.{field}=..."


def parted(settings: list[str] | None) -> tuple[list[str], dict[str, Any]]:
    """Settings of the spec, and those of the recipe by the names of its fields.

    >>> parted(["recipe.epochs=3", "classes=2"])
    (['classes=2'], {'epochs': 3})
    """
    first = f"{RECIPE}."
    if any(each.startswith(f"{RECIPE}=") for each in settings or ()):
        fact = "its fields are set one by one"
        raise UsageError(f"--set {RECIPE}: {fact}: --set {RECIPE}.epochs=3")
    of_recipe = [each for each in settings or () if each.startswith(first)]
    of_spec = [each for each in settings or () if not each.startswith(first)]
    return of_spec, {n.removeprefix(first): v for n, v in fields_of(of_recipe).items()}


def _setting(text: str, example: str = "classes=2") -> tuple[str, Any]:
    """Field and value of `FIELD=VALUE`; the value is YAML."""
    name, equals, value = text.partition("=")
    if not (equals and re.fullmatch(r"[a-z][a-z0-9_.]*[a-z0-9]", name)):
        raise SpecError(f"{text!r} is not a setting; write FIELD=VALUE, such as {example}")
    return name, Source.parse(f"value: {value}", text).data["value"]


def policy_of(settings: list[str] | None) -> str | None:
    """The size policy that `--set size=...` gives a trained network, of which nothing else can be
    set.
    """
    with errors_beginning("--set: "):
        given = dict(_setting(each, "size=pad") for each in settings or ())
    others = given.keys() - {"size"}
    if others:
        raise UsageError(f"--set: only size can be set on a trained network, not {min(others)}")
    size = given.get("size")
    return None if size is None else str(size)


def given(**options: Any) -> dict[str, Any]:
    """Those options that are given."""
    return {name: value for name, value in options.items() if value is not None}


def require_suffix(output: Path | None, suffix: str, file: str) -> None:
    """Refuse a name that does not say what is written, before anything is computed."""
    if output is not None and not ends_in(output, suffix):
        raise UsageError(f"-o: {output} does not end in {suffix}, as {file} must")


def output_name(spec: str, grid: Grid) -> str:
    """What files made from a spec are called: after the file and the topology."""
    stem, title = Path(split(spec)[0]).stem, grid.spec.title
    return title if stem == title else f"{stem}-{title}"


def size_of(text: str | None) -> Size | None:
    """The sides in what `--size` says."""
    with errors_beginning("--size: "):
        return None if text is None else read_size(text)


def describe(grid: Grid) -> list[tuple[str, str]]:
    """The first lines of every command about a grid."""
    name, spec = grid.spec.title, grid.spec
    kept = f"{name}: {len(grid.connections)} of {len(grid.full.connections)} connections"
    what = "topology" if isinstance(spec, GridSpec) else "network"
    rows = [("grid", spec.shape), (what, kept)]
    if isinstance(spec, GridSpec) and name in DESCENDING:
        rows.append(("", Descent(spec).shape))
    if name in NOTES:
        rows.append(("", NOTES[name]))
    if grid.sides:
        sides = ", ".join(f"{side.channels} channels at {side.target}" for side in grid.sides)
        rows.append(("side inputs", sides))
    if grid.dead_ends:
        dead = ", ".join(connection.name for connection in grid.dead_ends)
        rows.append(("removed", f"{dead} (on no path from input to output)"))
    return rows


def wrapped(text: str, margin: str = "  ") -> str:
    """Words on lines that fit, those after the first behind a margin; a word is never broken."""
    return "\n".join(_lines(text, WIDTH, margin))


def _lines(text: str, width: int, margin: str) -> list[str]:
    wrapper = TextWrapper(
        width, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )
    return wrapper.wrap(text)


def print_rows(rows: list[tuple[str, str]]) -> None:
    """Print label and value in two columns."""
    width = max(len(label) for label, _ in rows) + 2
    for label, value in rows:
        print(f"{label:<{width}}{value}")


def print_wrapped_rows(rows: list[tuple[str, str]]) -> None:
    """The same, a value that is longer than the line on several of them."""
    room = WIDTH - max(len(label) for label, _ in rows) - 2
    shown = []
    for label, value in rows:
        margin = " " * (len(value) - len(value.lstrip()))
        first, *others = _lines(value, room, margin) or [""]
        shown += [(label, first), *(("", line) for line in others)]
    print_rows(shown)


def print_json(value: Any) -> None:
    """Print plain values as JSON."""
    print(json.dumps(value, indent=2))


@contextmanager
def progress(what: str) -> Iterator[OnProgress]:
    """A bar on stderr, moved by calling what this yields with (done, total)."""
    from rich.progress import Progress

    # Without a terminal nothing is drawn, so logs hold no control characters.
    with Progress(console=console(), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
