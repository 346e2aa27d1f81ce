"""Student's t distribution, for means of few scores: it is far wider than a normal one there.

The incomplete beta function by its continued fraction: Abramowitz and Stegun, 26.5.8 and 26.7.1.
"""

from math import exp, inf, lgamma, log, log1p, sqrt

STEPS = 64


def two_sided(t: float, freedom: float) -> float:
    """The chance that Student's t with `freedom` degrees is as far from 0 as `t`, on either side.

    >>> round(two_sided(4.302653, 2), 6), two_sided(0, 5)
    (0.05, 1.0)
    """
    return _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def critical(level: float, freedom: float) -> float:
    """The t within which a share `level` of the distribution lies.

    >>> round(critical(0.95, 2), 4), round(critical(0.95, 1000), 4)
    (4.3027, 1.9623)
    """
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > 1 - level:
        low, high = high, 2 * high
        if high == inf:
            return inf
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > 1 - level else (low, middle)
    return high


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    # The fraction converges fast below the mean alone; beyond it the other tail is taken.
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    value = 1.0
    # About the root of the larger parameter is needed; so many terms leave an error below 1e-12.
    for term in range(30 + round(2 * sqrt(max(a, b))), 0, -1):
        m, odd = divmod(term, 2)
        if odd:
            numerator = -(a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            numerator = m * (b - m) / ((a + 2 * m - 1) * (a + 2 * m))
        value = 1 + numerator * x / value
    return front / value
