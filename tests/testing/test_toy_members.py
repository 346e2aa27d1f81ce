"""The suites of `gridgen.testing` pass toy members that are whole, and catch each that is broken.

What is broken is one thing at a time; the words are those of the suite's sentence.
"""

import random
from dataclasses import replace

import pytest
from torch import nn

from gridgen.analysis.lints import Case, Finding, Fix
from gridgen.emit.lowering import lower, lower_layer
from gridgen.errors import TopologyError
from gridgen.grid import Draft, build_grid
from gridgen.grid.ends import STEMS
from gridgen.grid.fusions import Fusion
from gridgen.grid.layers import (
    AveragePool,
    BatchNorm,
    Conv,
    Deconv,
    GroupNorm,
    MaxPool,
    PReLU,
    ReLU,
    Residual,
    Resize,
    Upsample,
    in_dimensions,
)
from gridgen.spec import DraftSpec, GridSpec
from gridgen.spec.gridspec import STEM_STRIDES
from gridgen.testing import (
    check_activation,
    check_fusion,
    check_grid,
    check_head,
    check_lint,
    check_norm,
    check_stem,
    check_topology,
    check_unit,
)


def caught(check, *arguments, **named) -> str:
    """The one sentence of the suite."""
    with pytest.raises(AssertionError) as failure:
        check(*arguments, **named)
    sentence = str(failure.value)
    assert "\n" not in sentence
    return sentence


@pytest.fixture(autouse=True)
def _no_table_keeps_what_was_checked(tables):
    before = [dict(table) for table in tables]
    yield
    assert [dict(table) for table in tables] == before


def dilated(style, channels_in, channels_out):
    return style.before(Conv(channels_in, channels_out, dilation=2))


def block(style, channels_in, channels_out):
    """Ends with an activation, which no weights of its own can silence."""
    return (
        Residual((*style.before(Conv(channels_in, channels_out)),)),
        *style.activated(channels_out),
    )


def pooled(style, channels_in, channels_out):
    return MaxPool(), *style.after(Conv(channels_in, channels_out, kernel=1))


def nearest(style, channels_in, channels_out):
    return (*style.before(Conv(channels_in, channels_out)), Upsample("nearest"))


UNITS_AT_PLAY = [
    (dilated, "lateral"),
    (block, "lateral"),
    (pooled, "subsampling"),
    (nearest, "upsampling"),
]


@pytest.mark.parametrize(("unit", "kind"), UNITS_AT_PLAY)
def test_a_unit_of_ones_own_passes(unit, kind):
    check_unit(unit, kind)


