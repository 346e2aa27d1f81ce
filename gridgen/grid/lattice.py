"""The paper's lattice: the rule that lays connections out over streams and columns."""

from collections.abc import Iterator

from gridgen.grid.grid import FeatureMap
from gridgen.grid.units import Kind
from gridgen.spec import GridSpec

Link = tuple[Kind, FeatureMap, FeatureMap]


def paper_lattice(spec: GridSpec) -> Iterator[Link]:
    """Section 3, figure 1: along each stream, down in sub columns, up in up columns.

    Laterals lead from column j-1 to j, so column 0 has none; vertical connections stay inside
    their column. A grid has N_S (s + u - 1) lateral and (N_S - 1)(s + u) vertical connections.
    """
    for j, column in enumerate(spec.columns):
        for i in range(spec.streams):
            if j > 0:
                yield "lateral", FeatureMap(i, j - 1), FeatureMap(i, j)
            if column == "sub" and i > 0:
                yield "subsampling", FeatureMap(i - 1, j), FeatureMap(i, j)
            if column == "up" and i + 1 < spec.streams:
                yield "upsampling", FeatureMap(i + 1, j), FeatureMap(i, j)
