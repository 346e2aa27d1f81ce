"""What holds of every suite: what is no member at all is refused in one line that says what is."""

import inspect

import pytest

import gridgen.testing
from gridgen.errors import UsageError

SUITES = [name for name in vars(gridgen.testing) if name.startswith("check_")]


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("wrong", ["sum", None, 3])
def test_a_suite_refuses_what_is_no_member(name, wrong):
    suite = getattr(gridgen.testing, name)
    required = [
        each
        for each in inspect.signature(suite).parameters.values()
        if each.default is each.empty and each.kind is not each.VAR_POSITIONAL
    ]
    named = {each.name: wrong for each in required if each.kind is each.KEYWORD_ONLY}
    with pytest.raises(UsageError) as caught:
        suite(*[wrong] * max(len(required) - len(named), 1), **named)
    member = next(iter(inspect.signature(suite).parameters))
    assert str(caught.value).startswith(f"{name}: {member}")
    assert "; give a" in str(caught.value)
