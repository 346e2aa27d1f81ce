"""The classes of a source file: parts that are alike but for their channels share one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gridgen.emit.lowering import reads_auxiliary
from gridgen.export.source.calls import OfBlock, counts_in, likeness, named, written
from gridgen.export.source.text import Brackets, Code, call, docstring, statement
from gridgen.grid import Connection, Grid
from gridgen.grid.layers import Layers, Residual
from gridgen.program.modules import ModuleCall, Modules, modules_of

UNITS = {"lateral": "LateralUnit", "subsampling": "SubsamplingUnit", "upsampling": "UpsamplingUnit"}
GROUPS = {
    "stem": "Stem",
    "sides": "SideLayers",
    "shortcuts": "Projection",
    "fusions": "FusionLayers",
    "head": "Head",
}
"""The class of each group of parts but the units."""
BLOCK = "Block"


@dataclass(frozen=True)
class Part:
    """A sequence of layers with weights of its own, and what its class does beside running them.

    `identity`: it adds its input, as it is. `projected`: the network adds a projection of it.
    `dropout` is the probability of total dropout.
    """

    name: str
    title: str
    layers: Layers
    identity: bool = False
    projected: bool = False
    dropout: float = 0.0

    @cached_property
    def modules(self) -> Modules:
        """The modules that torch makes of the layers."""
        return modules_of(self.layers)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """All numbers of channels, in the order in which they are written."""
        return tuple(count.number for count in counts_in(self.modules))

    @property
    def likeness(self) -> str:
        """Equal for parts of one class."""
        how = self.title, self.identity, self.projected, self.dropout
        return f"{how} {likeness(self.modules)}"


@dataclass
class PartClass:
    """A class, and the parts that are its instances."""

    name: str
    parts: list[Part] = field(default_factory=list)

    @property
    def parameters(self) -> dict[str, int]:
        """Names of the constructor's parameters, each with the place of a count that it stands for.

        Counts that are equal in all parts are one parameter; of a part alone none is.
        """
        columns = self._columns
        if len(self.parts) == 1 or not columns:
            return {}
        places = sorted({columns.index(column) for column in columns})
        return dict(zip(_names(columns, places), places, strict=True))

    @property
    def _columns(self) -> list[tuple[int, ...]]:
        """At each place of a count, the counts of all parts."""
        return list(zip(*(part.counts for part in self.parts), strict=True))

    def instance(self, counts: Sequence[str]) -> Brackets:
        """The call that makes a part of these counts."""
        return call(self.name, *(counts[place] for place in self.parameters.values()))

    def text(self, of_block: OfBlock) -> Iterator[str]:
        """The lines of the class."""
        part = self.parts[0]
        auxiliary = reads_auxiliary(part.modules)
        yield f"class {self.name}({_base(part)}):"
        yield from docstring([_described(part)], 4)
        yield ""
        given = [f"{name}: int" for name in self.parameters]
        yield from statement(call("def __init__", "self", *given), 4, after=" -> None:")
        inside = named(part.modules, iter(self._written(part)))
        # Of a block the class itself is the module, and is given what the module is given.
        made = written(inside[0], lambda _: None).items if part.title == BLOCK else None
        items: Iterable[Code] = made or [written(module, of_block) for module in inside]
        yield from statement(call("super().__init__", *items), 8)
        if part.identity or part.dropout:
            yield ""
            yield from _forward(part, auxiliary)

    def _written(self, part: Part) -> list[str]:
        """What stands for each count: a parameter's name, or the number itself."""
        names, columns = {place: name for name, place in self.parameters.items()}, self._columns
        if not names:
            return [str(count) for count in part.counts]
        return [names[columns.index(column)] for column in columns]


def _names(columns: Sequence[tuple[int, ...]], places: Sequence[int]) -> list[str]:
    """Names of parameters: the first and the last count are those of what enters and leaves."""
    first, last = places[0], columns.index(columns[-1])
    if first == last:
        return ["channels", *_hidden(len(places) - 1)]
    hidden = iter(_hidden(len(places) - 2))
    ends = {first: "channels_in", last: "channels_out"}
    return [ends[place] if place in ends else next(hidden) for place in places]


def _hidden(number: int) -> list[str]:
    return [f"hidden_{index}" if number > 1 else "hidden" for index in range(1, number + 1)]


