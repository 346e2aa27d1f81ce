"""The formulas themselves. Bare: nothing keeps int64 arrays from wrapping round; see `exact.py`.

N is `streams`, F `base_channels` (F_0), s `sub`, u `up`, L = s + u - 1 the lateral units of a
stream, n `in_channels`, K `classes`. Over n streams the squares F_i^2 are a geometric series of
ratio 4, the F_i one of ratio 2. `biases` and `norms` say whether the convolutions' biases and the
scale and shift of the BN layers count.
"""

from gridgen.analysis.exact import Whole, require_nowhere
from gridgen.errors import SizeError


def grid_parameters(
    streams: Whole,
    base_channels: Whole,
    sub: Whole,
    up: Whole,
    *,
    biases: bool = True,
    norms: bool = True,
) -> Whole:
    """All units.

    A residual unit has 18 F^2 weights, 2 F biases and 4 F in BN; a subsampling unit 54 F_i^2,
    4 F_i and 6 F_i (F_i its input); an upsampling unit 27 F_i^2, 2 F_i and 6 F_i (F_i its output).
    """
    laterals, f = sub + up - 1, base_channels
    squares = 4 ** (streams - 1)
    weights = 6 * (4 * squares - 1) * laterals + (squares - 1) * (18 * sub + 9 * up)
    of_laterals = 2 * biases + 4 * norms
    of_verticals = (4 * biases + 6 * norms) * sub + (2 * biases + 6 * norms) * up
    top = 2 ** (streams - 1)
    return f * f * weights + f * ((2 * top - 1) * of_laterals * laterals + (top - 1) * of_verticals)


def stem_parameters(
    base_channels: Whole, in_channels: Whole, *, biases: bool = True, norms: bool = True
) -> Whole:
    """BN on the image, two convolutions with BN: 9 n F + 9 F^2 + 2 F + (2 n + 4 F)."""
    f, n = base_channels, in_channels
    return 9 * n * f + 9 * f * f + 2 * f * biases + (2 * n + 4 * f) * norms


def head_parameters(
    base_channels: Whole, classes: Whole, *, biases: bool = True, norms: bool = True
) -> Whole:
    """Two transposed convolutions with BN: 9 F K + 9 K^2 + 2 K + 4 K."""
    f, k = base_channels, classes
    return 9 * f * k + 9 * k * k + 2 * k * biases + 4 * k * norms


def parameters(
    streams: Whole,
    base_channels: Whole,
    sub: Whole,
    up: Whole,
    in_channels: Whole,
    classes: Whole,
    *,
    biases: bool = True,
    norms: bool = True,
) -> Whole:
    """The whole network: stem, grid and head."""
    return (
        stem_parameters(base_channels, in_channels, biases=biases, norms=norms)
        + grid_parameters(streams, base_channels, sub, up, biases=biases, norms=norms)
        + head_parameters(base_channels, classes, biases=biases, norms=norms)
    )


def grid_activations(
    streams: Whole, base_channels: Whole, sub: Whole, up: Whole, height: Whole, width: Whole
) -> Whole:
    """Outputs of the six layers of every unit. Errors: `SizeError` for sizes that do not halve.

    With A_0 = F_0 H W, stream i holds A_0 / 2^i. A residual unit has 6 such tensors, a
    subsampling unit 2 of its input and 4 of half that, an upsampling unit 2 of its input and 4 of
    twice that: A_0 [6 (2 - 2^(1-N)) (s + u - 1) + (2 - 2^(2-N)) (4 s + 5 u)].
    """
    require_multiples(streams, height, width)
    top = 2 ** (streams - 1)
    lowest = base_channels * (height // top) * width
    return lowest * (6 * (2 * top - 1) * (sub + up - 1) + 2 * (top - 1) * (4 * sub + 5 * up))


def activations(
    streams: Whole,
    base_channels: Whole,
    sub: Whole,
    up: Whole,
    in_channels: Whole,
    classes: Whole,
    height: Whole,
    width: Whole,
) -> Whole:
    """The whole network: stem H W (n + 6 F), grid, head 5 H W K. Errors: `SizeError`."""
    ends = in_channels + 6 * base_channels + 5 * classes
    grid = grid_activations(streams, base_channels, sub, up, height, width)
    return grid + height * width * ends


def grid_macs(
    streams: Whole, base_channels: Whole, sub: Whole, up: Whole, height: Whole, width: Whole
) -> Whole:
    """F_0^2 H W [18 N (s + u - 1) + 13.5 (N - 1) (s + u)]: every stream costs the same.

    Errors: `SizeError` for sizes that do not halve.
    """
    require_multiples(streams, height, width)
    laterals = 18 * streams * (sub + up - 1) * height * width
    # H W is even where there is a second stream; where there is none, the factor is 0.
    verticals = 27 * (streams - 1) * (sub + up) * (height * width // 2)
    return base_channels * base_channels * (laterals + verticals)


def macs(
    streams: Whole,
    base_channels: Whole,
    sub: Whole,
    up: Whole,
    in_channels: Whole,
    classes: Whole,
    height: Whole,
    width: Whole,
) -> Whole:
    """The whole network: stem 9 H W F (n + F), grid, head 9 H W K (F + K). Errors: `SizeError`."""
    f, k = base_channels, classes
    ends = 9 * f * (in_channels + f) + 9 * k * (f + k)
    return grid_macs(streams, f, sub, up, height, width) + height * width * ends


def require_multiples(streams: Whole, height: Whole, width: Whole) -> None:
    """Height and width halve from stream to stream without a rest. Errors: `SizeError`."""
    top = 2 ** (streams - 1)
    require_nowhere(
        height % top + width % top != 0,
        lambda n, *size: SizeError(
            f"Image is {size[0]}x{size[1]}; {n} streams need multiples of 2^{n - 1}"
        ),
        streams,
        height,
        width,
    )
