"""The largest batch that fits a device, in few evaluations."""

from collections.abc import Callable

MOST = 65_536
"""Images in a batch."""


def largest_batch(needed: Callable[[int], int], memory: int) -> int:
    """The most images for which `needed` is at most `memory`; 0 where one is too many.

    `needed` has to be rising and convex, as a greatest value of sums over the batch is: a line
    through two points then lies below it outside of them, and above it between.

    >>> largest_batch(lambda batch: max(100 + 7 * batch, 20 * batch), 1000)
    50
    >>> largest_batch(lambda batch: 100 + 7 * batch, 50)
    0
    """
    one, two = needed(1), needed(2)
    if one > memory:
        return 0
    high = min(1 + (memory - one) // max(two - one, 1), MOST)
    low, below, above = 1, one, needed(high)
    if above <= memory:
        return high
    while high - low > 1:
        trial = low + (memory - below) * (high - low) // (above - below)
        trial = min(max(trial, low + 1), high - 1)
        value = needed(trial)
        if value <= memory:
            low, below = trial, value
        else:
            high, above = trial, value
    return low
