"""Amounts as people write them."""

import pytest
from hypothesis import given, strategies as st

from gridgen.errors import SpecError
from gridgen.space import Budget
from gridgen.text import (
    BINARY,
    BYTES,
    COUNTED,
    DECIMAL,
    LEAST_MEMORY,
    MACS,
    MULTIPLIED,
    STORED,
    amount_text,
    brief,
    parse_amount,
)


@pytest.mark.parametrize(
    ("text", "units", "value"),
    [
        ("7", COUNTED, 7),
        ("500k", COUNTED, 500_000),
        ("10M", COUNTED, 10_000_000),
        ("1.5G", COUNTED, 1_500_000_000),
        ("2T", COUNTED, 2 * 10**12),
        ("+3k", COUNTED, 3000),
        ("30GMAC", MULTIPLIED, 30 * 10**9),
        ("30G", MULTIPLIED, 30 * 10**9),
        ("8GB", STORED, 8 * 10**9),
        ("8 GB", STORED, 8 * 10**9),
        ("8G", STORED, 8 * 10**9),
        ("8GiB", STORED, 8 * 2**30),
        ("1000KiB", STORED, 1_024_000),
        ("1000000B", STORED, 10**6),
    ],
)
def test_what_amounts_are(text, units, value):
    assert parse_amount(text, units, "1") == value


@given(st.integers(1000, 10**6), st.sampled_from(sorted({*DECIMAL, *BINARY} - {""})))
def test_an_amount_is_its_number_times_its_unit(number, prefix):
    times = (DECIMAL | BINARY)[prefix]
    assert parse_amount(f"{number}{prefix}B", STORED, "1") == number * times
    assert parse_amount(f"{number}.5{prefix}B", STORED, "1") * 2 == (2 * number + 1) * times


@given(st.integers(LEAST_MEMORY, 1 << 62))
def test_what_is_written_back_is_the_amount(number):
    for units, written_in, word in ((STORED, BYTES, "bytes"), (MULTIPLIED, MACS, "MACs")):
        for value in (number, number // 10**6 * 10**6, number >> 20 << 20):
            text = amount_text(max(value, LEAST_MEMORY), written_in, word)
            back = text.replace(",", "").removesuffix(f" {word}")
            assert parse_amount(back, units, "1") == max(value, LEAST_MEMORY)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (8 * 10**9, "8 GB"),
        (8 << 30, "8 GiB"),
        (1536 << 20, "1.5 GiB"),
        (1_450_000_000, "1.45 GB"),
        (1_450_000_001, "1,450,000,001 bytes"),
        (999_000_000_000, "999 GB"),
        (10**6, "1 MB"),
    ],
)
def test_amounts_of_memory_are_written_as_people_write_them(value, text):
    assert amount_text(value, BYTES, "bytes") == text


@pytest.mark.parametrize("field", ["training_memory", "inference_memory"])
@pytest.mark.parametrize(
    ("value", "fact"),
    [
        (12, "12 bytes? write 12MB or 12GB"),
        ("12", "12 bytes? write 12MB or 12GB"),
        ("640B", "640 bytes? write 640MB or 640GB"),
        ("8k", "8,000 bytes are less than 1 MB; write an amount such as 8GB"),
        (999_999, "999,999 bytes are less than 1 MB; write an amount such as 8GB"),
        (0, "0 is less than 1"),
    ],
)
def test_memory_without_its_unit_is_refused(field, value, fact):
    with pytest.raises(SpecError) as caught:
        Budget(**{field: value})
    assert str(caught.value) == f"{field}: {fact}"


@given(st.integers(1, 2**63 - 1))
def test_a_budget_is_written_as_numbers_that_read_back(number):
    budget = Budget(parameters=number, training_memory="8GiB")
    assert budget.plain() == {"parameters": number, "training_memory": 8 * 2**30}
    assert Budget(**budget.plain()) == budget


@pytest.mark.parametrize(
    ("field", "value", "fact"),
    [
        ("parameters", "10 apples", "unknown unit 'apples' in '10 apples'; " + "{example}"),
        ("parameters", "10m", "unknown unit 'm' in '10m'; did you mean '10M'?"),
        ("parameters", "500K", "unknown unit 'K' in '500K'; did you mean '500k'?"),
        ("parameters", "8GB", "unknown unit 'GB' in '8GB'; {example}"),
        ("parameters", "1e400", "'1e400' is not an amount; {example}"),
        ("parameters", "", "'' is not an amount; {example}"),
        ("parameters", "10  M", "'10  M' is not an amount; {example}"),
        ("parameters", "10,000", "'10,000' is not an amount; {example}"),
        ("parameters", "9" * 70, f"'{'9' * 57}...' is not an amount; {{example}}"),
        ("parameters", "1.0005k", "'1.0005k' is not a whole number; write one such as 500k or 10M"),
        ("parameters", "-3M", "-3000000 is less than 1"),
        ("parameters", "0k", "0 is less than 1"),
        ("parameters", 10.5, "10.5 is not a whole number"),
        ("parameters", float("inf"), "inf is not a whole number"),
        ("parameters", True, "true is not a whole number"),
        ("parameters", 1 << 63, "9223372036854775808 is more than 9223372036854775807"),
        ("macs", "30GMACs", "unknown unit 'GMACs' in '30GMACs'; did you mean '30GMAC'?"),
        ("training_memory", "8gib", "unknown unit 'gib' in '8gib'; did you mean '8GiB'?"),
        ("inference_memory", "8Gi", "unknown unit 'Gi' in '8Gi'; did you mean '8GiB'?"),
    ],
)
def test_what_is_no_amount_is_refused(field, value, fact):
    with pytest.raises(SpecError) as caught:
        Budget(**{field: value})
    shown = fact.replace("{example}", "write a number such as 500k or 10M")
    assert str(caught.value) == f"{field}: {shown}"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "none"), (1, "a0"), (3, "a0, a1, a2"), (22, "a0, a1 and 20 more")]
)
def test_a_long_list_of_names_is_cut(count, text):
    assert brief([f"a{i}" for i in range(count)]) == text
