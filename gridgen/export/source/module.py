"""One Python file that imports torch alone and computes what a grid's network computes."""

import inspect
import re
from collections.abc import Iterator

import yaml

from gridgen.analysis import count
from gridgen.analysis.sizes import SIDES, default_size
from gridgen.arguments import checked
from gridgen.emit import pieces
from gridgen.emit.lowering import READS_AUXILIARY
from gridgen.emit.network import CHANNELS_LAST, EPSILON
from gridgen.export.source.classes import Part, SourceClasses, parts_of
from gridgen.export.source.forward import BODY, forward_lines
from gridgen.export.source.sizes import POLICIES, policy_text, side_features
from gridgen.export.source.text import WIDTH, Brackets, Code, call, docstring, statement
from gridgen.grid import Grid, GridLike, as_grid
from gridgen.grid.layers import shape_text
from gridgen.spec import NetworkSpec
from gridgen.spec.document import yaml_text

NAME = "Network"
"""The class of the network."""
WEIGHTED = f'''\
def weighted_sum(weights: Tensor, maps: list[Tensor]) -> Tensor:
    """The maps by their shares of the weights (Tan et al. 2020, section 3.3)."""
    positive = weights.relu()
    shares = positive / (positive.sum() + {EPSILON!r})
    return torch.stack([share * x for share, x in zip(shares, maps)]).sum(0)
'''
PIECES = [
    name
    for name, each in vars(pieces).items()
    if getattr(each, "__module__", "") == pieces.__name__
]
"""The modules that torch lacks, in the order in which they are written."""


@checked
def source_of(grid: GridLike, weights: str = "weights.safetensors") -> str:
    """The network of a grid as one Python file that imports torch alone.

    `weights` is the file that its docstring says to load.

    Its class `Network` has the names of `GridNetwork` in its `state_dict`, so weights move both
    ways. In evaluation it gives the same numbers, to the last bit but where torch chooses another
    memory format for a map (docs/taking-away.md); with the same seed it begins with the same
    weights and leaves the same units out in training.

    >>> from gridgen import GridSpec
    >>> text = source_of(GridSpec(streams=2, columns="1+1", base_channels=4, classes=3))
    >>> [line for line in text.splitlines() if "map_1_0 =" in line]
    ['        map_1_0 = self.units["sub_1_0"](map_0_0)']
    """
    grid = as_grid(grid)
    parts = list(parts_of(grid))
    classes = SourceClasses.of(parts)
    body = [*_classes(grid, classes), "\n".join(_network(grid, parts, classes))]
    text = "\n\n\n".join(each.strip("\n") for each in body)
    imports = _imports(text)
    return "\n".join([*docstring(_told(grid, weights), 0), "", imports, "", "", text, ""])


def _told(grid: Grid, weights: str) -> Iterator[str]:
    """The paragraphs of the file's docstring."""
    spec, size = grid.spec, default_size(grid.spec)
    costs = count(grid, size)
    yield f"{spec.title}: {spec.shape}."
    sides = SIDES[spec.dimensions]
    yield (
        f"Images (N, {spec.in_channels}, {sides}) with values from 0 to 1 become (N, "
        f"{spec.classes}, {sides}). Written by gridgen; needs torch alone."
    )
    yield (
        f"    from safetensors.torch import load_file\n\n"
        f"    network = {NAME}()\n"
        f"    network.load_state_dict(load_file({weights!r}))\n"
        f"    answer = network.eval()(images)"
    )
    yield (
        f"{costs.parameters.total:,} parameters; for an image of {shape_text(size)}, "
        f"{costs.activations.total:,} activations and {costs.macs.total:,} multiply-accumulates."
    )
    yield "The spec:"
    yield "\n".join(f"    {line}" for line in _yaml(spec).splitlines())


def _yaml(spec: NetworkSpec) -> str:
    """The spec as YAML, a line for each field where it fits."""
    lines = []
    for field, value in spec.complete().items():
        line = yaml_text({field: value})
        short = len(line) <= WIDTH - 4
        lines.append(line if short else yaml.safe_dump({field: value}, sort_keys=False))
    return "".join(lines)


def _imports(text: str) -> str:
    lines = []
    if "Sequence[" in text:
        lines += ["from collections.abc import Sequence", ""]
    if "torch." in text:
        lines.append("import torch")
    lines.append("from torch import Tensor, nn")
    if "functional." in text:
        lines.append("from torch.nn import functional")
    return "\n".join(lines)


def _classes(grid: Grid, classes: SourceClasses) -> Iterator[str]:
    """The texts of functions and classes before the network."""
    if _refuses_sizes(grid.spec):
        yield policy_text(grid.spec)
    if grid.full.sides:
        yield inspect.getsource(side_features)
    if list(grid.fusion_weights()):
        yield WEIGHTED
    own = list(classes.texts())
    yield from _pieces("\n".join(own))
    yield from own


