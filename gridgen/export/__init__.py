"""A network taken away: what other programs can use without gridgen."""

from gridgen.export.exporters import (
    EXPORTERS as EXPORTERS,
    Exporter as Exporter,
    Written as Written,
    export_network as export_network,
    exporter_of as exporter_of,
)
from gridgen.export.source import source_of as source_of
