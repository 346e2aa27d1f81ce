"""Exact counts of the paper's full grid as formulas, without a grid.

For GridNet(N_S, F_0, s, u) with the paper's units, stem and head: s sub columns, then u up
columns, channels doubling, sum fusion, lateral identities. Plain integer arithmetic. Proven
equal to the sum over the Grid in the tests.
"""


def grid_parameters(streams: int, base_channels: int, sub: int, up: int) -> int:
    """Weights, biases and BN of all units.

    A residual unit has 18 F^2 + 6 F, a subsampling unit 54 F_i^2 + 10 F_i (F_i its input), an
    upsampling unit 27 F_i^2 + 8 F_i (F_i its output); sum F_i^2 over n streams is a geometric
    series of ratio 4, sum F_i one of ratio 2.
    """
    laterals, squares, f = sub + up - 1, 1 << 2 * streams, base_channels
    weights = 6 * (squares - 1) * laterals + (squares // 4 - 1) * (18 * sub + 9 * up)
    biases = 6 * ((1 << streams) - 1) * laterals + ((1 << (streams - 1)) - 1) * (10 * sub + 8 * up)
    return f * f * weights + f * biases


def stem_parameters(base_channels: int, in_channels: int) -> int:
    """BN on the image, two convolutions with BN: 9 n F + 9 F^2 + 6 F + 2 n."""
    f, n = base_channels, in_channels
    return 9 * n * f + 9 * f * f + 6 * f + 2 * n


def head_parameters(base_channels: int, classes: int) -> int:
    """Two transposed convolutions with BN: 9 F K + 9 K^2 + 6 K."""
    f, k = base_channels, classes
    return 9 * f * k + 9 * k * k + 6 * k


def parameters(
    streams: int, base_channels: int, sub: int, up: int, in_channels: int, classes: int
) -> int:
    """The whole network.

    >>> parameters(streams=5, base_channels=16, sub=3, up=3, in_channels=3, classes=19)
    13181097
    """
    return (
        stem_parameters(base_channels, in_channels)
        + grid_parameters(streams, base_channels, sub, up)
        + head_parameters(base_channels, classes)
    )


def grid_activations(
    streams: int, base_channels: int, sub: int, up: int, height: int, width: int
) -> int:
    """Outputs of the six layers of every unit; height and width multiples of 2^(N_S - 1).

    With A_0 = F_0 H W, stream i holds A_0 / 2^i. A residual unit has 6 such tensors, a
    subsampling unit 2 of its input and 4 of half that, an upsampling unit 2 of its input and 4 of
    twice that: A_0 [6 (2 - 2^(1-N)) (s + u - 1) + (2 - 2^(2-N)) (4 s + 5 u)].
    """
    top = 1 << (streams - 1)
    area = base_channels * height * width // top
    return area * (6 * (2 * top - 1) * (sub + up - 1) + 2 * (top - 1) * (4 * sub + 5 * up))


def grid_macs(streams: int, base_channels: int, sub: int, up: int, height: int, width: int) -> int:
    """F_0^2 H W [18 N_S (s + u - 1) + 13.5 (N_S - 1) (s + u)]: every stream costs the same."""
    laterals = 36 * streams * (sub + up - 1)
    verticals = 27 * (streams - 1) * (sub + up)
    return base_channels * base_channels * height * width * (laterals + verticals) // 2
