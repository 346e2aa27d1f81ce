"""Names in figures are drawn as they are written, and numbers as matplotlib writes them."""

import numpy as np
import pytest
from matplotlib.text import Text

from gridgen.figures import figure_png, new_figure
from gridgen.figures.scores import confusion_png

PNG = b"\x89PNG"
NAMES = ["$\\frac$", "a$b$c", "\\$x$", "$", "x_{", "b\udcff", "\u202egnp", "100 %", "{}", "日本"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_class_is_drawn(name):
    matrix = np.array([[3, 1], [0, 2]])
    assert confusion_png(matrix, [name, "other"]).startswith(PNG)


def test_every_text_that_is_given_is_no_formula_wherever_it_stands():
    figure, (axis,) = new_figure(4, 3)
    axis.plot([1, 2], label="$l$")
    axis.set(title="$t$", xlabel="$x$", ylabel="$y$")
    axis.legend(title="$legend$")
    axis.text(1, 1, "$s$")
    axis.annotate("$a$", (1, 1))
    figure.suptitle("$f$")
    figure_png(figure)
    told = [text for text in figure.findobj(Text) if text.get_text().startswith("$")]
    assert len(told) == 8
    assert not any(text.get_parse_math() for text in told)


def test_powers_of_ten_of_a_logarithmic_axis_are_formulas():
    figure, (axis,) = new_figure(4, 3)
    axis.set(xscale="log", yscale="log")
    axis.plot([1, 10**6], [1, 10**6])
    figure_png(figure)
    told = [label for each in (axis.xaxis, axis.yaxis) for label in each.get_ticklabels()]
    assert any("10^{" in label.get_text() for label in told)
    assert all(label.get_parse_math() for label in told if "$" in label.get_text())
