import pytest
import yaml
from hypothesis import given, settings, strategies as st
from strategies import specs, topologies_for

from gridgen.errors import SpecError, unknown
from gridgen.grid import Grid, build_grid
from gridgen.spec import CustomTopology, GridSpec, shorten
from tests.work import calls, peak_bytes

FIELDS = {"streams": "3", "columns": "2+2", "base_channels": "4", "classes": "2"}
NAME = "^[a-z][a-z0-9_-]{0,63}$"
PATTERN = r"^[a-z0-9_*?\[\]!-]{1,64}$"
ALL_FIELDS = (
    "activation, base_channels, channels, classes, columns, dimensions, fusion, head, in_channels, "
    "norm, residual, side_channels, size, stem, streams, topology, total_dropout, units"
)


def written(**fields: str) -> str:
    return "".join(f"{name}: {value}\n" for name, value in (FIELDS | fields).items())


def parsed(**fields: str) -> GridSpec:
    return GridSpec.parse(written(**fields), "mine.yaml")


def located(text: str, field: str, fact: str) -> str:
    """The whole message about the place that `@` marks in `text`, else about the field's value."""
    lines = text.split("\n")
    number = next(i for i, line in enumerate(lines) if line.startswith(f"{field}:"))
    line = lines[number]
    column = line.index("@") if "@" in line else len(f"{field}: ")
    shown = line.replace("@", "")
    return (
        f"mine.yaml:{number + 1}:{column + 1}: {fact}\n"
        f"{number + 1:>6} | {shown}\n"
        f"       | {' ' * column}^"
    )


def test_an_error_looks_like_a_compilers():
    with pytest.raises(SpecError) as caught:
        GridSpec.parse("streams: 0\ncolumns: 2+2\nbase_channels: 4\nclasses: 2\n", "mine.yaml")
    assert str(caught.value) == (
        "mine.yaml:1:10: streams: 0 is less than 1\n     1 | streams: 0\n       |          ^"
    )


NOT_WHOLE = {
    "4.0": "4.0",
    "4.5": "4.5",
    "1e-3": "0.001",
    "1e999": "inf",
    "true": "true",
    "'4'": "'4'",
    "no": "'no'",
    "010": "'010'",
    "1:30": "'1:30'",
    "1_6": "'1_6'",
    "0x10": "'0x10'",
    ".inf": "'.inf'",
    "[4]": "[4]",
    "{a: 4}": "{'a': 4}",
    "four": "'four'",
}


UNITS = "write lines of lateral, subsampling, upsampling"


@pytest.mark.parametrize("value", NOT_WHOLE)
@pytest.mark.parametrize("field", ["streams", "base_channels", "in_channels", "classes"])
def test_a_whole_number_is_nothing_else(field, value):
    with pytest.raises(SpecError) as caught:
        parsed(**{field: value})
    fact = f"{field}: {NOT_WHOLE[value]} is not a whole number"
    assert str(caught.value) == located(written(**{field: value}), field, fact)


