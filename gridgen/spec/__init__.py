"""What a user writes: YAML files, checked, with errors that show the line. Builds nothing."""

from gridgen.spec.document import Document
from gridgen.spec.gridspec import Column, GridSpec, shorten
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
