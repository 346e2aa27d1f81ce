"""The course of a connection: straight where nothing is in the way, else in an arc around it."""

from math import hypot

from gridgen.grid import FeatureMap
from gridgen.render import style
from gridgen.render.style import point

Point = tuple[float, float]
Maps = frozenset[FeatureMap]
WIDEST = style.COLUMN_STEP - style.MAP_WIDTH - 4.0  # points: left of the column beside
HIGHEST = style.STREAM_STEP - style.MAP_HEIGHT - 4.0  # points: below the row above


def route(source: FeatureMap, target: FeatureMap, maps: Maps, arrow: float) -> str | None:
    """The Graphviz spline from source to target; None for the straight line between them.

    In a row it arcs above the maps between, in a column right of them, otherwise beside them.
    `arrow` is the size of its head.
    """
    if not _blocked(source, target, maps):
        return None
    start, end = point(source.column, source.stream), point(target.column, target.stream)
    half_width, half_height = style.MAP_WIDTH / 2, style.MAP_HEIGHT / 2
    if source.stream == target.stream:
        span = abs(target.column - source.column)
        rise = min(6.0 + 7 * span, HIGHEST)
        # Longer arcs leave further inside, so that they enclose shorter ones.
        ahead = (1 if target.column > source.column else -1) * half_width * max(0.8 - span / 5, 0)
        begin = start[0] + ahead, start[1] + half_height
        finish = end[0] - ahead, end[1] + half_height
        return _spline(begin, finish, (0, 1.33 * rise), arrow)
    if source.column == target.column:
        rise = min(8.0 + 6 * abs(target.stream - source.stream), WIDEST)
        down = 1 if target.stream > source.stream else -1
        begin = start[0] + half_width, start[1] - down * half_height / 3
        finish = end[0] + half_width, end[1] + down * half_height / 3
        return _spline(begin, finish, (1.33 * rise, 0), arrow)
    along = end[0] - start[0], end[1] - start[1]
    length = hypot(*along)
    aside = -along[1] / length, along[0] / length
    begin, finish = leave(start, along), leave(end, (-along[0], -along[1]))
    rise = 0.7 * style.MAP_HEIGHT + 0.06 * length
    return _spline(begin, finish, (rise * aside[0], rise * aside[1]), arrow)


def _blocked(source: FeatureMap, target: FeatureMap, maps: Maps) -> bool:
    """True if the straight line meets the box of another map."""
    start, end = point(source.column, source.stream), point(target.column, target.stream)
    first, last = sorted((source.column, target.column))
    upper, lower = sorted((source.stream, target.stream))
    between = (
        other for other in maps if first <= other.column <= last and upper <= other.stream <= lower
    )
    return any(
        _meets(start, end, point(other.column, other.stream))
        for other in between
        if other not in (source, target)
    )


def _meets(start: Point, end: Point, centre: Point) -> bool:
    """True if the segment passes through the box around `centre`."""
    # Liang-Barsky clipping: the segment meets the box if a part of it is left inside.
    enter, leave = 0.0, 1.0
    for axis, half in ((0, style.MAP_WIDTH / 2), (1, style.MAP_HEIGHT / 2)):
        step, gap = end[axis] - start[axis], centre[axis] - start[axis]
        if step == 0:
            if abs(gap) > half:
                return False
            continue
        near, far = sorted(((gap - half) / step, (gap + half) / step))
        enter, leave = max(enter, near), min(leave, far)
    return enter < leave


def leave(centre: Point, along: Point) -> Point:
    """The point where the ray from `centre` leaves the map's box."""
    steps = [
        half / abs(part)
        for part, half in zip(along, (style.MAP_WIDTH / 2, style.MAP_HEIGHT / 2), strict=True)
        if part
    ]
    return centre[0] + min(steps) * along[0], centre[1] + min(steps) * along[1]


def _spline(begin: Point, finish: Point, lift: Point, arrow: float) -> str:
    """A cubic from `begin` to an arrow's head at `finish`, its two inner points lifted."""
    third = (finish[0] - begin[0]) / 3, (finish[1] - begin[1]) / 3
    one = begin[0] + third[0] / 2 + lift[0], begin[1] + third[1] / 2 + lift[1]
    two = finish[0] - third[0] / 2 + lift[0], finish[1] - third[1] / 2 + lift[1]
    back = two[0] - finish[0], two[1] - finish[1]
    length = hypot(*back)
    # Graphviz adds the arrow's head to a given spline, which must end at its neck.
    tip = 10 * arrow / length
    neck = finish[0] + tip * back[0], finish[1] + tip * back[1]
    return f"e,{_show(finish)} " + " ".join(map(_show, (begin, one, two, neck)))


def _show(place: Point) -> str:
    return f"{place[0]:.1f},{place[1]:.1f}"