@pytest.mark.parametrize(
    ("field", "value", "fact"),
    [
        ("streams", "0", "streams: 0 is less than 1"),
        ("streams", "-1", "streams: -1 is less than 1"),
        ("streams", "17", "streams: 17 is more than 16"),
        ("streams", "null", "streams: null is not a whole number"),
        (
            "columns",
            "3",
            "columns: 3 is neither a list of sub and up nor of the form 3+3",
        ),
        ("columns", "null", "columns: null is neither a list of sub and up nor of the form 3+3"),
        (
            "columns",
            "{sub: 1}",
            "columns: {'sub': 1} is neither a list of sub and up nor of the form 3+3",
        ),
        ("columns", "[]", "columns: 0 values; at least 1"),
        ("columns", "0+0", "columns: 0 values; at least 1"),
        ("columns", "[sub, @dwn]", "columns.1: 'dwn' is not one of: 'sub' or 'up'"),
        ("columns", "[@dwn]", "columns.0: 'dwn' is not one of: 'sub' or 'up'"),
        ("columns", "[sub, up, @true]", "columns.2: true is not one of: 'sub' or 'up'"),
        ("columns", "[sub, @[up]]", "columns.1: ['up'] is not one of: 'sub' or 'up'"),
        *(
            (
                "columns",
                value,
                f"columns: {value.strip(chr(39))!r} is neither a list of sub and up nor of the "
                "form 3+3",
            )
            for value in ["3+", "'+3'", "3-3", "2+2+2", "'2 + 2'", "sub", "-1+2", "1e3+1"]
        ),
        ("base_channels", "0", "base_channels: 0 is less than 1"),
        ("base_channels", "65537", "base_channels: 65537 is more than 65536"),
        (
            "base_channels",
            "32768",
            "base_channels: 32768 at 3 streams makes 131072 channels; 65536 at most",
        ),
        (
            "channels",
            "[1, 2, 3]",
            "channels: given beside base_channels; leave one of the two out, or null",
        ),
        ("channels", "[1, @0, 3]", "channels.1: 0 is less than 1"),
        ("channels", "[1, @65537, 3]", "channels.1: 65537 is more than 65536"),
        ("channels", "[1, @'2', 3]", "channels.1: '2' is not a whole number"),
        ("channels", "[1, @true, 3]", "channels.1: true is not a whole number"),
        ("channels", "8", "channels: 8 is not a list"),
        ("in_channels", "0", "in_channels: 0 is less than 1"),
        ("in_channels", "4097", "in_channels: 4097 is more than 4096"),
        ("classes", "0", "classes: 0 is less than 1"),
        ("classes", "4097", "classes: 4097 is more than 4096"),
        ("units", "residual", f"units: 'residual' has no fields; {UNITS}"),
        ("units", "[residual]", f"units: ['residual'] has no fields; {UNITS}"),
        ("units", "{lateral: @5}", "units.lateral: 5 is not a word"),
        (
            "units",
            "{lateral: @Residual}",
            "units.lateral: unknown lateral unit 'Residual'; did you mean 'residual'?",
        ),
        (
            "units",
            "{@laterl: residual}",
            f"units.laterl: {unknown('field', 'laterl', ['lateral'])}",
        ),
        ("fusion", "1", "fusion: 1 is not a word"),
        ("fusion", "true", "fusion: true is not a word"),
        ("fusion", "[sum]", "fusion: ['sum'] is not a word"),
        ("fusion", "Sum", "fusion: unknown fusion 'Sum'; did you mean 'sum'?"),
        ("fusion", "''", "fusion: unknown fusion ''; known: concat, sum, weighted"),
        (
            "fusion",
            "a" * 65,
            f"fusion: unknown fusion '{'a' * 65}'; known: concat, sum, weighted",
        ),
        ("residual", "true", "residual: true has no fields; write lines of lateral, vertical"),
        ("residual", "{lateral: @no}", "residual.lateral: 'no' is neither true nor false"),
        ("residual", "{vertical: @1}", "residual.vertical: 1 is neither true nor false"),
        ("residual", "{vertical: @'true'}", "residual.vertical: 'true' is neither true nor false"),
        (
            "residual",
            "{@diagonal: true}",
            (f"residual.diagonal: {unknown('field', 'diagonal', ['lateral', 'vertical'])}"),
        ),
        ("total_dropout", "1", "total_dropout: 1 is not less than 1.0"),
        ("total_dropout", "-0.1", "total_dropout: -0.1 is less than 0.0"),
        ("total_dropout", "1e999", "total_dropout: inf is not a number"),
        ("total_dropout", ".nan", "total_dropout: '.nan' is not a number"),
        ("total_dropout", "'0.1'", "total_dropout: '0.1' is not a number"),
        ("total_dropout", "true", "total_dropout: true is not a number"),
        ("total_dropout", "null", "total_dropout: null is not a number"),
        ("stem", "5", "stem: 5 is not a word"),
        ("stem", "null", "stem: null is not a word"),
        ("head", "a b", "head: unknown head 'a b'; known: bilinear, conv, deconv, residual"),
        ("size", "stretch", "size: 'stretch' is not one of: 'error', 'pad', 'crop' or 'resize'"),
        ("size", "true", "size: true is not one of: 'error', 'pad', 'crop' or 'resize'"),
        ("topology", "U-Net", "topology: unknown topology 'U-Net'; did you mean 'unet'?"),
        (
            "topology",
            "5",
            "topology: 5 is no topology; give a name, {keep: [...]} or {drop: [...]}",
        ),
        (
            "topology",
            "[unet]",
            "topology: ['unet'] is no topology; give a name, {keep: [...]} or {drop: [...]}",
        ),
        ("topology", "{}", "topology: give either keep or drop"),
        ("topology", "{keep: [a], drop: [b]}", "topology: give either keep or drop"),
        ("topology", "{keep: @[]}", "topology.keep: 0 values; at least 1"),
        ("topology", "{drop: @unet}", "topology.drop: 'unet' is not a list"),
        ("topology", "{keep: [a, @5]}", "topology.keep.1: 5 is not a word"),
        ("topology", "{keep: [@'A b']}", f"topology.keep.0: 'A b' does not match {PATTERN}"),
        (
            "topology",
            "{@keeep: [a]}",
            f"topology.keeep: {unknown('field', 'keeep', ['keep'])}",
        ),
    ],
)
def test_a_bad_value_is_shown_with_its_line_and_what_is_wrong(field, value, fact):
    text = written(**{field: value})
    with pytest.raises(SpecError) as caught:
        GridSpec.parse(text.replace("@", ""), "mine.yaml")
    assert str(caught.value) == located(text, field, fact)


