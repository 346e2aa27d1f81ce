"""Exact counts of the paper's full grid as formulas, without a grid: the oracle of the tests, and
the source of every formula that a page shows.

For GridNet(N_S, F_0, s, u) with the paper's units, stem and head: s sub columns, then u up
columns, channels doubling, sum fusion, lateral identities. Derived in `docs/counting.md`, shown
equal to the sum over the Grid in the tests. Plain ints give ints, exact at any size; arrays of
whole numbers broadcast and give int64, or an error where a count is above 2^62 (`exact`).

N is `streams`, F `base_channels` (F_0), s `sub`, u `up`, L = s + u - 1 the lateral units of a
stream, n `in_channels`, K `classes`. Over n streams the squares F_i^2 are a geometric series of
ratio 4, the F_i one of ratio 2. `biases` and `norms` say whether the convolutions' biases and the
scale and shift of the BN layers count. `paper_parameters` and `paper_activations` are the paper's
own two approximations, for arrays too.

>>> parameters(streams=5, base_channels=16, sub=3, up=3, in_channels=3, classes=19)
13181097
>>> grid_macs(5, np.array([8, 16]), 3, 3, height=400, width=400)
array([ 7925760000, 31703040000])
"""

from collections.abc import Callable, Container, Mapping
from functools import wraps
from inspect import signature
from typing import Any, Protocol, overload

import numpy as np

from gridgen.errors import GridError, SizeError, TooLargeError

Whole = Any
"""A whole number: a plain int, or an array of whole numbers, which broadcast."""

MOST = 1 << 62
"""What a formula of arrays may come to: half of what int64 holds."""


class Exact(Protocol):
    """A formula of plain ints, or of arrays among them; its arguments are those of the formula."""

    @overload
    def __call__(self, *args: int, **named: int) -> int: ...
    @overload
    def __call__(self, *args: Whole, **named: Whole) -> Whole: ...


def exact(formula: Callable[..., Whole], zero: Container[str] = ()) -> Exact:
    """`formula`, guarded: of plain ints exact at any size, of arrays int64 or an error.

    Of arrays it is first computed in float64, which cannot wrap round, and in int64 only if it is
    nowhere above `MOST`. It must consist of +, -, * and **, which come back where they wrap round
    on the way, and of // where nothing is left over and the dividend is no more than the result.
    Keyword-only arguments are truths. Errors: `GridError` for arguments that are less than 1 (less
    than 0 for those in `zero`), not whole, or of shapes that do not broadcast; `TooLargeError`
    above `MOST`.

    >>> area = exact(lambda height, width: height * width)
    >>> area(1 << 40, 1 << 40) == 1 << 80, area(np.array([2, 3]), 4)
    (True, array([ 8, 12]))
    """
    bind = signature(formula).bind
    flags = formula.__kwdefaults__ or {}

    @wraps(formula)
    def guarded(*args: Whole, **named: Whole) -> Whole:
        values: tuple[Any, ...] = (*args, *named.values())
        plain = all(isinstance(value, int) for value in values)
        if plain and min(values, default=1) > 0:
            return formula(*args, **named)
        given = bind(*args, **named).arguments
        truths = {name: given.pop(name) for name in flags if name in given}
        wholes = given if plain else {name: _array(name, value) for name, value in given.items()}
        for name, value in wholes.items():
            _require_least(name, value, 0 if name in zero else 1)
        return formula(*args, **named) if plain else _of_arrays(formula, wholes, truths)

    return guarded


def _require_nowhere(wrong: Whole, say: Callable[..., Exception], *values: Whole) -> None:
    """Raise what `say` makes of the `values` at the first place where `wrong` is true."""
    if isinstance(wrong, bool):
        if wrong:
            raise say(*values)
    elif wrong.any():
        first = int(wrong.argmax())
        raise say(*(int(np.broadcast_to(value, wrong.shape).flat[first]) for value in values))


def _require_least(name: str, value: Whole, least: int) -> None:
    _require_nowhere(
        value < least, lambda wrong: GridError(f"{name} is {wrong}; give {least} at least"), value
    )


def _of_arrays(
    formula: Callable[..., Whole], arrays: Mapping[str, Whole], truths: Mapping[str, bool]
) -> Whole:
    """First in float64, then in int64. Errors: as `exact`."""
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items() if array.ndim)
        raise GridError(f"shapes do not broadcast: {shapes}; give equal ones, or ints") from None
    with np.errstate(over="ignore", invalid="ignore"):
        near = formula(**{name: array * 1.0 for name, array in arrays.items()}, **truths)
        if not np.all(np.abs(near) <= MOST):
            most = np.max(near)
            much = f"{most:.3g}" if np.isfinite(most) else f"more than {MOST:.3g}"
            raise TooLargeError(
                f"{formula.__name__.lstrip('_')} comes to {much}; arrays hold {MOST:.3g} at most. "
                "Give plain ints, which have no limit."
            )
        return formula(**arrays, **truths)


