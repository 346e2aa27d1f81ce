"""The code of today against the table: counts to the digit, computed values to 1e-9."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from gridgen.architectures.names import ARCHITECTURES
from gridgen.grid.layers import Deconv, flat
from gridgen.spec import GridSpec
from tests.unchanged.networks import CASES, grid_cases, published_cases
from tests.unchanged.observing import SAMPLES, grid_of, numbers, observe, observe_weights
from tests.unchanged.write import CAMVID, TABLE, rounded

EXACT = 1e-9
"""Relative; other CPUs round otherwise."""
FP32 = 1e-4


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    return json.loads(TABLE.read_text("utf-8"))


def is_tensor(told: Any) -> bool:
    """Whether these are the `numbers` of a tensor."""
    if not (isinstance(told, list) and len(told) == 3 and isinstance(told[2], list)):
        return False
    return len(told[2]) == SAMPLES and all(isinstance(value, float) for value in told[2])


@cache
def bytes_of_shares(name: str) -> int:
    """What autograd keeps of the shares of weighted fusions: the ReLU of n weights, their sum, and
    the n shares. Memory counted none of these when the table was written.
    """
    grid = grid_of(CASES[name])
    return sum(4 * (2 * number + 1) for _, number in grid.fusion_weights())


def is_share_of_fusions(then: Any, now: Any, *at: str) -> bool:
    """Whether a figure of memory has grown by the shares of weighted fusions, or a part of them."""
    if len(at) < 4 or at[1] != "memory":
        return False
    shares = bytes_of_shares(at[0])
    if at[2:] == ("fp32, adam", "saved"):
        return now - then == shares
    return 0 < now - then <= 2 * shares  # at a peak their gradients are alive too


@cache
def bytes_of_flipped_kernels(name: str) -> int:
    """Of the kernels of deconvolutions of stride 1, which a CPU flips in training. Memory counted
    no copies of them when the table was written.
    """
    layers = (layer for _, part in grid_of(CASES[name]).parts() for layer in flat(part))
    return sum(
        4 * layer.parameters for layer in layers if isinstance(layer, Deconv) and layer.stride == 1
    )


def is_flipped_kernel(then: Any, now: Any, *at: str) -> bool:
    """Whether a figure of memory on a CPU has grown by copies of kernels, and their gradients."""
    if at[1:3] != ("memory", "sgd, recompute column, cpu"):
        return False
    return 0 < now - then <= 3 * bytes_of_flipped_kernels(at[0]) + 2 * bytes_of_shares(at[0])


def differences(then: Any, now: Any, exact: float, *at: str) -> Iterator[str]:
    """Every place where the table and today's code differ, one line each."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in [*then, *(key for key in now if key not in then)]:
            if key in then and key in now:
                yield from differences(then[key], now[key], exact, *at, key)
            else:
                yield f"{' / '.join((*at, key))}: only {'then' if key in then else 'now'}"
    elif is_tensor(then) and is_tensor(now) and then[0] == now[0]:
        _, absolute, most = then[1]
        bounds = [absolute, absolute, most, *(most for _ in then[2])]
        pairs = zip((*then[1], *then[2]), (*now[1], *now[2]), bounds, strict=True)
        apart = max(abs(one - other) / (bound or 1) for one, other, bound in pairs)
        if not apart <= exact:  # not a number is no success
            yield f"{' / '.join(at)}: {apart:.1e} apart"
    elif (
        then != now
        and not is_share_of_fusions(then, now, *at)
        and not is_flipped_kernel(then, now, *at)
    ):
        yield f"{' / '.join(at)}: {then} then, {now} now"


@pytest.mark.parametrize("name", CASES)
def test_a_network_is_what_it_was(name, table):
    now = json.loads(json.dumps(rounded(observe(CASES[name], numbers))))
    found = list(differences(table[name], now, EXACT, name))
    assert not found, "\n".join(found)


def test_the_weights_of_camvid_load_and_predict_as_before(table):
    then, now = table[CAMVID], json.loads(json.dumps(rounded(observe_weights(numbers))))
    # Fields that specs did not have then stand at their defaults.
    assert GridSpec(**then["spec"]).complete() == now["spec"]
    now["spec"] = {field: now["spec"][field] for field in then["spec"]}
    found = [
        *differences(then.pop("fp32"), now.pop("fp32"), FP32, "fp32"),
        *differences(then, now, EXACT, CAMVID),
    ]
    assert not found, "\n".join(found)


def test_the_table_holds_60_specs_and_every_published_network(table):
    assert len(grid_cases()) == 60
    assert {case.published for case in published_cases()} == set(ARCHITECTURES)
    assert set(table) == {*CASES, CAMVID}


@pytest.mark.parametrize(
    ("at", "change"),
    [
        (("count", "parameters", "total"), lambda value: value + 1),
        (("state", "stem.0.weight"), lambda value: [*value, 1]),
        (("memory", "fp32, adam", "saved"), lambda value: value - 4),
        (
            ("evaluation",),
            lambda told: [told[0], told[1], [1e-8 * told[1][2] + told[2][0], *told[2][1:]]],
        ),
        (("training, mask", "gradients"), lambda told: [told[0], [float("nan")] * 3, told[2]]),
    ],
)
def test_a_difference_is_found(at, change, table):
    name = "gridnet 2+2"
    changed = json.loads(json.dumps(table[name]))
    place = changed
    for key in at[:-1]:
        place = place[key]
    place[at[-1]] = change(place[at[-1]])
    [found] = differences(table[name], changed, EXACT, name)
    assert found.startswith(" / ".join((name, *at)))
