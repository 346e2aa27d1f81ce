"""What a user writes: YAML files, checked, with errors that show the line. Builds nothing."""

from gridgen.spec.columns import Column as Column, as_written as as_written, shorten as shorten
from gridgen.spec.document import Document as Document
from gridgen.spec.gridspec import GridSpec as GridSpec
from gridgen.spec.network import (
    Classes as Classes,
    CustomTopology as CustomTopology,
    Dimensions as Dimensions,
    DraftSpec as DraftSpec,
    InChannels as InChannels,
    NetworkSpec as NetworkSpec,
    SizePolicy as SizePolicy,
)
from gridgen.spec.source import Source as Source