def test_a_misspelt_field_gets_the_nearest_name_else_all_names():
    with pytest.raises(SpecError) as caught:
        parsed(steams="3")
    assert str(caught.value) == (
        f"mine.yaml:5:1: steams: {unknown('field', 'steams', ['streams'])}\n"
        "     5 | steams: 3\n       | ^"
    )
    with pytest.raises(SpecError) as caught:
        parsed(zzz="3")
    assert str(caught.value) == (
        f"mine.yaml:5:1: zzz: unknown field 'zzz'; known: {ALL_FIELDS}\n     5 | zzz: 3\n       | ^"
    )


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_without_default_must_be_there(field):
    text = "".join(f"{name}: {value}\n" for name, value in FIELDS.items() if name != field)
    with pytest.raises(SpecError) as caught:
        GridSpec.parse(text, "mine.yaml")
    fact = f"{field}: this field is missing; add it"
    if field == "base_channels":
        fact = "base_channels or channels is missing; add one of them"
    first = text.split("\n")[0]
    assert str(caught.value) == f"mine.yaml:1:1: {fact}\n     1 | {first}\n       | ^"


def test_channels_are_one_per_stream():
    text = "streams: 3\ncolumns: 2+2\nchannels: [4, 8]\nclasses: 2\n"
    with pytest.raises(SpecError) as caught:
        GridSpec.parse(text, "mine.yaml")
    fact = "channels: 2 values for 3 streams; give one per stream"
    assert str(caught.value) == located(text, "channels", fact)


def refused(act):
    """`act`, which must be refused, as something that returns."""

    def run():
        with pytest.raises(SpecError):
            act()

    return run


@pytest.mark.parametrize(
    ("field", "value", "fact"),
    [
        ("base_channels", str(2**40), "base_channels: 1099511627776 is more than 65536"),
        ("streams", str(10**9), "streams: 1000000000 is more than 16"),
        ("streams", "9" * 40, f"streams: {'9' * 40} is more than 16"),
        ("columns", "1000000+1000000", "columns: 2000000 columns are more than 2048"),
        ("columns", "999999999+999999999", "columns: 1999999998 columns are more than 2048"),
        ("columns", f"[{'up, ' * 2048}up]", "columns: 2049 values; 2048 at most"),
    ],
)
def test_absurd_grids_are_refused_with_little_work(field, value, fact):
    with pytest.raises(SpecError) as caught:
        parsed(**{field: value})
    assert calls(refused(lambda: parsed(**{field: value}))) < 10_000 + 100 * len(value)
    assert peak_bytes(refused(lambda: parsed(**{field: value}))) < 8 * 2**20
    assert str(caught.value).split("\n")[0].endswith(f": {fact}")
    assert len(str(caught.value)) < 500


