"""Names and colours of classes that nobody named."""

Colour = tuple[int, int, int]

# M. Okabe, K. Ito: Color Universal Design, 2008; told apart by the colour-blind.
OKABE_ITO: tuple[Colour, ...] = (
    (0, 0, 0),
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
SHADES = 32


def generated_names(classes: int) -> tuple[str, ...]:
    """`class 0`, `class 1` ..."""
    return tuple(f"class {number}" for number in range(classes))


def generated_colours(classes: int) -> tuple[Colour, ...]:
    """The eight of Okabe and Ito; after them their shades, darker and lighter in turn.

    >>> generated_colours(2)
    ((0, 0, 0), (230, 159, 0))
    """
    return tuple(_shade(*divmod(number, len(OKABE_ITO))) for number in range(classes))


def _shade(turn: int, place: int) -> Colour:
    """`turn` 0 is the colour itself; odd ones go towards white, even ones towards mid-grey."""
    towards, share = (255 if turn % 2 else 90), (turn + 1) // 2 / (SHADES / 2 + 1)
    # The first steps are the widest, as few classes have many turns.
    share = share**0.35 if turn else 0.0
    red, green, blue = (round(value + (towards - value) * share) for value in OKABE_ITO[place])
    return red, green, blue
