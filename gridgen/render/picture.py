"""A finished picture: Graphviz source with fixed positions, and the programs that print it."""

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gridgen.arguments import PathLike, checked, checked_fields
from gridgen.errors import RenderError, unknown
from gridgen.files import write_file
from gridgen.render.folding import Fold, folded_png, folded_svg
from gridgen.render.pdf import pdf_of

TEXT_FORMATS = ("dot", "gv")
FORMATS = ("svg", "png", "pdf", *TEXT_FORMATS)
PNG_DPI = 144
PNG_MAX = 32_767
"""Pixels a side: what Cairo draws, and viewers count in 16 bits."""
_POSITION = re.compile(r'pos="([-+.e\d]+),([-+.e\d]+)!"')
# Points, both sides together: the padding, and half of what stands outermost on either side.
_MARGIN_X, _MARGIN_Y = 101, 67


@checked_fields
@dataclass(frozen=True, repr=False)
class Picture:
    """A drawn grid. `source` is its Graphviz text; notebooks show the SVG.

    Where there is a `fold`, the files other than Graphviz text have several bands of columns.
    """

    source: str
    fold: Fold | None = None

    @checked
    def render(self, kind: str) -> bytes:
        """The picture as the bytes of a file of `kind`: svg, png, pdf, dot or gv.

        Drawn by the system's `dot` where there is one, otherwise by the program of the
        `graphviz-pure` wheel; a PDF is made of the SVG. Errors: `RenderError`, for a PNG of more
        than `PNG_MAX` pixels a side too, before it is drawn.
        """
        if kind not in FORMATS:
            raise RenderError(unknown("picture format", kind, FORMATS, guess=False))
        if kind in TEXT_FORMATS:
            return self.source.encode()
        if kind == "png":
            self._require_png()
        svg = self._drawn("svg").decode() if self.fold or kind != "png" else ""
        bands = self.fold.bands(svg) if self.fold else []
        if kind == "pdf":
            return pdf_of(svg.encode(), bands)
        if kind == "svg":
            return (folded_svg(svg, bands) if bands else svg).encode()
        png = self._drawn("png")
        return folded_png(png, bands, PNG_DPI / 72) if bands else png

    def _drawn(self, kind: str) -> bytes:
        """The whole picture by Graphviz."""
        command = [find_program(), "-Kneato", "-n2", f"-T{kind}"]
        if kind == "png":
            command.append(f"-Gdpi={PNG_DPI}")
        drawn = subprocess.run(command, input=self.source.encode(), capture_output=True)
        if drawn.returncode != 0:
            reason = drawn.stderr.decode(errors="replace").strip().splitlines() or ["no reason"]
            raise RenderError(f"{command[0]} could not draw the picture: {reason[0]}")
        return drawn.stdout

    @checked
    def save(self, path: PathLike) -> Path:
        """Write the picture; the ending of `path` names the format. Errors: `RenderError`."""
        path = Path(path)
        if not path.suffix:
            raise RenderError(f"{path}: add an ending: {', '.join('.' + kind for kind in FORMATS)}")
        return write_file(path, self.render(path.suffix[1:].lower()))

    def _require_png(self) -> None:
        """A PNG of this picture is not too large. Errors: `RenderError`."""
        places = _POSITION.findall(self.source)
        width = _pixels([float(x) for x, _ in places], _MARGIN_X)
        height = _pixels([float(y) for _, y in places], _MARGIN_Y)
        if max(width, height) > PNG_MAX:
            raise RenderError(
                f"a PNG of this grid has about {width:,} x {height:,} pixels (width x height); "
                f"{PNG_MAX:,} a side at most. Write .svg or .pdf."
            )

    def __repr__(self) -> str:
        return f"Picture({len(self.source):,} characters of DOT)"

    def _repr_svg_(self) -> str | None:
        try:
            return self.render("svg").decode()
        except RenderError:  # without Graphviz, a notebook shows the line
            return None


def _pixels(places: Sequence[float], margin: float) -> int:
    """Of a PNG, along the axis on which `places` are points."""
    extent = max(places, default=0) - min(places, default=0)
    return round((extent + margin) * PNG_DPI / 72)


def find_program() -> str:
    """Path of the Graphviz program that draws SVG and PNG. Errors: `RenderError`."""
    wheel = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    found = shutil.which("dot") or wheel or shutil.which("graphviz-pure")
    if found is None:
        raise RenderError("no Graphviz program; pip install graphviz-pure, or install Graphviz")
    return found
