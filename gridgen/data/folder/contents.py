"""What labels store, and the classes that are made of it where nobody has listed them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gridgen.data.dataset import IGNORE, Colour
from gridgen.data.folder.classes import ClassLine, ClassList, generated_colours, generated_names
from gridgen.data.folder.known import ToldNames
from gridgen.data.folder.raster import colour_numbers
from gridgen.data.folder.settings import MOST_STORED, Meaning
from gridgen.errors import DataError
from gridgen.images.files import read_samples
from gridgen.text import brief

WHITE: Colour = (255, 255, 255)
BORDER: Colour = (224, 224, 192)
"""What no object is, in the colours of PASCAL VOC."""
FEWEST_GREYS, LIGHTEST = 6, 240
"""Of a mask that was smoothed: grey levels at least, and one above which is no id of a class."""
IGNORED = ("ignore", "ignored", "void", "unlabeled", "unlabelled")
"""Names of what is no class, in small letters."""


@dataclass
class Stored:
    """What labels store: numbers, or colours."""

    ids: set[int] = field(default_factory=set)
    colours: set[Colour] = field(default_factory=set)
    palette: dict[int, Colour] = field(default_factory=dict)
    """The colours of numbers, where files have a palette."""
    pixels: int = 0
    """Pixels that store numbers."""
    between: int = 0
    """Those of them that are neither 0 nor 255."""

    @property
    def smoothed(self) -> bool:
        """Whether this is a mask of black and white whose edges have got grey levels: few pixels
        of many numbers, up to the lightest or with gaps between them.
        """
        greys = {number for number in self.ids if 0 < number < IGNORE}
        many = len(greys) >= FEWEST_GREYS and {0, IGNORE} <= self.ids
        spread = many and (max(greys) > 2 * len(greys) or max(greys) > LIGHTEST)
        return spread and 4 * self.between < self.pixels


def add_label(stored: Stored, path: Path, *, coloured: bool) -> None:
    """Add what a label stores, and the colours of its palette if they matter.

    Errors: `DataError`.
    """
    header, samples = read_samples(path)
    palette = header.palette_colours
    if samples.shape[2] == 1 and samples.dtype.kind != "f":
        new = np.unique(samples).tolist()
        if new[-1] > MOST_STORED:
            fact = f"a label of the number {new[-1]}, which is beyond 64 bits with a sign"
            raise DataError(f"{path}: {fact}; save ids of classes")
        stored.ids.update(new)
        stored.pixels += samples.size
        stored.between += int(np.count_nonzero((samples != 0) & (samples != IGNORE)))
        if coloured:
            _add_palette(stored, {k: palette[k] for k in new if 0 <= k < len(palette)}, path)
    elif samples.shape[2] == 3 and samples.dtype == np.uint8:
        numbers = np.unique(colour_numbers(samples)).tolist()
        stored.colours.update((n >> 16, n >> 8 & 255, n & 255) for n in numbers)
    else:
        fact = f"a label of {samples.shape[2]} channels of {samples.dtype}"
        raise DataError(f"{path}: {fact}; save ids, or colours of 8 bits")
    for what, several in (("numbers", stored.ids), ("colours", stored.colours)):
        if len(several) > IGNORE + 1:
            fact = f"with it, labels store {len(several)} {what}, and {IGNORE} classes are the most"
            raise DataError(f"{path}: {fact}; save ids of classes, not of instances, and no JPEG")


def _add_palette(stored: Stored, palette: dict[int, Colour], path: Path) -> None:
    """Add the colours of numbers. Errors: `DataError` where one has another in an earlier file."""
    for number, colour in palette.items():
        if (earlier := stored.palette.setdefault(number, colour)) != colour:
            now, before = (f"#{bytes(each).hex()}" for each in (colour, earlier))
            fact = f"by its palette {number} is {now}, and {before} in a label before"
            raise DataError(f"{path}: {fact}; save all with one palette, or write classes.txt")


def of_ids(stored: Stored, told: ToldNames) -> tuple[list[ClassLine], dict[int, Meaning]]:
    """Lines of classes.txt and `values` of dataset.yaml for numbers in labels."""
    names = {key: told.colours[c] for key, c in stored.palette.items() if c in told.colours}
    names |= told.ids
    ignored = {key for key, name in names.items() if name.lower() in IGNORED}
    ignored |= marks(stored.ids - names.keys())
    numbers = sorted((stored.ids | told.ids.keys()) - ignored)
    defaults = generated_names(len(numbers))
    lines = class_lines(
        [names.get(number, defaults[index]) for index, number in enumerate(numbers)],
        {index: stored.palette.get(number) for index, number in enumerate(numbers)},
    )
    if numbers == list(range(len(numbers))):
        for count, number in enumerate(sorted(ignored)):
            name = names.get(number, "ignored" if not count else f"ignored {count}")
            lines.append(ClassLine(len(lines) + 1, number, name, WHITE, "ignore"))
        return lines, {}
    values: dict[int, Meaning] = {number: index for index, number in enumerate(numbers)}
    return lines, values | dict.fromkeys(sorted(ignored), "ignore")


def values_for(
    listed: ClassList, ids: set[int], lines: Sequence[ClassLine], values: Mapping[int, Meaning]
) -> dict[int, Meaning]:
    """`values` by which ids in labels become the classes that a list has already.

    None where the list has the ids; otherwise those that `of_ids` made, with as many classes.
    Errors: `ValueError`.
    """
    numbers = values or {line.id: line.id for line in lines if line.role == "class"}
    classes = {number for number, meaning in numbers.items() if meaning != "ignore"}
    if not (extra := ids - {*listed.ids}):
        return {}
    if not extra & classes:
        own: dict[int, Meaning] = {line.id: line.id for line in listed.classes}
        ignored = sorted(extra | ({*listed.ids} - own.keys()))
        return own | dict.fromkeys(ignored, "ignore")
    if len(classes) != len(listed.classes):
        shown = brief([str(number) for number in sorted(ids)], 8)
        fact = f"{len(listed.classes)} classes, but labels store {len(classes)}: {shown}"
        raise ValueError(f"{fact}; mend it, or remove it to have one made")
    return dict(values)


def marks(ids: set[int]) -> set[int]:
    """Those of the numbers that mark pixels without a class: negative ones, 255 and 65535.

    Not 255 where the numbers are grey levels, spread evenly from black to white.

    >>> marks({0, 1, 255}), marks({-1, 0, 1}), marks({0, 255}), marks({0, 128, 255})
    ({255}, {-1}, set(), set())
    """
    white, steps = max(ids, default=0), max(len(ids) - 1, 1)
    grey = [white * step / steps for step in range(len(ids))]
    even = all(abs(n - g) <= white / 255 for n, g in zip(sorted(ids), grey, strict=True))
    return {number for number in ids if number < 0 or (number in (255, 65535) and not even)}


def of_colours(stored: Stored, told: ToldNames) -> list[ClassLine]:
    """Lines of classes.txt for colours: those that are told first, in their order."""
    names = {colour: name for colour, name in told.colours.items() if name.lower() not in IGNORED}
    unnamed = sorted(stored.colours - told.colours.keys() - {BORDER})
    colours = [*names, *unnamed]
    defaults = generated_names(len(colours))
    lines = class_lines(
        [names.get(colour, defaults[index]) for index, colour in enumerate(colours)],
        dict(enumerate(colours)),
    )
    ignored = {colour: name for colour, name in told.colours.items() if colour not in names}
    if BORDER in stored.colours - told.colours.keys():
        ignored[BORDER] = "border"
    for count, (colour, name) in enumerate(ignored.items()):
        lines.append(ClassLine(len(lines) + 1, IGNORE + count, name, colour, "ignore"))
    return lines


def class_lines(names: Sequence[str], colours: dict[int, Colour | None]) -> list[ClassLine]:
    """A line for each class, in colours of their own where they have no others."""
    given = [colours.get(index) for index in range(len(names))]
    # Those of a palette may be one and the same, or belong to some of the numbers.
    chosen = given if None not in given and len({*given}) == len(given) else []
    shades = [c for c in chosen if c is not None] or generated_colours(len(names))
    return [
        ClassLine(index + 1, index, name, shades[index], "class")
        for index, name in enumerate(names)
    ]
