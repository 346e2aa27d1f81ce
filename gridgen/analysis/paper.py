"""The two approximations of section 3.2, as printed. Never corrected; see `closed_form.py`.

Both speak of the full grid with the paper's units whose channels double from stream to stream;
they know nothing of topologies, biases, BN, stem or head.
"""


def parameters(streams: int, base_channels: int, sub: int, up: int) -> int:
    """nb_param ~ 18 * 2^(2 (N_S - 1)) * F_0^2 * (2.5 N_Cs + N_Cu - 2)."""
    squares = base_channels * base_channels << 2 * (streams - 1)
    return 9 * squares * (5 * sub + 2 * up - 4)


def activations(base_channels: int, sub: int, up: int, height: int, width: int) -> int:
    """nb_activ ~ 6 H_0 W_0 F_0 (4 N_Cu + 3 N_Cs - 2)."""
    return 6 * height * width * base_channels * (4 * up + 3 * sub - 2)
