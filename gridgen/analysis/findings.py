"""What the numbers of paths say, in sentences: why there is total dropout (section 3.1)."""

from collections.abc import Iterator

from gridgen.analysis.dropout import Dropout
from gridgen.analysis.paths import Depth, Paths
from gridgen.text import number_text


def findings(found: Paths, left: Dropout | None = None) -> list[str]:
    """A few sentences. `left` is what total dropout leaves, None where there is none.

    >>> from gridgen.analysis.paths import paths
    >>> from gridgen.grid import build_grid
    >>> from gridgen.spec import GridSpec
    >>> spec = GridSpec.of(streams=5, columns="3+3", base_channels=16, classes=19)
    >>> findings(paths(build_grid(spec)))[0]
    'Of 371 paths 1 stays in stream 0 (5 connections), 225 go down to stream 4 (13 connections).'
    """
    upper, lower = found.lowest[0], found.lowest[-1]
    if upper is lower:
        paths = "The only path" if found.total == 1 else f"All {number_text(found.total)} paths"
        way = _way(lower, found.total)
        return [f"{paths} {way} ({_span(lower)}).", *_of_dropout(upper, lower, left)]
    some = f"{number_text(upper.paths)} {_way(upper, upper.paths)} ({_span(upper)})"
    others = f"{number_text(lower.paths)} {_way(lower, lower.paths)} ({_span(lower)})"
    first = f"Of {number_text(found.total)} paths {some}, {others}."
    return [first, *_of_units(upper, lower), *_of_dropout(upper, lower, left)]


def _of_units(upper: Depth, lower: Depth) -> Iterator[str]:
    """How much nearer the upper streams are to the loss."""
    few, many = upper.least_units or 0, lower.least_units or 0
    if few < many:
        yield (
            f"Where identities are taken, a way along stream {upper.stream} still passes "
            f"{_counted(few, 'unit')}, one to stream {lower.stream} passes {many}: longer ways "
            "learn later (section 3.1)."
        )


def _of_dropout(upper: Depth, lower: Depth, left: Dropout | None) -> Iterator[str]:
    """What total dropout does about it: all paths suffer alike, but those down there are many."""
    if left is None:
        return
    fact = f"Total dropout leaves a path whole in {left.whole:.1%} of the training steps"
    first, last = left.depths[upper.stream], left.depths[lower.stream]
    if upper is lower or first is None or last is None:
        some = "" if left.some is None else f", at least one in {left.some:.1%}"
        yield f"{fact}{some}."
        return
    yield (
        f"{fact}: at least one along stream {upper.stream} in {first:.1%}, at least one to "
        f"stream {lower.stream} in {last:.1%}."
    )
    others = left.others(upper.stream)
    if others is not None:
        yield (
            f"Where none along stream {upper.stream} is whole, one through lower streams is in "
            f"{others:.1%}: the network has to learn by them."
        )


def _way(depth: Depth, paths: int) -> str:
    """Where paths go."""
    verb = ("stay", "in") if depth.stream == 0 else ("go", "down to")
    return f"{verb[0]}{_ending(verb[0], paths)} {verb[1]} stream {depth.stream}"


def _ending(verb: str, subjects: int) -> str:
    return "" if subjects > 1 else "es" if verb == "go" else "s"


def _span(depth: Depth) -> str:
    """How long paths are."""
    short, long = depth.shortest, depth.longest
    return _counted(short or 0, "connection") if short == long else f"{short} to {long} connections"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
