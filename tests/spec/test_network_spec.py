"""Fields of a spec changed by dotted names."""

import pytest

from gridgen.errors import SpecError, unknown
from gridgen.spec import GridSpec
from gridgen.spec.network import changed

SPEC = GridSpec(streams=2, columns="1+1", base_channels=4, classes=2)


def test_a_dotted_name_reaches_into_a_field_and_leaves_its_others():
    spec = changed(SPEC, {"units.lateral": "bottleneck", "classes": 3})
    spec = changed(spec, {"units.upsampling": "bilinear"})
    assert spec.plain() == SPEC.plain() | {
        "classes": 3,
        "units": {"lateral": "bottleneck", "upsampling": "bilinear"},
    }


def test_nothing_changed_is_the_same_spec():
    assert changed(SPEC, {}) is SPEC


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"classes.x": 1}, "classes is 2, which has no fields"),
        ({"classes": 0}, "classes: 0 is less than 1"),
        ({"unit.lateral": "x"}, f"unit: {unknown('field', 'unit', ['units'])}"),
    ],
)
def test_what_cannot_be_is_refused(settings, text):
    with pytest.raises(SpecError) as caught:
        changed(SPEC, settings)
    assert str(caught.value) == text
