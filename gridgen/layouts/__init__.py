"""Weights files that others publish: what they call the layers of a network that is known here.

`layout.py` says what a layout is, `backbones.py` has those of pretrained classifiers, `whole.py`
those of whole networks, `converting.py` reads a file and makes a network of it.
"""

from gridgen.layouts.converting import (
    LAYOUTS as LAYOUTS,
    Converted as Converted,
    convert as convert,
)
