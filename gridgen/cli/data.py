"""`gridgen data`: read a dataset through, set up a folder as one, split off a val."""

import shlex
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridgen.cli.tables import TableRow, bar, print_table
from gridgen.cli.terminal import AsJson, print_json, print_rows, progress

if TYPE_CHECKING:
    from gridgen.data.check import Checked, DataFinding, Split
    from gridgen.data.folder import InitializedFolder

FAULTS = 1
MOST, SHOWN = 10, 3
"""Findings of one kind, and pairs of images, that are printed."""
BAR = 20

app = typer.Typer(help="Look at a dataset, set one up, split it.", rich_markup_mode=None)


@app.callback()
def _data() -> None:
    """Look at a dataset, set one up, split it."""


@app.command("check")
def check(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="The path of a folder, or a dataset's name.")
    ],
    as_json: AsJson = False,
) -> int:
    """Read every image and label; print what there is, what looks odd, and all that is wrong.

    The exit code is 0, or 1 where something is wrong that a training would refuse, or 2 where there
    is no such dataset.
    """
    from gridgen.data.check import check_data as read_through

    with progress("reading") as on_progress:
        checked = read_through(data, on_progress)
    if as_json:
        print_json(checked.as_json())
    else:
        _print(checked)
    return FAULTS if checked.faults else 0


@app.command("init")
def init(
    folder: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of images and labels.")],
    as_json: AsJson = False,
) -> None:
    """Find out how images and labels lie, and write classes.txt and dataset.yaml to the folder.

    Layouts of common tools are known; gridgen data check reads the result. Nothing is overwritten:
    where one of the two files is there already, it is kept, and the other made to suit it.
    """
    from gridgen.data.folder import init_data

    with progress("reading labels") as on_progress:
        found = init_data(folder, on_progress)
    if as_json:
        print_json(found.as_json())
    else:
        _print_found(found)


def _print_found(found: "InitializedFolder") -> None:
    from gridgen.data.folder.classes import generated_names
    from gridgen.data.folder.settings import CLASSES

    rows = [("layout", f"{found.layout}: {found.images}, {found.labels}")]
    for split, (images, labels) in found.splits.items():
        lacking = f", {images - labels:,} without a label" if images > labels else ""
        rows.append((split, f"{images:,} image{'s' * (images != 1)}{lacking}"))
    print_rows([*rows, ("labels", found.stored)])
    print()
    numbers = {meaning: number for number, meaning in found.values.items()}
    table: list[TableRow] = [("class", "id", "colour", "stored as")]
    for line in found.classes:
        is_class, colour = line.role == "class", f"#{bytes(line.colour).hex()}"
        identity = str(line.id) if is_class else "ignored"
        table.append((line.name, identity, colour, str(numbers.get(line.id, line.id))))
    for number, meaning in found.values.items():
        if meaning == "ignore":
            table.append(("", "ignored", "", str(number)))
    with_numbers = found.stored.startswith("ids")
    print_table(table if with_numbers else [row[:3] for row in table])
    print()
    for path in found.kept:
        print(f"kept   {path}, which was there")
    print(f"wrote  {', '.join(map(str, found.written))}")
    first = found.written[0]
    folder = shlex.quote(str(first.parent))
    if {line.name for line in found.classes} & {*generated_names(len(found.classes))}:
        print(f"next   name the classes in {first.with_name(CLASSES)}")
    print(f"next   gridgen data {'check' if 'val' in found.splits else 'split'} {folder}")