BROKEN_UNITS = {
    "6 channels become 1, not 6": lambda style, i, o: style.before(Conv(i, 1)),
    "Conv expects 1 channels but gets 6": lambda style, i, o: (Conv(1, o),),
    "a map of 8 becomes 4, not 8": lambda style, i, o: (Conv(i, o, stride=2),),
    "a map of 8 becomes 4, not 8 ": lambda style, i, o: (Conv(i, o), AveragePool(4)),
    "BatchNorm(channels=6, dimensions=2) is not what the style normalizes by": (
        lambda style, i, o: (BatchNorm(i), Conv(i, o))
    ),
    "ReLU() is not what the style activates by": lambda style, i, o: (ReLU(), Conv(i, o)),
    "0.weight, 0.bias, 1.weight has no values at 1 -> 1 channels": (
        lambda style, i, o: (Conv(i, o // 4, kernel=1), Conv(o // 4, o, kernel=1))
    ),
    "list in place of a tuple of layers": lambda style, i, o: [Conv(i, o)],
    "is no layer record of gridgen.grid.layers": lambda style, i, o: (nn.Conv2d(i, o, 3),),
    "its layers are not the same each time": (
        lambda style, i, o: (Conv(i, o, dilation=random.randint(1, 1 << 30)),)
    ),
    "KeyError: 6": lambda style, i, o: {32: (Conv(i, o),)}[i],
}


@pytest.mark.parametrize("words", BROKEN_UNITS)
def test_a_broken_unit_is_caught(words):
    sentence = caught(check_unit, BROKEN_UNITS[words], "lateral")
    assert sentence.startswith("lateral unit <lambda>: norm ")
    assert words.strip() in sentence


@pytest.mark.parametrize(
    ("unit", "kind", "words"),
    [
        (dilated, "subsampling", "a map of 8 becomes 8, not 4"),
        (dilated, "upsampling", "a map of 8 becomes 8, not 16"),
        (pooled, "lateral", "a map of 8 becomes 4, not 8"),
        # Right where sides are even: 7 becomes 3.
        (
            lambda style, i, o: (Conv(i, o, kernel=2, stride=2),),
            "subsampling",
            "a map of 7 becomes 3, not 4",
        ),
    ],
)
def test_a_unit_of_another_kind_is_caught(unit, kind, words):
    assert words in caught(check_unit, unit, kind)


@pytest.mark.parametrize(
    ("record", "what", "wrong", "words"),
    [
        (Conv, "macs", lambda self, shape: 7, "MACs are counted; the module has"),
        (
            Conv,
            "parameters",
            property(lambda self: 9 * self.channels_in * self.channels_out),
            "parameters are counted; the module has",
        ),
        (BatchNorm, "activations", lambda *_: 0, "activations are counted; the module has"),
    ],
)
def test_a_layer_that_is_counted_wrongly_is_caught_in_networks(
    record, what, wrong, words, monkeypatch, fresh_costs
):
    monkeypatch.setattr(record, what, wrong)
    assert words in caught(check_unit, dilated, "lateral")


def test_memory_that_is_predicted_wrongly_is_caught_in_networks(monkeypatch):
    monkeypatch.setattr("gridgen.memory.layers.FP32", 2)
    sentence = caught(check_unit, dilated, "lateral")
    assert "bytes are predicted to be kept for the backward pass; autograd keeps" in sentence


def test_a_shared_map_that_is_overwritten_is_caught_in_networks(monkeypatch):
    def fresh_always(layers):
        return nn.Sequential(*(lower_layer(layer, fresh=True) for layer in layers))

    monkeypatch.setattr("gridgen.emit.network.lower", fresh_always)
    assert "RuntimeError" in caught(check_unit, dilated, "lateral")


@pytest.fixture
def fresh_costs():
    """Costs of layers are remembered, those of a record that is changed too."""
    from gridgen.grid.layers import cost

    cost.cache_clear()
    yield
    cost.cache_clear()


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (lambda y: y.detach(), "no gradient reaches units.lateral_0_1.0.weight"),
        (lambda y: 0 * y, "the gradient of all parameters of units.lateral_0_1 is zero"),
        (lambda y: y[:, :, :-1], "RuntimeError"),
        (lambda y: y / 0, "is not finite"),
    ],
)
def test_a_unit_that_is_not_trained_is_caught_in_networks(spoilt, words, monkeypatch):
    class Spoilt(nn.Sequential):
        def forward(self, x):
            return spoilt(super().forward(x))

    def lowered(layers):
        module = lower(layers)
        return Spoilt(*module) if Conv(6, 6, dilation=2) in in_dimensions(layers, 2) else module

    monkeypatch.setattr("gridgen.emit.network.lower", lowered)
    assert words in caught(check_unit, dilated, "lateral")


def test_a_grid_that_torch_refuses_is_caught():
    """Instance normalization of a single place, which has no variance."""
    draft = Draft()
    branch = AveragePool(1), Conv(4, 4, kernel=1), GroupNorm(4, 4), Resize("nearest")
    draft.connect((0, 0), (0, 1), branch, shortcut=(), auxiliary=(0, 0))
    ends = {"stem": (Conv(3, 4),), "head": (Conv(4, 2, kernel=1),)}
    sentence = caught(check_grid, draft.grid(DraftSpec(classes=2), **ends))
    assert sentence.startswith("draft: ValueError: Expected more than 1 value per channel")


def flat_stem(style, in_channels, channels):
    return style.after(Conv(in_channels, channels, kernel=1))


def halving_stem(style, in_channels, channels):
    return (*flat_stem(style, in_channels, channels), MaxPool())


