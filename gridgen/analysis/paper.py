"""The two approximations of section 3.2, as printed. Never corrected; see `closed_form`.

Both speak of the full grid with the paper's units whose channels double from stream to stream;
they know nothing of topologies, biases, BN, stem or head. Plain ints or arrays (`exact.py`).
"""

from functools import partial

from gridgen.analysis.exact import Whole, exact

_guarded = partial(exact, zero=("sub", "up"))  # one stream may have columns of one kind only


@_guarded
def parameters(streams: Whole, base_channels: Whole, sub: Whole, up: Whole) -> Whole:
    """nb_param ~ 18 * 2^(2 (N_S - 1)) * F_0^2 * (2.5 N_Cs + N_Cu - 2)."""
    return 9 * base_channels**2 * 4 ** (streams - 1) * (5 * sub + 2 * up - 4)


@_guarded
def activations(base_channels: Whole, sub: Whole, up: Whole, height: Whole, width: Whole) -> Whole:
    """nb_activ ~ 6 H_0 W_0 F_0 (4 N_Cu + 3 N_Cs - 2)."""
    return 6 * height * width * base_channels * (4 * up + 3 * sub - 2)
