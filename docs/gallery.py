"""Writes docs/gallery.md and its pictures: every published network in the list, side by side.

Run it with `make gallery`, or `python docs/gallery.py`.
"""

import inspect
import re
from pathlib import Path

from gridgen.analysis import count, count_paths
from gridgen.analysis.receptive import receptive_field
from gridgen.architectures import load_spec
from gridgen.architectures.names import ARCHITECTURES
from gridgen.grid import Grid, build_grid, prune
from gridgen.render import draw, draw_overlay, draw_unit
from gridgen.text import field_text

DOCS = Path(__file__).parent
PAGE = DOCS / "gallery.md"
PICTURES = DOCS / "gallery"
SIZE = (512, 512)
TOPOLOGIES = ("gridnet", "conv-deconv", "unet", "frrn", "resnet")

HEAD = """\
# Gallery

<!-- Written by `make gallery`; do not edit by hand. -->

The networks that the paper's grid generalizes, and some that came after it, each a file in
`gridgen/architectures/` that fills a grid. A name stands wherever a spec file does:

```
gridgen count frrn-a --json
gridgen render unet++ -o unetpp.svg
gridgen count stacked-hourglass --set stacks=8
gridgen train unet-2015 --data nuclei
```

Trained by name, a network takes its classes and channels from the data where `--set` does not give
them. Those without BN (`fcn-8s`, `unet-2015`, `unet++`) want a lower learning rate than the 0.004
of the recipe `demo`, at which their loss runs away; 0.001 or less. All begin as torch initializes
its layers, whatever the original did.

`--as unet` and `--as frrn` are other networks: the subgraphs of the paper's grid, with its
residual units and sums; `gridgen relate unet-2015 specs/gridnet.yaml` says what lies between.
"""

NOTES = """
Parameters at each network's own defaults; multiply-accumulates and activations (values in the
outputs of all layers) for one image of 512x512; receptive field in pixels, all paths together;
paths from input to output, residual blocks inside a unit not counted as forks. The same figures:
`gridgen count NAME --size 512x512`; receptive fields: `gridgen diff NAME NAME`.
"""

FIGURE_3 = "conv-deconv", "unet", "frrn"
FIGURES = """\
Figure 3 of the paper, `gridgen render specs/gridnet.yaml --overlay conv-deconv,unet,frrn`:
a connection has the colour of each topology that keeps it.

![Three topologies over the grid](gallery/figure-3.svg)

Figure 2, the units: `gridgen render specs/gridnet.yaml --unit lateral`, `--unit subsampling`,
`--unit upsampling`. The layers of any connection, of the stem, of the head and of a map are drawn
by their names.

![The lateral unit](gallery/figure-2-lateral.svg)

![The subsampling unit](gallery/figure-2-subsampling.svg)

![The upsampling unit](gallery/figure-2-upsampling.svg)
"""


def pages() -> dict[Path, bytes]:
    """Every file of the gallery and its content."""
    grids = {name: build_grid(load_spec(name)) for name in ARCHITECTURES}
    files = {PICTURES / f"{name}.svg": draw(grid).render("svg") for name, grid in grids.items()}
    sections = (_section(name, grid) for name, grid in grids.items())
    full = build_grid(load_spec(DOCS.parent / "specs" / "gridnet.yaml"))
    figures = {
        "figure-2-lateral": draw_unit(full, "lateral"),
        "figure-2-subsampling": draw_unit(full, "subsampling"),
        "figure-2-upsampling": draw_unit(full, "upsampling"),
        "figure-3": draw_overlay(full, FIGURE_3),
    }
    files |= {PICTURES / f"{name}.svg": each.render("svg") for name, each in figures.items()}
    paper = [HEAD, "## The paper's grid", "", _paper(full), FIGURES]
    published = ["## Published networks", "", _table(grids), NOTES, *sections]
    text = "\n".join([*paper, *published])
    return {PAGE: text.encode(), **files}


def _paper(full: Grid) -> str:
    grids = {f"`specs/gridnet.yaml --as {name}`": prune(full, name) for name in TOPOLOGIES}
    return _table(grids) + "\n"


def _table(grids: dict[str, Grid]) -> str:
    rows = [
        "| network | parameters | GMAC | activations | receptive field | paths | connections |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_row(name, grid) for name, grid in grids.items()),
    ]
    return "\n".join(rows)


def _row(name: str, grid: Grid) -> str:
    counted = count(grid, SIZE)
    cells = (
        f"[{name}](#{_anchor(name)})" if name in ARCHITECTURES else name,
        f"{counted.parameters.total:,}",
        f"{counted.macs.total / 1e9:,.1f}",
        f"{counted.activations.total / 1e6:,.0f} M",
        field_text(receptive_field(grid)),
        f"{count_paths(grid):,}",
        f"{len(grid.connections):,}",
    )
    return f"| {' | '.join(cells)} |"


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9-]", "", name)


def _section(name: str, grid: Grid) -> str:
    """A heading, what the docstring says, and the picture."""
    paragraphs = inspect.getdoc(type(grid.spec)).split("\n\n")  # type: ignore[union-attr]
    said = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    settings = ", ".join(f"`{k}={v}`" for k, v in ARCHITECTURES[name].settings().items())
    picture = f"![{name} as a grid](gallery/{name}.svg)"
    return f"\n## {name}\n\n{said}\n\nSettings: {settings}\n\n{picture}\n"


def main() -> None:
    """Write the page and its pictures; pictures of networks that are gone are removed."""
    files = pages()
    PICTURES.mkdir(exist_ok=True)
    for old in set(PICTURES.glob("*.svg")) - set(files):
        old.unlink()
    for path, content in files.items():
        path.write_bytes(content)
    print(f"wrote {PAGE} and {len(files) - 1} pictures in {PICTURES}")


if __name__ == "__main__":
    main()
