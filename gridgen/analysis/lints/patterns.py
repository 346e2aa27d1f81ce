"""Lists of connections, with some taken out."""

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase


def without(patterns: Iterable[str], names: Iterable[str], unwanted: Collection[str]) -> list[str]:
    """Patterns that match of `names` what `patterns` do, but for the unwanted.

    Only a pattern that matches an unwanted name is written out.

    >>> without(["up_*", "sub_1_0"], ["sub_1_0", "up_0_1", "up_0_2"], ["up_0_2"])
    ['up_0_1', 'sub_1_0']
    """
    kept: list[str] = []
    for pattern in patterns:
        matched = [name for name in names if fnmatchcase(name, pattern)]
        wanted = [name for name in matched if name not in unwanted]
        kept += [pattern] if wanted == matched else wanted
    return list(dict.fromkeys(kept))