def plain_head(style, channels, classes, stride):
    enlarged = (Upsample("nearest", stride),) if stride > 1 else ()
    return (*enlarged, *style.before(Conv(channels, classes, kernel=1)))


def test_ends_of_ones_own_pass():
    check_stem(flat_stem)
    check_stem(halving_stem, stride=2)
    check_head(plain_head)


@pytest.mark.parametrize("line", [None, 1, 4])
def test_the_line_of_a_stem_that_is_entered_is_checked_and_kept(line, monkeypatch):
    monkeypatch.setitem(STEMS, "halving", halving_stem)
    if line is not None:
        monkeypatch.setitem(STEM_STRIDES, "halving", line)
    before = dict(STEM_STRIDES)
    fact = f"its stride is 2, but STEM_STRIDES has {line or 'no line'} for 'halving'"
    assert fact in caught(check_stem, halving_stem, stride=2)
    assert before == STEM_STRIDES
    monkeypatch.setitem(STEM_STRIDES, "halving", 2)
    check_stem(halving_stem, stride=2)
    assert STEM_STRIDES["halving"] == 2


@pytest.mark.parametrize(
    ("check", "member", "words"),
    [
        (check_stem, halving_stem, "a map of 8 becomes 4, not 8"),
        (check_stem, lambda style, i, o: flat_stem(style, 3, o), "expects 3 channels but gets 1"),
        (check_stem, lambda style, i, o: flat_stem(style, i, 16), "3 channels become 16, not 6"),
        (
            check_head,
            lambda style, f, k, stride: plain_head(style, f, k, 1),
            "after a stem of stride 2: norm batch, activation relu, 6 -> 5 channels: "
            "a map of 8 becomes 8, not 16",
        ),
        (
            check_head,
            lambda style, f, k, stride: (Deconv(f, k, stride), BatchNorm(k)),
            "is not what the style normalizes by",
        ),
        (check_head, lambda style, f, k: plain_head(style, f, k, 1), "TypeError"),
    ],
)
def test_a_broken_end_is_caught(check, member, words):
    assert words in caught(check, member)


def pairs(channels):
    """Groups of two channels, or one of all where they are odd."""
    return (GroupNorm(channels, channels // 2 if channels % 2 == 0 else 1),)


def one_slope(channels):
    """The same slope for all channels."""
    return PReLU()


def test_a_style_of_ones_own_passes():
    check_norm(pairs)
    check_activation(one_slope)


@pytest.mark.parametrize(
    ("check", "member", "words"),
    [
        (check_norm, lambda channels: (GroupNorm(channels, 2),), "2 groups"),
        (check_norm, lambda channels: BatchNorm(channels), "BatchNorm in place of a tuple"),
        (check_norm, lambda channels: (BatchNorm(6),), "BatchNorm expects 6 channels but gets 1"),
        (check_norm, lambda channels: (BatchNorm(channels), MaxPool()), "becomes 4, not 8"),
        (check_activation, lambda channels: (ReLU(),), "(ReLU(),) is no layer record"),
        (check_activation, lambda channels: Conv(channels, 6), "1 channels become 6, not 1"),
        (check_activation, lambda: ReLU(), "TypeError"),
    ],
)
def test_a_broken_style_is_caught(check, member, words):
    assert words in caught(check, member)


def mixed(joined, channels):
    return (Conv(joined, channels),)


MIXED = Fusion("concatenated, then a 3x3 convolution", "concat", mixed)


def test_a_fusion_of_ones_own_passes():
    check_fusion(MIXED)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"description": ""}, "describe it in one line"),
        ({"join": "sum"}, "its layers are never used"),
        ({"after": lambda joined, channels: ()}, "10 channels become 10, not 5"),
        ({"after": lambda joined, channels: (Conv(5, 5),)}, "Conv expects 5 channels but gets 10"),
        (
            {"after": lambda joined, channels: (Conv(joined, channels, stride=2),)},
            "1 arrivals: a map of 8 becomes 4, not 8",
        ),
    ],
)
def test_a_broken_fusion_is_caught(change, words):
    assert words in caught(check_fusion, replace(MIXED, **change))


