"""The callback by which long work says how far it has come. The command line draws the bar."""

from collections.abc import Callable

OnProgress = Callable[[int, int], None]
"""A function that is called with the number of things done and their total."""


def no_progress(done: int, total: int) -> None:
    """Ignore the progress of the work."""
