"""A PDF of a picture that Graphviz drew as SVG: its shapes and words, by matplotlib.

Graphviz writes PDF by libraries that its wheel lacks. Its SVG has few kinds of elements, all of
them with absolute coordinates in points, so matplotlib can draw them one by one.
"""

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from gridgen.render.folding import PictureBand, page_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

SVG = "{http://www.w3.org/2000/svg}"
_COMMAND = re.compile(r"([MCLZz])([^MCLZz]*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def pdf_of(svg: bytes, bands: Sequence[PictureBand] = ()) -> bytes:
    """The bytes of a PDF file of one page, as large as the picture, or as its bands below each
    other; the same for the same SVG.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    root = ElementTree.fromstring(svg)
    left, top, width, height = _numbers(root.attrib["viewBox"])
    bands = bands or ((left, top, width, height),)
    width, height = page_size(bands)
    # The font travels inside: a reader's own Helvetica may lack letters of a name.
    with mpl.rc_context({"pdf.fonttype": 42, "font.family": "sans-serif"}):
        figure = Figure(figsize=(width / 72, height / 72))
        below = 0.0
        for left, top, wide, high in bands:
            place = 0.0, 1 - (below + high) / height, wide / width, high / height
            axes = figure.add_axes(place)
            axes.set(xlim=(left, left + wide), ylim=(top + high, top))
            axes.axis("off")
            _draw(root, axes, (0.0, 0.0))
            below += high
        page = BytesIO()
        figure.savefig(page, format="pdf", metadata={"CreationDate": None, "Creator": None})
    return page.getvalue()


def _draw(element: ElementTree.Element, axes: "Axes", shift: tuple[float, float]) -> None:
    """An element and all inside it, in the order in which they lie over each other."""
    if moved := re.search(r"translate\(([^)]*)\)", element.get("transform", "")):
        right, down = _numbers(moved[1])
        shift = shift[0] + right, shift[1] + down
    kind = element.tag.removeprefix(SVG)
    if kind == "text":
        _add_text(element, axes, shift)
    elif kind in ("path", "polygon", "polyline", "ellipse"):
        from matplotlib.patches import PathPatch

        axes.add_patch(PathPatch(_outline(element, kind, shift), **_look(element)))
    for inner in element:
        _draw(inner, axes, shift)


def _add_text(element: ElementTree.Element, axes: "Axes", shift: tuple[float, float]) -> None:
    x, y = float(element.attrib["x"]), float(element.attrib["y"])
    anchor = {"middle": "center", "start": "left", "end": "right"}
    axes.text(
        x + shift[0],
        y + shift[1],
        # A dollar sign would begin a formula.
        "".join(element.itertext()).replace("$", r"\$"),
        # Letters of matplotlib's font are wider than those of Helvetica.
        fontsize=0.9 * float(element.get("font-size", "14")),
        color=element.get("fill", "black"),
        horizontalalignment=anchor[element.get("text-anchor", "start")],
        verticalalignment="baseline",
        clip_on=True,
    )


def _look(element: ElementTree.Element) -> dict[str, Any]:
    """Colours, width and dashes as matplotlib names them."""
    stroke, fill = element.get("stroke", "none"), element.get("fill", "black")
    look: dict[str, Any] = {
        "edgecolor": "none" if stroke == "transparent" else stroke,
        "facecolor": "none" if fill == "transparent" else fill,
        "linewidth": float(element.get("stroke-width", "1")),
    }
    if dashes := element.get("stroke-dasharray"):
        look["linestyle"] = (0, [part / look["linewidth"] for part in _numbers(dashes)])
    if (opacity := element.get("fill-opacity")) and look["facecolor"] != "none":
        from matplotlib.colors import to_rgba

        look["facecolor"] = to_rgba(look["facecolor"], float(opacity))
    return look


def _outline(element: ElementTree.Element, kind: str, shift: tuple[float, float]) -> "Path":
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D

    moved = Affine2D().translate(*shift)
    if kind == "ellipse":
        size = Affine2D().scale(float(element.attrib["rx"]), float(element.attrib["ry"]))
        centre = float(element.attrib["cx"]), float(element.attrib["cy"])
        return Path.unit_circle().transformed(size.translate(*centre) + moved)
    if kind == "path":
        corners, codes = zip(*_steps(element.attrib["d"]), strict=True)
        return Path(list(corners), list(codes)).transformed(moved)
    # The last point of a polygon is its first again; only closed is there no gap where they meet.
    points = _pairs(element.attrib["points"])
    return Path(points, closed=kind == "polygon").transformed(moved)


def _steps(course: str) -> Iterator[tuple[tuple[float, float], int]]:
    """Corners of a path, each with matplotlib's number for how it is reached."""
    from matplotlib.path import Path

    code = {"M": Path.MOVETO, "L": Path.LINETO, "C": Path.CURVE4}
    for letter, numbers in _COMMAND.findall(course):
        for corner in _pairs(numbers):
            yield corner, int(code[letter])


def _pairs(text: str) -> list[tuple[float, float]]:
    numbers = _numbers(text)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _numbers(text: str) -> list[float]:
    return [float(number) for number in _NUMBER.findall(text)]
