"""Parts of every page: a template that extends `base.html`, and embedded pictures."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gridgen import __version__
from gridgen.figures.palette import DARK, LIGHT

TEMPLATES = Path(__file__).parent / "templates"
NEVER = "–"


def rendered(template: str, **values: Any) -> str:
    """The page of `templates/TEMPLATE.html`, filled with `values`; markup in them is escaped.

    A template extends `base.html` and fills its blocks `title` and `content`.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        # Jinja would write nothing for a name that a template misspells.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"version": __version__, "light": LIGHT, "dark": DARK}
    return environment.get_template(f"{template}.html").render(values)


def number(value: float | None) -> str:
    """The text of a score; a dash if there is none."""
    return NEVER if value is None else f"{value:.4f}"


def embedded(picture: bytes) -> str:
    """The address of an <img> that holds a whole PNG, WebP or SVG file.

    >>> embedded(bytes.fromhex("89504e47"))
    'data:image/png;base64,iVBORw=='
    """
    return f"data:image/{_kind(picture)};base64,{b64encode(picture).decode()}"


def _kind(picture: bytes) -> str:
    if picture.startswith(b"\x89PNG"):
        return "png"
    return "webp" if picture.startswith(b"RIFF") else "svg+xml"
