"""Numbers as people read them: in tables, sentences and pictures."""

from decimal import Decimal


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
    for unit, times in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= 0.9995 * times:
            value = number / times
            return f"{value:.{2 - min(len(str(round(value))) - 1, 2)}f} {unit}"
    return f"{number} B"
