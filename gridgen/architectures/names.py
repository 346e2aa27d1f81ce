"""The architectures by name. Add one as a file and a line here."""

from gridgen.architectures.unet_2015 import Unet2015
from gridgen.grid import Architecture

ARCHITECTURES: dict[str, type[Architecture]] = {
    "unet-2015": Unet2015,
}
