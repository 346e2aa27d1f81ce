"""The forward pass of a source file: a line for each feature map, column by column."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from gridgen.export.source.text import WIDTH, Code, Sum, call, deletion, listed, statement
from gridgen.grid import Connection, FeatureMap, Grid
from gridgen.grid.grid import Side
from gridgen.memory.min_memory_order import min_memory_order
from gridgen.program.compiler import column_order, join_at

BODY = 8
"""Columns by which the body of a method is indented."""


def forward_lines(grid: Grid, fitted: str) -> Iterator[str]:
    """The lines that compute the maps from the images called `fitted`, up to the logits.

    For memory in evaluation, what was named on the way is deleted after its only use, and maps that
    are read no more at the end of each column.
    """
    evaluated = {each[0].target: each for each in min_memory_order(grid).arrivals}
    yield from _input_map(grid, fitted)
    left = [grid.input]
    for column, steps in groupby(column_order(grid), key=lambda step: step[0].target.column):
        yield ""
        yield f"{' ' * BODY}# Column {column}"
        for step in steps:
            target = step[0].target
            yield from _map(grid, target, step, evaluated[target])
            left.append(target)
        read = {each for later in grid if later.target.column > column for each in later.inputs}
        gone = [each for each in left if each not in read and each != grid.output]
        left = [each for each in left if each not in gone]
        if gone:
            yield from deletion([each.name for each in gone], BODY)
    yield ""


def _input_map(grid: Grid, fitted: str) -> Iterator[str]:
    name = grid.input.name
    stem = call("self.stem", fitted) if grid.stem else fitted
    yield from statement(stem, BODY, f"{name} = ")
    if fitted != "images":
        yield from deletion([fitted], BODY)
    yield from _own_layers(grid, grid.input, name)


def _map(
    grid: Grid, target: FeatureMap, arrivals: Sequence[Connection], evaluated: Sequence[Connection]
) -> Iterator[str]:
    """The lines of one map: what arrives is joined, then come its own layers and its features."""
    name, join = target.name, join_at(grid, target)
    if join == "sum":
        # In the order of evaluation: three numbers have another sum in another order.
        arrivals = evaluated
        if len(arrivals) == 2 and len(_terms(arrivals[1])) > 1 == len(_terms(arrivals[0])):
            # Two have the same sum in both orders; a sum that comes first needs no brackets.
            arrivals = arrivals[::-1]
    found, named = [_terms(each) for each in arrivals], []
    for number, (arrival, terms) in enumerate(zip(arrivals, found, strict=True)):
        if len(terms) > 1 and (number or join != "sum"):
            yield from _sum(arrival.name, terms)
            found[number] = [arrival.name]
            named.append(arrival.name)
    terms = [term for each in found for term in each]
    if join == "sum":
        yield from _sum(name, terms)
    elif join == "concat":
        yield from statement(call("torch.cat", listed(*terms), "1"), BODY, f"{name} = ")
    else:
        joined = call("weighted_sum", f'self.weights["{name}"]', listed(*terms))
        yield from statement(joined, BODY, f"{name} = ")
    if named:
        yield from deletion(named, BODY)
    yield from _own_layers(grid, target, name)
    for side in grid.sides:
        if side.target == target:
            yield from _entering(grid, side)


def _own_layers(grid: Grid, target: FeatureMap, name: str) -> Iterator[str]:
    if grid.fusion_layers(target):
        yield from statement(call(f'self.fusions["{name}"]', name), BODY, f"{name} = ")


def _sum(name: str, terms: list[Code]) -> Iterator[str]:
    """The lines of a sum: one if it fits, two statements of two long terms, a line each of more.

    Black would break two terms inside the brackets of the last one, which is hard to read.
    """
    total = Sum(tuple(terms))
    if len(terms) == 2 and len(f"{name} = {total}") + BODY > WIDTH:
        yield from statement(terms[0], BODY, f"{name} = ")
        terms = [name, terms[1]]
    yield from statement(Sum(tuple(terms)) if len(terms) > 1 else terms[0], BODY, f"{name} = ")


def _terms(connection: Connection) -> list[Code]:
    """What arrives by a connection: the identity, where it is added here, and the unit."""
    name, source = connection.name, connection.source.name
    given = [each.name for each in connection.inputs]
    unit = call(f'self.units["{name}"]', *given) if connection.unit else source
    if connection.shortcut is None or (connection.shortcut == () and connection.unit):
        return [unit]
    identity = call(f'self.shortcuts["{name}"]', source) if connection.shortcut else source
    return [identity, unit]


def _entering(grid: Grid, side: Side) -> Iterator[str]:
    """Features that enter beside the image, where they are given."""
    name, place = side.target.name, grid.full.sides.index(side)
    entered = call(f'self.sides["{name}"]', f"given[{place}]")
    yield f"{' ' * BODY}if given[{place}] is not None:"
    yield from statement(Sum((name, entered)), BODY + 4, f"{name} = ")
