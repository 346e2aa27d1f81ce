"""Which names go to val, or to a fold: by a share, a seed and groups. Knows no files."""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from gridgen.errors import DataError, UsageError
from gridgen.names import composed

SEEDS = 100
"""Seeds that are tried for one by which every class is in train and in val."""
Groups = Mapping[str, Sequence[str]]
"""Names by what they have in common; all of a group come into one split."""


def shuffled(names: Iterable[str], seed: int = 0) -> list[str]:
    """The names in an order that follows from a hash of the seed and each name.

    A name that is added changes the order of no others.

    >>> shuffled("abcd"), shuffled("abc"), shuffled("abcd", seed=1)
    (['c', 'b', 'd', 'a'], ['c', 'b', 'a'], ['d', 'a', 'b', 'c'])
    """

    def place(name: str) -> bytes:
        # Names of files need not be UTF-8.
        return sha256(f"{seed}/{composed(name)}".encode(errors="surrogateescape")).digest()

    return sorted(names, key=place)


def grouped(names: Iterable[str], pattern: str | None) -> Groups:
    """Names by the first group of a regular expression, or by all that it matches.

    Without a pattern each is a group. Errors: `UsageError` for what is no regular expression,
    `DataError` for a name that it does not match, and where it leaves each name to itself.

    >>> grouped(["a-1", "a-2", "b-1"], "^(.)-")
    {'a': ['a-1', 'a-2'], 'b': ['b-1']}
    """
    try:
        expression = re.compile("(?s:.*)" if pattern is None else pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"--group: {pattern!r} is no regular expression: {error}") from error
    groups: dict[str, list[str]] = {}
    for name in names:
        found = expression.search(name)
        key = found and found[1 if expression.groups else 0]
        if key is None:
            fact = f"--group: {pattern!r} does not match the name {name!r}"
            raise DataError(f"{fact}; write one that matches all, such as '^[^_]+'")
        groups.setdefault(key, []).append(name)
    if pattern is not None and len(groups) > 1 and all(len(g) == 1 for g in groups.values()):
        fact = f"--group: {pattern!r} leaves each of {len(groups)} names to itself"
        raise DataError(f"{fact}, such as {next(iter(groups))!r}; write one that several share")
    return groups


def parts_of(groups: Groups, number: int) -> list[list[str]]:
    """The names of all groups in so many parts, none of which shares a group with another.

    >>> parts_of({"a": ["a1"], "b": ["b1", "b2", "b3"], "c": ["c1"], "d": ["d1"]}, 2)
    [['b1', 'b2', 'b3'], ['c1', 'd1', 'a1']]
    """
    order = shuffled(groups)
    if all(len(names) == 1 for names in groups.values()):
        # Cut where the parts end, so that a name which is added moves few others.
        ends = [(k * len(order) + number - 1) // number for k in range(number + 1)]
        return [
            [name for key in order[ends[k] : ends[k + 1]] for name in groups[key]]
            for k in range(number)
        ]
    parts: list[list[str]] = [[] for _ in range(number)]
    for key in sorted(order, key=lambda key: -len(groups[key])):
        min(parts, key=len).extend(groups[key])
    return parts


def chosen_for_val(groups: Groups, share: float, seed: int) -> frozenset[str]:
    """The names of the groups that make up about a share of all names.

    Groups are taken in the order of `shuffled` where that brings their number nearer to the share.
    Errors: `DataError` for fewer than two groups.

    >>> sorted(chosen_for_val({"a": ["a1"], "b": ["b1", "b2"], "c": ["c1"]}, 0.5, seed=0))
    ['a1', 'c1']
    """
    if len(groups) < 2:
        fact = f"{len(groups)} image{'s' * (len(groups) != 1)} or group"
        raise DataError(f"{fact}, which cannot be both in train and in val; there must be two")
    number = sum(map(len, groups.values()))
    wanted, taken = share * number, 0
    names: list[str] = []
    order = shuffled(groups, seed)
    for size, key in ((len(groups[key]), key) for key in order):
        nearer = abs(taken + size - wanted) < abs(taken - wanted)
        if nearer and taken + size < number:
            names += groups[key]
            taken += size
    return frozenset(names or groups[min(order, key=lambda key: len(groups[key]))])


def better_seed(
    shown: Mapping[str, frozenset[int]], groups: Groups, share: float, seed: int
) -> int | None:
    """A seed by which more classes are both in train and in val than by this one.

    `shown` are the classes that each name shows. None where none of `SEEDS` seeds is better.
    """

    def lacking(by: int) -> int:
        val = chosen_for_val(groups, share, by)
        parts = [
            frozenset[int]().union(*(shown[n] for n in part)) for part in (val, shown.keys() - val)
        ]
        return len(parts[0] ^ parts[1])

    best = min(range(SEEDS), key=lacking) if (now := lacking(seed)) else seed
    return best if now and lacking(best) < now else None
