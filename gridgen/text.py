"""Numbers as people read and write them: in tables and sentences, in specs and on command lines.

An amount is written 500k, 10M, 1.5G, 30GMAC, 8GB or 8GiB and becomes a whole number.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

MOST = (1 << 63) - 1
LEAST_MEMORY = 10**6
"""In bytes. Less is taken for a unit that was forgotten."""
DECIMAL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BINARY = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}

COUNTED = DECIMAL
MULTIPLIED = DECIMAL | {f"{prefix}MAC": times for prefix, times in DECIMAL.items()}
STORED = DECIMAL | {f"{prefix}B": times for prefix, times in (DECIMAL | BINARY).items()}

BYTES = {unit: times for unit, times in STORED.items() if unit[1:].endswith("B")}
MACS = {unit: times for unit, times in MULTIPLIED.items() if unit[1:].endswith("MAC")}
"""Units in which amounts are written back."""

# Digits are bounded, so that a number of a million digits is refused before it is computed with.
_AMOUNT = re.compile(r"([-+]?[0-9]{1,20}(?:\.[0-9]{1,20})?) ?([A-Za-z]{0,8})")


def number_text(number: int) -> str:
    """A whole number in full, or, from sixteen digits on, in powers of ten.

    >>> number_text(24157817), number_text(5 * 10**400 + 1)
    ('24,157,817', '5.0e400')
    """
    return f"{number:,}" if number < 10**15 else f"{Decimal(number):.1e}".replace("+", "")


def share_text(share: float) -> str:
    """A share of 1 in whole percent.

    >>> share_text(0.5), share_text(0.001), share_text(0)
    ('50%', '<1%', '0%')
    """
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def bytes_text(number: int) -> str:
    """Bytes with three digits, in powers of 1000.

    >>> bytes_text(3398249668), bytes_text(75648), bytes_text(12), bytes_text(999999)
    ('3.40 GB', '75.6 kB', '12 B', '1.00 MB')
    """
    return _three_digits(number, "B")


def macs_text(number: int) -> str:
    """Multiply-accumulates with three digits.

    >>> macs_text(39_321_600_000), macs_text(1_234_567 * 10**9)
    ('39.3 GMAC', '1,235 TMAC')
    """
    return _three_digits(number, "MAC")


def _three_digits(number: int, unit: str) -> str:
    for prefix, times in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= 0.9995 * times:
            value = number / times
            return f"{value:,.{2 - min(len(str(round(value))) - 1, 2)}f} {prefix}{unit}"
    return f"{number} {unit}"


def brief(names: Sequence[str], shown: int = 2) -> str:
    """Names in a row; of a long list the first few, and how many more there are.

    >>> brief(["sub_1_0", "sub_2_0", "sub_3_0", "sub_4_0"]), brief([])
    ('sub_1_0, sub_2_0 and 2 more', 'none')
    """
    if len(names) <= shown + 1:
        return ", ".join(names) or "none"
    return f"{', '.join(names[:shown])} and {len(names) - shown} more"


def field_text(side: int | None) -> str:
    """A receptive field, of which None stands for the whole image.

    >>> field_text(1479), field_text(None)
    ('1,479', 'whole image')
    """
    return "whole image" if side is None else f"{side:,}"


def parse_amount(text: str, units: Mapping[str, int], example: str) -> int:
    """The whole number for `text`: a number, perhaps a space, and a unit of `units`.

    k, M, G and T are powers of 1000, Ki, Mi, Gi and Ti of 1024. Errors: `ValueError`, also for
    memory of less than 1 MB.

    >>> parse_amount("1.5G", COUNTED, "10M"), parse_amount("8 GiB", STORED, "8GB")
    (1500000000, 8589934592)
    """
    matched = _AMOUNT.fullmatch(text)
    if matched is None:
        raise ValueError(f"{_shown(text)} is not an amount; write a number such as {example}")
    number, unit = matched.groups()
    if unit not in units:
        raise ValueError(f"unknown unit {unit!r} in {text!r}; {_fix(number, unit, units, example)}")
    # Exact: in floats 4.35 * 100 is 434.99999999999994.
    value = Fraction(number) * units[unit]
    if value.denominator > 1:
        raise ValueError(f"{text!r} is not a whole number; write one such as {example}")
    return enough_memory(int(value)) if units is STORED else int(value)


def enough_memory(value: int) -> int:
    """Check a number of bytes. Errors: `ValueError` from 1 byte to below 1 MB.

    Zero and negative numbers are left to pydantic's own check.
    """
    if 0 < value < 1000:
        raise ValueError(f"{value} bytes? write {value}MB or {value}GB")
    if 0 < value < LEAST_MEMORY:
        raise ValueError(f"{value:,} bytes are less than 1 MB; write an amount such as 8GB")
    return value


def amount_text(value: int, units: Mapping[str, int], word: str) -> str:
    """`value` in the largest of `units` in which it has two decimals at most, else in full.

    >>> amount_text(8 * 10**9, BYTES, "bytes"), amount_text(8 << 30, BYTES, "bytes")
    ('8 GB', '8 GiB')
    >>> amount_text(1234567890, MACS, "MACs"), amount_text(1500000, {}, "")
    ('1,234,567,890 MACs', '1,500,000')
    """
    for unit, times in sorted(units.items(), key=lambda item: -item[1]):
        number = Fraction(value, times)
        if 1 <= number < 1024 and (100 * number).denominator == 1:
            return f"{float(number):.15g} {unit}"
    return f"{value:,} {word}".rstrip()


def _fix(number: str, unit: str, units: Mapping[str, int], example: str) -> str:
    """A hint: the known unit that differs in case or by a letter, else an example."""
    same = [known for known in units if known and known.lower() == unit.lower()]
    near = same or get_close_matches(unit, units, n=1, cutoff=0.75)
    return f"did you mean {number + near[0]!r}?" if near else f"write a number such as {example}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _reads(units: Mapping[str, int], example: str) -> Callable[[Any], Any]:
    """A validator that turns text into a number; other values are left to pydantic."""
    return lambda value: parse_amount(value, units, example) if isinstance(value, str) else value


def _schema(pattern: str, least: int = 1) -> WithJsonSchema:
    text = {"type": "string", "pattern": rf"^[0-9]+(\.[0-9]+)? ?{pattern}$"}
    return WithJsonSchema({"anyOf": [{"type": "integer", "minimum": least}, text]})


_Number = Annotated[int, Field(ge=1, le=MOST)]

ValueAmount = Annotated[
    _Number, BeforeValidator(_reads(COUNTED, "500k or 10M")), _schema("[kMGT]?")
]
"""A number of values, such as 10M."""

MacAmount = Annotated[
    _Number, BeforeValidator(_reads(MULTIPLIED, "30G or 30GMAC")), _schema("[kMGT]?(MAC)?")
]
"""A number of multiply-accumulates, such as 30GMAC."""

ByteAmount = Annotated[
    _Number,
    AfterValidator(enough_memory),
    BeforeValidator(_reads(STORED, "8GB (10^9 bytes each) or 8GiB (2^30)")),
    _schema("([kMGT]?B?|[KMGT]iB)", LEAST_MEMORY),
]
"""A number of bytes, such as 8GB or 8GiB; 1 MB at least."""