def test_a_million_columns_as_a_python_list_are_refused_with_little_work():
    columns = ["sub", "up"] * 500_000

    def build():
        GridSpec(streams=3, columns=columns, base_channels=4, classes=2)

    with pytest.raises(SpecError) as caught:
        build()
    assert calls(refused(build)) < 1000
    assert peak_bytes(refused(build)) < 2**20
    assert str(caught.value) == "columns: 1000000 values; 2048 at most"


@pytest.mark.parametrize(
    ("field", "value", "fact"),
    [
        (
            "units",
            "{lateral: @residul}",
            f"units.lateral: {unknown('lateral unit', 'residul', ['residual'])}",
        ),
        (
            "units",
            "{subsampling: @deconv}",
            (
                "units.subsampling: "
                f"{unknown('subsampling unit', 'deconv', ['max-pool', 'separable', 'strided'])}"
            ),
        ),
        (
            "units",
            "{upsampling: @bilinar}",
            (f"units.upsampling: {unknown('upsampling unit', 'bilinar', ['bilinear'])}"),
        ),
        ("fusion", "summ", f"fusion: {unknown('fusion', 'summ', ['sum'])}"),
        ("stem", "comv", f"stem: {unknown('stem', 'comv', ['conv'])}"),
        (
            "head",
            "zzz",
            f"head: {unknown('head', 'zzz', ['bilinear', 'conv', 'deconv', 'residual'])}",
        ),
        ("topology", "u-net", f"topology: {unknown('topology', 'u-net', ['unet'])}"),
        (
            "topology",
            "{keep: [lateral_0_1, @laterel_0_2]}",
            (f"topology.keep.1: {unknown('connection', 'laterel_0_2', ['lateral_0_2'])}"),
        ),
        (
            "topology",
            "{drop: [@lateral_7*]}",
            (f"topology.drop.0: {unknown('connection', 'lateral_7*', ['lateral_*'])}"),
        ),
        (
            "topology",
            "{drop: ['lateral_0_*', sub_*]}",
            "topology: no path from input to output is left; keep one along the streams",
        ),
        (
            "columns",
            "[up, up, sub]",
            "columns: no path from input to output visits stream 1, 2; "
            "the columns need a sub before an up",
        ),
        (
            "columns",
            "2+0",
            "columns: no path from input to output visits stream 1, 2; "
            "the columns need a sub before an up",
        ),
    ],
)
def test_errors_of_later_passes_are_shown_at_their_line(field, value, fact):
    text = written(**{field: value})
    with pytest.raises(SpecError) as caught:
        build_grid(GridSpec.parse(text.replace("@", ""), "mine.yaml"))
    assert str(caught.value) == located(text, field, fact)


def test_a_topology_that_the_columns_do_not_allow_is_shown_at_its_line():
    text = written(columns="[sub, up, sub, up]", topology="unet")
    with pytest.raises(SpecError) as caught:
        build_grid(GridSpec.parse(text, "mine.yaml"))
    fact = (
        "topology: conv-deconv, unet and frrn go down and up once; columns 1+1+1+1 are not sub "
        "columns, then up columns"
    )
    assert str(caught.value) == located(text, "topology", fact)


def test_the_defaults_are_the_papers():
    spec = parsed()
    assert spec.in_channels == 3
    assert spec.units.model_dump() == {
        "lateral": "residual",
        "subsampling": "strided",
        "upsampling": "deconv",
    }
    assert spec.residual.model_dump() == {"lateral": True, "vertical": False}
    assert (spec.fusion, spec.stem, spec.head, spec.size) == ("sum", "conv", "deconv", "error")
    assert (spec.total_dropout, spec.topology) == (0.0, None)


def test_columns_in_short_and_long_form_are_the_same():
    short, long = parsed(columns="2+1"), parsed(columns="[sub, sub, up]")
    assert short == long
    assert short.columns == ("sub", "sub", "up")
    assert long.plain()["columns"] == "2+1"
    assert parsed(columns="[sub, up, sub]").plain()["columns"] == ["sub", "up", "sub"]


