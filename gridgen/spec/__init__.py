"""What a user writes: YAML files, checked, with errors that show the line. Builds nothing."""

from gridgen.spec.columns import Column, as_written, shorten
from gridgen.spec.document import Document
from gridgen.spec.gridspec import GridSpec
from gridgen.spec.network import (
    Classes,
    CustomTopology,
    Dimensions,
    DraftSpec,
    InChannels,
    NetworkSpec,
    SizePolicy,
)
from gridgen.spec.source import Source