@app.command("split")
def split(
    folder: Annotated[
        str, typer.Argument(metavar="PATH", help="A folder of images and labels, without val.")
    ],
    val: Annotated[float, typer.Option(help="The share of images that val gets.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Another one gives another val.")] = 0,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX",
            help="Names whose first group is equal stay together, such as frames: '^[^_]+'.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also where there are a val or lists already.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a val for a folder that has none: lists of names, and dataset.yaml says so.

    No image is copied or moved. The lists follow from the names of images and the seed alone.
    """
    from gridgen.data.folder import split_data

    with progress("reading") as on_progress:
        made = split_data(folder, val, seed, group=group, force=force, on_progress=on_progress)
    if as_json:
        print_json(made.as_json())
        return
    print_rows([*made.rows(), ("next", f"gridgen data check {shlex.quote(folder)}")])


def _print(checked: "Checked") -> None:
    splits = [(split.name, _summary(split)) for split in checked.splits]
    print_rows([("dataset", checked.name), *splits, *_spec_rows(checked)])
    if any(split.labels for split in checked.splits):
        print()
        _print_classes(checked)
    _print_findings("odd", checked.remarks)
    _print_alike(checked)
    _print_findings("wrong", checked.faults)
    print()
    number, images = len(checked.faults), sum(split.images for split in checked.splits)
    print(f"{number or 'no'} fault{'s' * (number != 1)}, {images:,} images read")


def _spec_rows(checked: "Checked") -> list[tuple[str, str]]:
    """The fields of a spec that the data decides; none where images differ in their channels."""
    channels = {number for split in checked.splits for number, _ in split.depths}
    if len(channels) != 1 or not checked.classes:
        return []
    return [("spec", f"in_channels: {channels.pop()}, classes: {len(checked.classes)}")]


def _summary(split: "Split") -> str:
    """Images, sizes, channels and bits in a line."""
    parts = [f"{split.images:,} image{'s' * (split.images != 1)}"]
    if split.images:
        parts += [_sizes(split), _depths(split)]
    return ", ".join(parts)


def _sizes(split: "Split") -> str:
    from gridgen.data.folder.dataset import size_text

    sizes = sorted(split.sizes, key=lambda size: (size[0] * size[1], size))
    if len(sizes) == 1:
        return size_text(sizes[0])
    often = split.sizes.most_common(1)[0][0]
    ends = f"{size_text(sizes[0])} to {size_text(sizes[-1])}"
    return f"{len(sizes)} sizes from {ends}, most often {size_text(often)}"


def _depths(split: "Split") -> str:
    from gridgen.images.files import channel_text

    found = split.depths.most_common()
    shown = [f"{channel_text(c)}{f' of {bits} bits' if bits else ''}" for (c, bits), _ in found]
    if len(found) == 1:
        return shown[0]
    pairs = zip(shown, found, strict=True)
    return ", ".join(f"{number:,} with {text}" for text, (_, number) in pairs)


def _print_classes(checked: "Checked") -> None:
    """A row for each class: of each split its share of the labelled pixels, and images with it;
    the weight is that of train, or of the first split that has labels.
    """
    splits = sorted(
        (s for s in checked.splits if s.labels), key=lambda split: split.name != "train"
    )
    counted = [split.counts.frequencies() for split in splits]
    first, weights = counted[0], counted[0].weights()
    most = max(first.shares) or 1
    heads: TableRow = ("class", splits[0].name, "", "images", "weight")
    rows = [(*heads, *(text for split in splits[1:] for text in (split.name, "images")))]
    for index, name in enumerate(checked.classes):
        row = [name, f"{first.shares[index]:.2%}", bar(first.shares[index] / most, BAR)]
        row += [f"{first.images[index]:,}", f"{weights[index]:.2f}"]
        for other in counted[1:]:
            row += [f"{other.shares[index]:.2%}", f"{other.images[index]:,}"]
        rows.append(tuple(row))
    rows.append(("ignored", f"{splits[0].ignored:.2%}", "", "", "", *_ignored(splits[1:])))
    print_table(rows)


def _ignored(splits: "Sequence[Split]") -> list[str]:
    """The share of pixels that are ignored, of each split, and no number of images."""
    return [text for split in splits for text in (f"{split.ignored:.2%}", "")]


def _print_findings(title: str, findings: "tuple[DataFinding, ...]") -> None:
    for kind, group in groupby(sorted(findings, key=lambda f: f.kind), lambda f: f.kind):
        found = list(group)
        print(f"\n{title}: {kind}")
        for finding in found[:MOST]:
            print(f"  {finding.text}")
        if len(found) > MOST:
            print(f"  and {len(found) - MOST} more; --json has all")


def _print_alike(checked: "Checked") -> None:
    """Splits that show the same places, which makes a score on one of them look too good."""
    images = {split.name: split.images for split in checked.splits}
    for alike in checked.alike:
        said = f"{len(alike.pairs):,} of {images[alike.split]:,} images of {alike.split}"
        print("\nodd: alike")
        print(f"  {said} look like one of {alike.other}: a score on them is no test of new places")
        for one, other, likeness in alike.pairs[:SHOWN]:
            print(f"  {likeness:.2f}  {alike.split}/{one}, {alike.other}/{other}")
