"""The colours that palettes of label files give to classes: where they contradict each other, or
classes.txt, numbers may stand for other classes in some of the files.
"""

from collections.abc import Iterable, Iterator, Mapping

from gridgen.data.dataset import Colour
from gridgen.data.folder import ClassList
from gridgen.data.folder.settings import Meaning
from gridgen.data.labelled import named
from gridgen.images.header import Header


class PaletteColours:
    """The colours that label files give to the classes which they show.

    `values` are those of dataset.yaml. A class that several numbers stand for is passed over.
    """

    def __init__(self, listed: ClassList, values: Mapping[int, Meaning] | None) -> None:
        self._classes = listed.classes
        meanings = {line.id: line.id for line in listed.classes} if values is None else values
        self._numbers = {
            line.id: numbers[0]
            for line in listed.classes
            if len(numbers := [n for n, meaning in meanings.items() if meaning == line.id]) == 1
        }
        self._seen: dict[int, dict[Colour, list[str]]] = {line.id: {} for line in listed.classes}

    def add(self, label: str, header: Header, shown: Iterable[int]) -> None:
        """Add the palette of the label called so, which shows these classes."""
        colours = header.palette_colours
        for identity in shown:
            number = self._numbers.get(identity)
            if number is not None and 0 <= number < len(colours):
                self._seen[identity].setdefault(colours[number], []).append(label)

    def remarks(self) -> Iterator[str]:
        """A line for each class whose colour differs, and for each that has that of another."""
        owners = {line.colour: line for line in self._classes}
        for line in self._classes:
            what, seen = f"{line.name}, stored as {self._numbers.get(line.id)}", self._seen[line.id]
            if len(seen) > 1:
                each = (f"{_hex(colour)} in {named(labels)}" for colour, labels in seen.items())
                yield f"{what}, has palettes that differ: {'; '.join(each)}"
            for colour, labels in seen.items():
                other = owners.get(colour, line)
                # A ramp of grey is no choice of colours, and its black that of no class.
                if other.id != line.id and colour != (self._numbers[line.id],) * 3:
                    said = f"{_hex(colour)}, in classes.txt the colour of {other.name}"
                    yield f"{what}, is by its palette {said}: {named(labels)}"


def _hex(colour: Colour) -> str:
    return f"#{bytes(colour).hex()}"