@dataclass
class SourceClasses:
    """All classes of a source file: those of residual blocks that occur twice, and of the parts."""

    blocks: dict[str, PartClass]
    parts: dict[str, PartClass]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> "SourceClasses":
        """The classes of these parts."""
        blocks = _classes(block for part in parts for block in _blocks(part.layers))
        often = (each for each in blocks.values() if len(each.parts) > 1)
        renamed = {}
        for number, block in enumerate(often, 1):
            block.name = f"{BLOCK}{number if number > 1 else ''}"
            renamed[likeness(block.parts[0].modules)] = block
        return cls(renamed, _classes(parts))

    def instance(self, part: Part) -> Brackets:
        """The call that makes a part."""
        return self.parts[part.likeness].instance([str(count) for count in part.counts])

    def texts(self) -> Iterator[str]:
        """The classes in an order in which each is defined before it is used."""
        for each in (*self.blocks.values(), *self.parts.values()):
            yield "\n".join(each.text(self._block))

    def _block(self, module: ModuleCall) -> Brackets | None:
        block = self.blocks.get(likeness((module,)))
        counts = [getattr(count, "text", "") for count in counts_in((module,))]
        return block.instance(counts) if block else None


def _classes(parts: Iterable[Part]) -> dict[str, PartClass]:
    """Classes by the likeness of their parts; names are numbered where a title has several."""
    classes: dict[str, PartClass] = {}
    by_title: dict[str, int] = {}
    for part in parts:
        key = part.likeness
        if key not in classes:
            by_title[part.title] = number = by_title.get(part.title, 0) + 1
            classes[key] = PartClass(part.title + (str(number) if number > 1 else ""))
        classes[key].parts.append(part)
    return classes


def _blocks(layers: Layers) -> Iterator[Part]:
    """The residual blocks in a sequence of layers."""
    for layer in layers:
        if isinstance(layer, Residual):
            yield Part("", BLOCK, (layer,))


def parts_of(grid: Grid) -> Iterator[Part]:
    """The parts of a network, in the order in which it registers them."""
    units = {f"units.{each.name}": each for each in grid}
    for name, layers in grid.parts():
        if name in units:
            yield _unit(name, units[name])
        elif layers:
            yield Part(name, GROUPS[name.partition(".")[0]], layers)


def _unit(name: str, connection: Connection) -> Part:
    return Part(
        name,
        UNITS[connection.kind],
        connection.unit,
        identity=connection.shortcut == (),
        projected=bool(connection.shortcut),
        dropout=connection.dropout,
    )


def _base(part: Part) -> str:
    """The class of which that of a part is a kind."""
    if part.title == BLOCK:
        return "ResidualBlock"
    return "SequentialWithAuxiliary" if reads_auxiliary(part.modules) else "nn.Sequential"


def _described(part: Part) -> str:
    """What a class computes, in words."""
    layers = part.layers
    if isinstance(layers[0], Residual) and part.title == BLOCK:
        layers = layers[0].layers
    words = ", ".join("residual block" if isinstance(x, Residual) else x.words for x in layers)
    if part.identity or part.title == BLOCK:
        words = f"the input and what is added to it: {words}"
    drop = f" Total dropout leaves it out of {100 * part.dropout:g}% of training steps."
    return f"{words[0].upper()}{words[1:]}.{drop if part.dropout else ''}"


def _forward(part: Part, auxiliary: bool) -> Iterator[str]:
    """The method of a unit that adds the identity, or that may be left out."""
    more = ", auxiliary: Tensor" if auxiliary else ""
    ignored = "  # type: ignore[override]" if auxiliary else ""
    yield f"    def forward(self, x: Tensor{more}) -> Tensor:{ignored}"
    if part.dropout:
        # Drawn as GridNetwork draws: on the CPU, once for the whole batch.
        yield f"        if self.training and torch.rand(()).item() < {part.dropout!r}:"
        yield f"            return {_left_out(part)}"
    if auxiliary:
        yield "        change = super().forward(x, auxiliary)"
    else:
        # The forward method of nn.Sequential has no types.
        yield "        change = x"
        yield "        for layer in self:"
        yield "            change = layer(change)"
    yield f"        return {'x + ' * part.identity}change"


def _left_out(part: Part) -> str:
    """What stands for a unit that is left out."""
    if part.identity:
        return "x"
    # Of another shape than the input; added to the identity, one zero is as good as all.
    return "x.new_zeros(())" if part.projected else "torch.zeros_like(x)"
