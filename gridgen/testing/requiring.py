"""How the suites say what does not hold: one sentence, as an `AssertionError`."""

from collections.abc import Iterator
from contextlib import contextmanager

from gridgen.errors import GridgenError


def require(holds: object, sentence: str) -> None:
    """Raise an `AssertionError` that says `sentence` unless `holds`."""
    # Not `assert`, which python -O leaves out.
    if not holds:
        raise AssertionError(sentence)


@contextmanager
def saying(where: str) -> Iterator[None]:
    """Whatever fails inside is an `AssertionError` whose sentence begins with `where`."""
    try:
        yield
    except (AssertionError, GridgenError) as error:
        raise AssertionError(f"{where}: {error}") from error
    except Exception as error:
        # A member under test may raise anything; its own traceback stays the cause.
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error


def title(member: object) -> str:
    """What sentences call a member: its own name, else that of its type."""
    return str(getattr(member, "__name__", type(member).__name__))
