"""How much work something is, by counts that no busy machine changes."""

import sys
import tracemalloc
from collections.abc import Callable


def calls(act: Callable[[], object]) -> int:
    """Functions of Python that are called while `act` runs, generators each time they go on."""
    number = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal number
        number += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(before)
    return number


def peak_bytes(act: Callable[[], object]) -> int:
    """Most bytes that Python holds at once while `act` runs."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
