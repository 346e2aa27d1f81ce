"""Files of pictures: what is too large to be one."""

import pytest
from PIL import Image

from gridgen.errors import RenderError
from gridgen.grid import build_grid
from gridgen.render import draw, picture
from gridgen.render.picture import Picture
from gridgen.spec import GridSpec


def grid_of(columns: str, streams: int = 2):
    return build_grid(GridSpec(streams=streams, columns=columns, base_channels=1, classes=3))


def test_a_png_that_no_viewer_opens_is_refused_before_it_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("gridgen.render.picture.subprocess.run", None)
    with pytest.raises(RenderError) as caught:
        draw(grid_of("100+100")).save(tmp_path / "a.png")
    assert str(caught.value) == (
        "a PNG of this grid has about 35,912 x 580 pixels (width x height); 32,767 a side at most. "
        "Write .svg or .pdf."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_png_can_be_too_high_too():
    places = "".join(f'map_{i}_0 [pos="0,{-i * 1e4:g}!"]' for i in range(200))
    with pytest.raises(RenderError, match="202 x 3,980,134 pixels"):
        Picture(f"digraph {{{places}}}").render("png")


def test_a_large_picture_is_drawn_where_the_format_allows(tmp_path):
    assert draw(grid_of("100+100")).save(tmp_path / "a.svg").stat().st_size > 100_000


@pytest.mark.parametrize(("columns", "streams"), [("1+1", 5), ("8+8", 2), ("3+13", 3)])
def test_the_size_that_is_foretold_is_the_drawn_one(columns, streams, tmp_path, monkeypatch):
    drawing = draw(grid_of(columns, streams))
    with Image.open(drawing.save(tmp_path / "a.png")) as image:
        width, height = image.size
    monkeypatch.setattr(picture, "PNG_MAX", 1)
    with pytest.raises(RenderError) as caught:
        drawing.render("png")
    foretold = str(caught.value).split(" about ")[1].split(" pixels")[0]
    told = [int(side.replace(",", "")) for side in foretold.split(" x ")]
    assert told == [pytest.approx(width, abs=4), pytest.approx(height, abs=4)]