def rails(connection, spec):
    """Stream 0, and the way down in the first column and up in the last."""
    stream, column = connection.target
    if not spec.descends_once or not spec.sub_columns or not spec.up_columns:
        raise TopologyError("rails go down and up once", ("topology",))
    if connection.kind == "lateral":
        return stream in (0, spec.streams - 1)
    return column == (0 if connection.kind == "subsampling" else len(spec.columns) - 1)


def test_a_topology_of_ones_own_passes():
    check_topology(rails)


def _refuses(connection, spec):
    raise TopologyError("not with me")


@pytest.mark.parametrize(
    ("topology", "words"),
    [
        (lambda connection, spec: False, "it refuses the columns of every grid, or leaves no path"),
        (_refuses, "it refuses the columns of every grid"),
        (
            lambda connection, spec: connection.kind != "upsampling",
            "on no path from input to output",
        ),
        (lambda connection, spec: {"lateral": True}[connection.kind], "KeyError: 'subsampling'"),
        (
            lambda connection, spec: (
                connection.kind == "lateral"
                and (connection.target.stream == 0 or random.random() < 0.5)
            ),
            "on no path from input to output",
        ),
        (lambda connection: True, "TypeError"),
    ],
)
def test_a_broken_topology_is_caught(topology, words):
    assert words in caught(check_topology, topology)


def test_a_topology_that_draws_lots_is_caught():
    draws = random.Random(0)

    def lots(connection, spec):
        return rails(connection, spec) or (
            connection.kind == "subsampling" and spec.streams == 2 and draws.random() < 0.5
        )

    assert "what it keeps is not the same each time" in caught(check_topology, lots)


def case(**fields) -> Case:
    plain = {"streams": 2, "columns": "1+1", "base_channels": 4, "classes": 2}
    return Case(build_grid(GridSpec(**plain | fields)), (64, 64))


def narrow(some):
    """A network whose first stream has fewer than 8 channels."""
    if some.grid.spec.base_channels < 8:
        fix = Fix("give stream 0 at least 8 channels", {"base_channels": 8})
        yield Finding("narrow", ("base_channels",), "stream 0 has few channels", fix)


NARROW, WIDE = case(), case(base_channels=8)


def test_a_lint_of_ones_own_passes():
    check_lint(narrow, fires=NARROW, silent=WIDE)


def changed(**fields):
    """The lint with findings that are otherwise; `fix` too may be given."""

    def lint(some):
        """As `narrow`."""
        yield from (replace(finding, **fields) for finding in narrow(some))

    return lint


def nameless(some):
    return narrow(some)


@pytest.mark.parametrize(
    ("lint", "words"),
    [
        (nameless, "it has no docstring"),
        (changed(places=()), "at no place: a finding names no place"),
        (changed(places=("lateral_7_7",)), "the network has no place 'lateral_7_7'"),
        (changed(fact=""), "the fact is not one line"),
        (changed(fix=Fix("")), "the fix has no words"),
        (changed(fix=Fix("rest")), "the fix changes no field, size or batch"),
        (changed(fix=Fix("train longer", batch=9)), "'train longer' leaves 'stream 0 has few"),
        (changed(fix=Fix("go", {"base_channels": 0})), "0 is less than 1"),
        (changed(fix=Fix("go", {"width": 8})), "unknown field 'width'"),
    ],
)
def test_a_broken_lint_is_caught(lint, words):
    assert words in caught(check_lint, lint, fires=NARROW, silent=WIDE)


def test_a_lint_that_fires_where_it_should_not_is_caught():
    assert "it finds nothing where it should fire" in caught(
        check_lint, narrow, fires=WIDE, silent=NARROW
    )
    assert "it fires where it should be silent" in caught(
        check_lint, narrow, fires=NARROW, silent=case(base_channels=2)
    )


def test_findings_of_two_names_are_caught():
    def two(some):
        """Two lints in one."""
        for finding in narrow(some):
            yield from (finding, replace(finding, lint="wide"))

    assert "its findings are called " in caught(check_lint, two, fires=NARROW, silent=WIDE)
