"""Which names go to val, or to a fold."""

import pytest
from hypothesis import given, strategies as st

from gridgen.data.division import better_seed, chosen_for_val, grouped, parts_of
from gridgen.errors import DataError, UsageError

SIZES = st.lists(st.integers(1, 9), min_size=2, max_size=30)
SHARES = st.floats(0.01, 0.99)


@given(SIZES, SHARES, st.integers(0, 5))
def test_groups_stay_whole_and_neither_part_is_empty(sizes, share, seed):
    groups = {f"g{i}": [f"g{i}-{j}" for j in range(size)] for i, size in enumerate(sizes)}
    val = chosen_for_val(groups, share, seed)
    assert 0 < len(val) < sum(sizes)
    assert all(val.isdisjoint(names) or val.issuperset(names) for names in groups.values())
    assert val == chosen_for_val(dict(reversed(groups.items())), share, seed)


@given(st.integers(2, 200), SHARES)
def test_of_single_names_val_has_the_share(number, share):
    val = chosen_for_val(grouped(map(str, range(number)), None), share, 0)
    assert abs(len(val) - share * number) <= 1


@given(st.integers(2, 200), SHARES, st.text(max_size=5).map("new {}".format))
def test_a_name_that_is_added_moves_one_other_at_most(number, share, added):
    names = [str(n) for n in range(number)]
    before, after = (
        chosen_for_val(grouped(each, None), share, 3) for each in (names, [*names, added])
    )
    assert len(before ^ (after - {added})) <= 1


@given(SIZES, st.integers(2, 30))
def test_parts_share_no_group_and_differ_by_the_largest_at_most(sizes, number):
    number = min(number, len(sizes))
    groups = {f"g{i}": [f"g{i}-{j}" for j in range(size)] for i, size in enumerate(sizes)}
    parts = parts_of(groups, number)
    assert len(parts) == number
    assert sorted(name for part in parts for name in part) == sorted(
        name for names in groups.values() for name in names
    )
    for names in groups.values():
        assert sum(not {*names}.isdisjoint(part) for part in parts) == 1
    lengths = [len(part) for part in parts]
    assert min(lengths) > 0
    assert max(lengths) - min(lengths) <= max(sizes)
    assert parts == parts_of(dict(reversed(groups.items())), number)


def test_a_pattern_that_leaves_each_name_to_itself_groups_nothing():
    with pytest.raises(DataError) as error:
        grouped(["p1_01", "p1_02"], "^[^/]+")
    assert str(error.value) == (
        "--group: '^[^/]+' leaves each of 2 names to itself, such as 'p1_01'; write one that "
        "several share"
    )


def test_names_are_grouped_by_the_first_group_or_the_whole_match():
    names = ["c1_01", "c1_02", "c2_01"]
    assert grouped(names, "^(c.)_") == grouped(names, "^c.")
    assert grouped(names, None) == {name: [name] for name in names}
    assert grouped(["line\nend"], None) == {"line\nend": ["line\nend"]}


@pytest.mark.parametrize("pattern", ["^d", "^(d)?c"])
def test_a_name_without_a_group_is_told(pattern):
    with pytest.raises(DataError) as error:
        grouped(["c1_01"], pattern)
    assert str(error.value) == (
        f"--group: {pattern!r} does not match the name 'c1_01'; write one that matches all, such "
        "as '^[^_]+'"
    )


@pytest.mark.parametrize("pattern", ["(", "*", "a{4294967296}"])
def test_what_is_no_regular_expression_is_refused(pattern):
    with pytest.raises(UsageError, match=r"^--group: .* is no regular expression: "):
        grouped(["a"], pattern)


def test_one_group_cannot_be_divided():
    with pytest.raises(DataError) as error:
        chosen_for_val({"c1": ["c1_01", "c1_02"]}, 0.5, 0)
    assert str(error.value) == (
        "1 image or group, which cannot be both in train and in val; there must be two"
    )


def test_a_better_seed_has_each_class_in_both():
    names = [str(number) for number in range(20)]
    groups = grouped(names, None)
    shown = {name: frozenset({0, 1} if name in "37" else {0}) for name in names}
    seeds = {seed: better_seed(shown, groups, 0.2, seed) for seed in range(20)}

    def both(seed):
        return len(chosen_for_val(groups, 0.2, seed) & {"3", "7"}) == 1

    assert {seed for seed, better in seeds.items() if better is None} == set(filter(both, seeds))
    assert all(both(better) for better in seeds.values() if better is not None)


def test_where_no_seed_is_better_none_is_told():
    shown = {"a": frozenset({0}), "b": frozenset({1})}
    assert better_seed(shown, grouped(shown, None), 0.5, 0) is None
