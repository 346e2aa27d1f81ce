import pytest

from gridgen.analysis.lints import Case
from gridgen.analysis.lints.image import cropping, padding
from gridgen.grid import build_grid
from gridgen.spec import GridSpec


def case(size, policy: str) -> Case:
    spec = GridSpec(streams=5, columns="1+1", base_channels=1, classes=2, size=policy)
    return Case(build_grid(spec), size)


def test_it_says_how_much_is_made_up():
    [finding] = padding(case((33, 48), "pad"))
    assert (finding.places, finding.fact) == (
        ("size",),
        "33x48 becomes 48x48 by padding; 31% of that is made up",
    )
    assert finding.fix.flags == ("--size", "32x48")
    assert finding.fix.words == "use images of 32x48, or fewer streams"


def test_it_says_how_much_is_not_seen():
    [finding] = cropping(case((47, 48), "crop"))
    assert finding.fact == "47x48 becomes 32x48 by cropping; 32% of the image is not seen"
    assert finding.fix.flags == ("--size", "48x48")


@pytest.mark.parametrize("lint", [padding, cropping])
@pytest.mark.parametrize("policy", ["pad", "crop", "resize"])
@pytest.mark.parametrize("size", [None, (48, 48), (360, 480)])
def test_camvid_and_legal_sizes_are_fine(lint, policy, size):
    assert list(lint(case(size, policy))) == []


@pytest.mark.parametrize(("lint", "policy"), [(padding, "crop"), (cropping, "pad")])
def test_each_speaks_of_its_own_policy(lint, policy):
    assert list(lint(case((33, 48), policy))) == []


def test_resizing_adds_nothing_and_leaves_nothing_out():
    some = case((33, 48), "resize")
    assert [*padding(some), *cropping(some)] == []


def test_an_image_below_the_least_is_to_be_as_large():
    [finding] = padding(case((3, 40), "pad"))
    assert finding.fix.flags == ("--size", "16x48")
