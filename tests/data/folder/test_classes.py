"""Colours for classes that nobody named."""

from gridgen.data.folder.classes import OKABE_ITO, generated_colours, generated_names


def test_colours_are_apart_and_whole_for_any_number_of_classes():
    colours = generated_colours(254)
    assert colours[:8] == OKABE_ITO
    assert len(set(colours)) == 254
    assert all(0 <= value <= 255 for colour in colours for value in colour)


def test_the_first_24_can_be_told_apart():
    colours = generated_colours(24)
    nearest = min(
        sum(abs(x - y) for x, y in zip(a, b, strict=True))
        for i, a in enumerate(colours)
        for b in colours[:i]
    )
    assert nearest >= 48


def test_names_count_up():
    assert generated_names(2) == ("class 0", "class 1")
