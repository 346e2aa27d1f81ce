"""Transposed convolutions that overlap unevenly."""

from collections.abc import Iterator

from gridgen.analysis.lints.case import Case
from gridgen.analysis.lints.finding import Finding, Fix
from gridgen.analysis.lints.places import placed_layers
from gridgen.grid.layers import Deconv
from gridgen.spec import GridSpec, NetworkSpec


def checkerboard(case: Case) -> Iterator[Finding]:
    """A transposed convolution whose kernel is not divisible by its stride.

    Of the outputs some are then reached by more weights than their neighbours, in a pattern that
    training has to undo (Odena, Dumoulin, Olah: Deconvolution and checkerboard artifacts, Distill
    2016). A kernel that the stride divides is even, but each place still has weights of its own;
    the fix is theirs, interpolation and convolution.
    """
    for place, layer, _ in placed_layers(case.grid, case.image):
        if isinstance(layer, Deconv) and layer.kernel % layer.stride:
            yield Finding("checkerboard", (place,), _fact(layer), _fix(case.grid.spec))


def _fact(layer: Deconv) -> str:
    kernel, stride = layer.kernel, layer.stride
    fewest, most = kernel // stride, -(-kernel // stride)
    *some, last = sorted({fewest**2, fewest * most, most**2})
    reached = f"reaches outputs with {', '.join(map(str, some))} or {last} weights"
    return f"a {kernel}x{kernel} transposed convolution of stride {stride} {reached}"


def _fix(spec: NetworkSpec) -> Fix:
    if isinstance(spec, GridSpec):
        return Fix("interpolate, then convolve", {"units.upsampling": "bilinear"})
    return Fix(f"interpolate, then convolve; no setting of {spec.title} does it")