def _array(name: str, value: Whole) -> Whole:
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or np.any(array > MOST):
        raise GridError(f"{name} is of {array.dtype}; give whole numbers that int64 holds")
    return array.astype(np.int64)


def _grid_parameters(
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


def _stem_parameters(
    base_channels: Whole, in_channels: Whole, *, biases: bool = True, norms: bool = True
) -> Whole:
    """BN on the image, two convolutions with BN: 9 n F + 9 F^2 + 2 F + (2 n + 4 F)."""
    f, n = base_channels, in_channels
    return 9 * n * f + 9 * f * f + 2 * f * biases + (2 * n + 4 * f) * norms


def _head_parameters(
    base_channels: Whole, classes: Whole, *, biases: bool = True, norms: bool = True
) -> Whole:
    """Two transposed convolutions with BN: 9 F K + 9 K^2 + 2 K + 4 K."""
    f, k = base_channels, classes
    return 9 * f * k + 9 * k * k + 2 * k * biases + 4 * k * norms


def _parameters(
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
        _stem_parameters(base_channels, in_channels, biases=biases, norms=norms)
        + _grid_parameters(streams, base_channels, sub, up, biases=biases, norms=norms)
        + _head_parameters(base_channels, classes, biases=biases, norms=norms)
    )


def _grid_activations(
    streams: Whole, base_channels: Whole, sub: Whole, up: Whole, height: Whole, width: Whole
) -> Whole:
    """Outputs of the six layers of every unit. Errors: `SizeError` for sizes that do not halve.

    With A_0 = F_0 H W, stream i holds A_0 / 2^i. A residual unit has 6 such tensors, a
    subsampling unit 2 of its input and 4 of half that, an upsampling unit 2 of its input and 4 of
    twice that: A_0 [6 (2 - 2^(1-N)) (s + u - 1) + (2 - 2^(2-N)) (4 s + 5 u)].
    """
    _require_multiples(streams, height, width)
    top = 2 ** (streams - 1)
    lowest = base_channels * (height // top) * width
    return lowest * (6 * (2 * top - 1) * (sub + up - 1) + 2 * (top - 1) * (4 * sub + 5 * up))


def _activations(
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
    grid = _grid_activations(streams, base_channels, sub, up, height, width)
    return grid + height * width * ends


def _grid_macs(
    streams: Whole, base_channels: Whole, sub: Whole, up: Whole, height: Whole, width: Whole
) -> Whole:
    """F_0^2 H W [18 N (s + u - 1) + 13.5 (N - 1) (s + u)]: every stream costs the same.

    Errors: `SizeError` for sizes that do not halve.
    """
    _require_multiples(streams, height, width)
    laterals = 18 * streams * (sub + up - 1) * height * width
    # H W is even where there is a second stream; where there is none, the factor is 0.
    verticals = 27 * (streams - 1) * (sub + up) * (height * width // 2)
    return base_channels * base_channels * (laterals + verticals)


def _macs(
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
    return _grid_macs(streams, f, sub, up, height, width) + height * width * ends


def _paper_parameters(streams: Whole, base_channels: Whole, sub: Whole, up: Whole) -> Whole:
    """nb_param ~ 18 * 2^(2 (N_S - 1)) * F_0^2 * (2.5 N_Cs + N_Cu - 2), section 3.2 as printed."""
    return 9 * base_channels**2 * 4 ** (streams - 1) * (5 * sub + 2 * up - 4)


def _paper_activations(
    base_channels: Whole, sub: Whole, up: Whole, height: Whole, width: Whole
) -> Whole:
    """nb_activ ~ 6 H_0 W_0 F_0 (4 N_Cu + 3 N_Cs - 2), section 3.2 as printed."""
    return 6 * height * width * base_channels * (4 * up + 3 * sub - 2)


def _require_multiples(streams: Whole, height: Whole, width: Whole) -> None:
    """Height and width halve from stream to stream without a rest. Errors: `SizeError`."""
    top = 2 ** (streams - 1)
    _require_nowhere(
        height % top + width % top != 0,
        lambda n, *size: SizeError(
            f"Image is {size[0]}x{size[1]}; {n} streams need multiples of 2^{n - 1}"
        ),
        streams,
        height,
        width,
    )


grid_parameters = exact(_grid_parameters)
stem_parameters = exact(_stem_parameters)
head_parameters = exact(_head_parameters)
parameters = exact(_parameters)
grid_activations = exact(_grid_activations)
activations = exact(_activations)
grid_macs = exact(_grid_macs)
macs = exact(_macs)

# One stream may have columns of one kind only.
paper_parameters = exact(_paper_parameters, zero=("sub", "up"))
paper_activations = exact(_paper_activations, zero=("sub", "up"))

FORMULAS = (
    "grid_parameters",
    "stem_parameters",
    "head_parameters",
    "parameters",
    "grid_activations",
    "activations",
    "grid_macs",
    "macs",
)
"""The exact ones by name."""
