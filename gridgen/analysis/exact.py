"""Formulas in whole numbers, of plain ints or of arrays of them: the right number, or an error.

No numpy until there is an array.
"""

from collections.abc import Callable, Container, Mapping
from functools import wraps
from inspect import signature
from typing import Any, Protocol, overload

from gridgen.errors import GridError, TooLargeError

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

    >>> import numpy as np
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


def require_nowhere(wrong: Whole, say: Callable[..., Exception], *values: Whole) -> None:
    """Raise what `say` makes of the `values` at the first place where `wrong` is true."""
    if isinstance(wrong, bool):
        if wrong:
            raise say(*values)
    elif wrong.any():
        import numpy as np

        first = int(wrong.argmax())
        raise say(*(int(np.broadcast_to(value, wrong.shape).flat[first]) for value in values))


def _require_least(name: str, value: Whole, least: int) -> None:
    require_nowhere(
        value < least, lambda wrong: GridError(f"{name} is {wrong}; give {least} at least"), value
    )


def _of_arrays(
    formula: Callable[..., Whole], arrays: Mapping[str, Whole], truths: Mapping[str, bool]
) -> Whole:
    """First in float64, then in int64. Errors: as `exact`."""
    import numpy as np

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
                f"{formula.__name__} comes to {much}; arrays hold {MOST:.3g} at most. "
                "Give plain ints, which have no limit."
            )
        return formula(**arrays, **truths)


def _array(name: str, value: Whole) -> Whole:
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind not in "iu" or np.any(array > MOST):
        raise GridError(f"{name} is of {array.dtype}; give whole numbers that int64 holds")
    return array.astype(np.int64)
