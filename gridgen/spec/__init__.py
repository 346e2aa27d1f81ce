"""What a user writes: YAML files, checked, with errors that show the line. Builds nothing."""

from gridgen.spec.document import Document
from gridgen.spec.gridspec import Column, CustomTopology, GridSpec, shorten
from gridgen.spec.source import Source

__all__ = ["Column", "CustomTopology", "Document", "GridSpec", "Source", "shorten"]