def _pieces(text: str) -> Iterator[str]:
    """Of the modules that torch lacks, those that a text names."""
    named = [name for name in PIECES if re.search(rf"\b{name}\b", text)]
    if "Unpool" in named:
        yield _constant("POOLING")
    for name in named:
        source = inspect.getsource(getattr(pieces, name))
        if name == "SequentialWithAuxiliary":
            reading = (each for each in named if each in READS_AUXILIARY)
            source = source.replace(" | ".join(READS_AUXILIARY), " | ".join(reading))
        yield source


def _constant(name: str) -> str:
    """The lines of a constant of `emit/pieces.py`, which ends where a line closes its brackets."""
    text = inspect.getsource(pieces)
    begin = text.index(f"{name} = ")
    return text[begin : text.index("\n}\n", begin) + 2]


def _network(grid: Grid, parts: list[Part], classes: SourceClasses) -> Iterator[str]:
    """The lines of the network's class."""
    yield f"class {NAME}(nn.Module):"
    yield from docstring([f"{grid.spec.title}: {grid.spec.shape}."], 4)
    yield ""
    yield "    def __init__(self) -> None:"
    yield "        super().__init__()"
    groups = dict.fromkeys(part.name.partition(".")[0] for part in parts)
    for group in (each for each in groups if each != "head"):
        yield from statement(_group(group, parts, classes), BODY, f"self.{group} = ")
    if weights := list(grid.fusion_weights()):
        entries = (f'"{name}": nn.Parameter(torch.ones({number}))' for name, number in weights)
        made = call("nn.ParameterDict", Brackets("{", tuple(entries), "}"))
        yield from statement(made, BODY, "self.weights = ")
    if grid.head:
        yield from statement(_group("head", parts, classes), BODY, "self.head = ")
    if layout := CHANNELS_LAST.get(grid.spec.dimensions):
        yield "        # Convolutions are faster with channels last, on a CPU and on tensor cores."
        ignored = "  # type: ignore[call-overload]"
        yield f"        self.to(memory_format={layout}){ignored}"
    yield ""
    yield from _forward(grid)


def _group(group: str, parts: list[Part], classes: SourceClasses) -> Code:
    """What makes a group of parts: a module, or a dictionary of them."""
    members = {part.name: classes.instance(part) for part in parts}
    if group in members:
        return members[group]
    entries = [
        Brackets(f'"{name.partition(".")[2]}": {made.opening}', made.items, made.closing)
        for name, made in members.items()
        if name.startswith(f"{group}.")
    ]
    return call("nn.ModuleDict", Brackets("{", tuple(entries), "}"))


def _forward(grid: Grid) -> Iterator[str]:
    """The lines of the forward pass, size policy included."""
    spec, given = grid.spec, ["self", "images: Tensor"]
    if grid.full.sides:
        given.append("features: Sequence[Tensor | None] | None = None")
    yield from statement(call("def forward", *given), 4, after=" -> Tensor:")
    yield from docstring([_what(grid)], 8)
    before, *after = (function.__name__ for function in POLICIES[spec.size])
    changes = _refuses_sizes(spec)
    fitted = "fitted" if changes else "images"
    if changes:
        yield f"        fitted = {before}(images, {spec.multiple}, {spec.least})"
    if sides := grid.full.sides:
        wanted = ", ".join(f"({x.channels}, {spec.stride << x.target.stream})" for x in sides)
        checked = call("side_features", "features", fitted, f"[{wanted}]")
        yield from statement(checked, BODY, "given = ")
    yield from forward_lines(grid, fitted)
    head = f"self.head({grid.output.name})" if grid.head else grid.output.name
    yield f"        logits: Tensor = {head}"
    yield (
        f"        return {after[0]}(logits, images.shape[2:])"
        if changes and after
        else ("        return logits")
    )


def _refuses_sizes(spec: NetworkSpec) -> bool:
    """True if there are sizes that the network cannot take, so that a policy is needed."""
    return spec.multiple > 1 or spec.least > 1


def _what(grid: Grid) -> str:
    """What enters and what leaves, and what is done for other sizes."""
    spec, sides = grid.spec, SIDES[grid.spec.dimensions]
    entering = f"(N, {spec.in_channels}, {sides}) -> (N, {spec.classes}, {sides})."
    if not grid.full.sides:
        return entering
    shapes = ", ".join(
        f"(N, {side.channels}, {sides} of the fitted images / {spec.stride << side.target.stream})"
        for side in grid.full.sides
    )
    return f"{entering} Features beside the image, each of which may be None: {shapes}."
