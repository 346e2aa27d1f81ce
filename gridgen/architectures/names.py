"""The architectures by name. Add one as a file and a line here."""

from gridgen.architectures.bifpn import Bifpn
from gridgen.architectures.deconvnet import DeconvNet
from gridgen.architectures.deeplab_trellis import DeeplabTrellis
from gridgen.architectures.dilated import Dilated
from gridgen.architectures.fcn_8s import Fcn8s
from gridgen.architectures.fpn import Fpn
from gridgen.architectures.frrn import Frrn
from gridgen.architectures.hourglass import StackedHourglass
from gridgen.architectures.hrnet import Hrnet
from gridgen.architectures.neural_fabric import NeuralFabric
from gridgen.architectures.panet import Panet
from gridgen.architectures.preact_resnet import PreactResNet
from gridgen.architectures.pspnet import Pspnet
from gridgen.architectures.refinenet import RefineNet
from gridgen.architectures.unet_2015 import Unet2015
from gridgen.architectures.unet_plus_plus import UnetPlusPlus
from gridgen.grid import Architecture

ARCHITECTURES: dict[str, type[Architecture]] = {
    "fcn-8s": Fcn8s,
    "deconvnet": DeconvNet,
    "unet-2015": Unet2015,
    "refinenet": RefineNet,
    "stacked-hourglass": StackedHourglass,
    "frrn-a": Frrn,
    "frrn-b": Frrn,
    "preact-resnet": PreactResNet,
    "neural-fabric": NeuralFabric,
    "dilated": Dilated,
    "pspnet": Pspnet,
    "unet++": UnetPlusPlus,
    "hrnet": Hrnet,
    "fpn": Fpn,
    "panet": Panet,
    "bifpn": Bifpn,
    "deeplab-trellis": DeeplabTrellis,
}
