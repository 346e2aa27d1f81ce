"""Lines of code, of comments, and files: `python -m tests.structure.size`."""

import ast
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path

from tests.structure.package import PACKAGE

# 16,500 once, before: norms, dimensions, stems (300), what Python users expect (900), contracts for
# members of one's own (700), a wheel and losses (300), image files of every kind (800),
# folders as tools leave them (500), rows of large images (200); then what a search asks, trains,
# keeps and answers, rungs among it (4,300); networks as Python source and ONNX, weights taken
# over (1,200); sizes and costs in pictures (100); weights that others trained (500); figures 2
# and 3, PDF, bands of wide
# pictures (450); torch.export, OpenVINO and int8 (300); the table of all sub-topologies, its
# simulated searches and its page (750); several objectives and ensembles (600);
# trainings in a cluster (300); layer times (600); processes that fail alone, damaged tables (200);
# scores predicted by costs (100); what the intervals and regrets of a table hold (100), and lines
# that name the right fix (150); what rooms export, said for type checkers, and what notebooks show
# of the table (250); trainings that are promoted while they stop, what is kept from being written
# over, images that are held out of calibration (200); rare files of images, batches that a run
# cannot change, trained networks that are not written over, folds of sub-networks' fusions (300).
MOST_LINES = 37_100
MOST_FILES = 412
LEAST_COMMENTS = 0.01
"""Of all lines."""


@dataclass(frozen=True)
class Size:
    """Lines of each sort, and files. A line that holds code and a comment is one of code."""

    files: int = 0
    lines: int = 0
    code: int = 0
    comments: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(
            self.files + other.files,
            self.lines + other.lines,
            self.code + other.code,
            self.comments + other.comments,
        )


def size_of(text: str) -> Size:
    """One file. Blank lines, comments and docstrings, those of names too, are no code.

    >>> size_of('# Why.\\nx = 1  # one\\n\\n"What x is."\\n')
    Size(files=1, lines=4, code=1, comments=1)
    """
    strings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = text.splitlines()
    comments = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and lines[token.start[0] - 1].strip().startswith("#")
    }
    blank = {number for number, line in enumerate(lines, 1) if not line.strip()}
    code = len(lines) - len(strings | comments | blank)
    return Size(1, len(lines), code, len(comments))


def by_room(package: Path = PACKAGE) -> dict[str, Size]:
    """The size of each folder and each single file of the package."""
    found: dict[str, Size] = {}
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).parts[0]
        found[room] = found.get(room, Size()) + size_of(path.read_text("utf-8"))
    return found


def total(package: Path = PACKAGE) -> Size:
    """The size of the whole package."""
    return sum(by_room(package).values(), Size())


def main() -> None:
    """A table of the rooms."""
    print(f"{'room':16} {'files':>6} {'lines':>7} {'code':>7} {'comments':>9}")
    for room, size in {**by_room(), "all": total()}.items():
        share = size.comments / size.lines if size.lines else 0
        print(f"{room:16} {size.files:6} {size.lines:7,} {size.code:7,} {share:8.1%}")
    print(
        f"at most {MOST_FILES} files, {MOST_LINES:,} lines of code; {LEAST_COMMENTS:.0%} comments"
    )


if __name__ == "__main__":
    main()
