"""Lattices: rules that lay connections out over streams and columns.

A rule yields pairs of feature maps; what a connection computes is not its affair. The paper's is
the first; published networks that are no subgraph of it share the others.
"""

from collections.abc import Iterator
from itertools import pairwise

from gridgen.grid.grid import FeatureMap
from gridgen.spec import GridSpec

Link = tuple[FeatureMap, FeatureMap]


def paper_lattice(spec: GridSpec) -> Iterator[Link]:
    """Section 3, figure 1: along each stream, down in sub columns, up in up columns.

    Laterals lead from column j-1 to j, so column 0 has none; vertical connections stay inside
    their column. A grid has N_S (s + u - 1) lateral and (N_S - 1)(s + u) vertical connections.
    """
    for j, column in enumerate(spec.columns):
        for i in range(spec.streams):
            if j > 0:
                yield FeatureMap(i, j - 1), FeatureMap(i, j)
            if column == "sub" and i > 0:
                yield FeatureMap(i - 1, j), FeatureMap(i, j)
            # The lowest stream has nothing below it: in an up column it has its lateral alone.
            if column == "up" and i + 1 < spec.streams:
                yield FeatureMap(i + 1, j), FeatureMap(i, j)


def trellis(streams: range, column: int, span: int) -> Iterator[Link]:
    """All links from column j-1 to j whose ends are at most `span` streams apart.

    Span 1 is the trellis of Saxena and Verbeek (2016) and of Liu et al. (2019), span N_S - 1 the
    exchange between all resolutions of Sun et al. (2019).
    """
    for target in streams:
        for source in streams:
            if abs(target - source) <= span:
                yield FeatureMap(source, column - 1), FeatureMap(target, column)


def chain(column: int, streams: range) -> Iterator[Link]:
    """Vertical links inside a column, in the order of `streams`."""
    for source, target in pairwise(streams):
        yield FeatureMap(source, column), FeatureMap(target, column)


def triangle(streams: int) -> Iterator[Link]:
    """The nested rows of Zhou et al. (2018): X(i, j) with j >= i, dense along each row.

    Sheared, so that going up stays inside a column and the way down is the diagonal: a map has
    links from every map before it in its row, and from the one below it in its column.
    """
    for column in range(streams):
        if column > 0:
            yield FeatureMap(column - 1, column - 1), FeatureMap(column, column)
        for stream in reversed(range(column)):
            for before in range(stream, column):
                yield FeatureMap(stream, before), FeatureMap(stream, column)
            yield FeatureMap(stream + 1, column), FeatureMap(stream, column)
