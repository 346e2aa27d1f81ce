"""A network as one Python file: text, classes, forward pass, sizes, the whole module."""

from gridgen.export.source.module import source_of as source_of