@pytest.mark.parametrize(
    ("columns", "short"),
    [
        (("sub", "sub"), "2+0"),
        (("up",), "0+1"),
        (("sub", "sub", "up"), "2+1"),
        (("up", "sub"), "0+1+1"),
        (("sub", "up", "up", "sub", "up"), "1+2+1+1"),
    ],
)
def test_shorten_writes_runs_from_sub_on(columns, short):
    assert shorten(columns) == short


@given(st.lists(st.sampled_from(["sub", "up"]), min_size=1, max_size=12).map(tuple))
def test_shorten_forgets_nothing(columns):
    runs = [int(run) for run in shorten(columns).split("+")]
    assert len(runs) >= 2
    expanded = [("sub", "up")[i % 2] for i, run in enumerate(runs) for _ in range(run)]
    assert tuple(expanded) == columns


def test_channels_double_unless_given():
    assert parsed().stream_channels == (4, 8, 16)
    spec = GridSpec(streams=3, columns="2+2", channels=[32, 64, 96], classes=2)
    assert spec.stream_channels == (32, 64, 96)


def test_channels_of_streams_are_computed_once():
    spec = parsed()
    assert spec.stream_channels is spec.stream_channels
    assert spec.but(base_channels=6).stream_channels == (6, 12, 24)


def test_shape_says_the_grid_in_a_few_words():
    assert parsed().shape == "3 streams, 2+2 columns, F0 = 4"
    given = {"columns": ["sub", "up", "sub"], "classes": 2}
    spec = GridSpec(streams=3, channels=[32, 64, 96], **given)
    assert spec.shape == "3 streams, 1+1+1 columns, channels 32/64/96"
    assert GridSpec(streams=1, channels=[8], **given).shape == ("1 stream, 1+1+1 columns, F0 = 8")


def test_sides_are_multiples_of_two_to_the_streams_less_one():
    assert [parsed(streams=str(n)).multiple for n in (1, 2, 5)] == [1, 2, 16]


def test_a_custom_topology_keeps_or_drops():
    spec = parsed(topology="{keep: ['lateral_?_*', sub_1_0]}")
    assert isinstance(spec.topology, CustomTopology)
    assert (spec.topology.keep, spec.topology.drop) == (("lateral_?_*", "sub_1_0"), None)


@settings(max_examples=200)
@given(specs(), st.data())
def test_a_spec_survives_yaml(spec, data):
    topologies = [None, *topologies_for(spec), {"keep": ["lateral_*", "*_0_*"]}, {"drop": ["u*"]}]
    spec = spec.but(topology=data.draw(st.sampled_from(topologies)))
    flow = data.draw(st.booleans())
    text = yaml.safe_dump(spec.plain(), default_flow_style=flow, sort_keys=False)
    read = GridSpec.parse(text)
    assert read == spec
    assert read.plain() == spec.plain()
    assert GridSpec(**read.plain()) == spec


SPLICES = st.sampled_from(
    [
        *("", "0", "-", "9" * 12, "1e9", "0.5", "true", "null", "no", "sub", "up", "unet", "+"),
        *("'", '"', "[", "]", "{", "}", ",", ": ", "\n", "  ", "- ", "#", "&a ", "*a", "!!int "),
        *("---\n", "*", "\x00", "\u202e", "\ufeff", "\t", "\\", "channels: [1, 2]\n"),
        "topology: {keep: ['*']}\n",
    ]
)


@settings(max_examples=300)
@given(specs(), st.booleans(), st.data())
def test_a_damaged_spec_is_a_spec_or_a_spec_error(spec, flow, data):
    text = yaml.safe_dump(spec.plain(), default_flow_style=flow)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        stop = data.draw(st.integers(start, min(start + 10, len(text))))
        text = text[:start] + data.draw(SPLICES) + text[stop:]
    try:
        spec = GridSpec.parse(text, "mine.yaml")
        grid = build_grid(spec) if spec.streams * len(spec.columns) < 200 else None
    except SpecError as error:
        message = str(error)
    else:
        assert GridSpec(**spec.plain()) == spec
        assert grid is None or isinstance(grid, Grid)
        return
    assert message.startswith("mine.yaml:")
    assert message.encode()
