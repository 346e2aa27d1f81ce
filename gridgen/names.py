"""Names that others gave to files, folders and classes: how they are compared, shown and written
to CSV files, whatever characters they hold.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from io import StringIO

HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0080-\u009f\u061c\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]|\r(?!\n)"
)
"""Control characters, and characters that change what a reader sees: bidi overrides, zero widths,
tags, halves of a surrogate pair, which stand for bytes that are no UTF-8, a carriage return that
ends no line.
"""
FORMULA = tuple("=+-@\t\r")
"""What a spreadsheet takes for the beginning of a formula."""


def composed(name: str) -> str:
    r"""The name with its accents composed (NFC), by which names are compared.

    File systems and archives keep `ü` as one character or as two, as whoever wrote them did.

    >>> composed("ru\u0308ben") == "r\u00fcben"
    True
    """
    return unicodedata.normalize("NFC", name)


def escaped(text: str) -> str:
    r"""The text with hidden characters as Python writes them, so that no terminal obeys them.

    >>> print(escaped("a\x1b[31m\u202egnp.b"))
    a\x1b[31m\u202egnp.b
    """
    return HIDDEN.sub(lambda found: ascii(found.group())[1:-1], text)


def has_other_length(row: Mapping[str, object]) -> bool:
    """Whether a row of `csv.DictReader` has more or fewer values than the first line names.

    It puts what is too much under None, and None where something lacks.
    """
    return None in row or None in row.values()


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    r"""A CSV file. A text that a spreadsheet would run as a formula has a ' before it.

    Halves of surrogate pairs, which no file can hold, are written as Python writes them.

    >>> csv_text([("name", "dB"), ("=1+1", -0.5), ("-7", None)])
    "name,dB\n'=1+1,-0.5\n-7,\n"
    """
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return written.getvalue()


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    return "'" * (value.startswith(FORMULA) and not _is_number(value)) + escaped(value)


def plain_cell(text: str) -> str:
    """The text of a cell that `csv_text` wrote, without a ' that it put before it.

    >>> plain_cell("'=1+1"), plain_cell("'a")
    ('=1+1', "'a")
    """
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
