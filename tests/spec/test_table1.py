"""The variants of the paper's table 1, and twins of the proposed network's parameters."""

from pathlib import Path

import pytest

from gridgen.analysis import count
from gridgen.grid import build_grid
from gridgen.spec import GridSpec

FOLDER = Path(__file__).parents[2] / "specs" / "table1"
PROPOSED = 13_181_097
VERTICAL = {"lateral": True, "vertical": True}

# What each says that the first row does not, and its exact number of parameters.
VARIANTS = {
    "sum-h": ({}, PROPOSED),
    "sum-h-dropout": ({"total_dropout": 0.1}, PROPOSED),
    "sum-hv": ({"residual": VERTICAL}, 13_444_377),
    "sum-hv-dropout": ({"residual": VERTICAL, "total_dropout": 0.1}, 13_444_377),
    "concat-h": ({"fusion": "concat"}, 13_661_497),
}
TWINS = {
    "sum-hv-matched": ("sum-hv", 13_184_175),
    "sum-hv-dropout-matched": ("sum-hv-dropout", 13_184_175),
    "concat-h-matched": ("concat-h", 13_179_397),
}
COUNTS = {name: found for name, (_, found) in (VARIANTS | TWINS).items()}


def load(name: str) -> GridSpec:
    return GridSpec.load(FOLDER / f"{name}.yaml")


def test_every_row_has_a_file_and_every_file_a_row():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_a_file_has_the_parameters_that_it_should(name):
    assert count(build_grid(load(name))).parameters.total == COUNTS[name]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_the_first_row_but_for_what_its_name_says(name):
    differing, _ = VARIANTS[name]
    assert load(name) == load("sum-h").but(**differing)
    assert load("sum-h").plain() == {
        "streams": 5,
        "columns": "3+3",
        "base_channels": 16,
        "classes": 19,
    }


def test_a_variant_with_more_parameters_has_a_twin():
    larger = {name for name, (_, found) in VARIANTS.items() if found > PROPOSED}
    assert {variant for variant, _ in TWINS.values()} == larger


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_differs_in_its_channels_alone(name):
    variant, _ = TWINS[name]
    twin = load(name)
    assert twin == load(variant).but(base_channels=None, channels=twin.stream_channels)
    assert twin.stream_channels[0] == 16


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_is_within_half_a_percent_of_the_proposed_network_and_says_so(name):
    found = COUNTS[name]
    share = (found - PROPOSED) / PROPOSED
    assert abs(share) < 0.005
    assert f"{found:,}, {100 * share:+.3f} %" in (FOLDER / f"{name}.yaml").read_text("utf-8")
