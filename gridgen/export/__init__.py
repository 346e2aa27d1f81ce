"""A network taken away: what other programs can use without gridgen."""

from gridgen.export.exporters import EXPORTERS, Exporter, Written, export_network, exporter_of
from gridgen.export.source import source_of
