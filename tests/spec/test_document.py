import json

import pytest
from pydantic import ValidationError

from gridgen.errors import SpecError, TopologyError
from gridgen.grid import build_grid
from gridgen.spec import CustomTopology, Document, GridSpec

TEXT = "streams: 3\ncolumns: 2+2\nbase_channels: 4\nclasses: 2\n"
FIELDS = {"streams": 3, "columns": "2+2", "base_channels": 4, "classes": 2}


def test_a_document_is_frozen():
    spec = GridSpec(**FIELDS)
    with pytest.raises(SpecError, match=r"GridSpec: streams cannot be changed; .* .but\(streams="):
        spec.streams = 4
    with pytest.raises(SpecError, match="Units: lateral cannot be changed"):
        spec.units.lateral = "bottleneck"
    with pytest.raises(ValidationError, match="frozen"):
        del spec.classes


def test_documents_are_equal_where_their_fields_are_wherever_they_come_from(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    made = GridSpec(**FIELDS)
    written_out = GridSpec(**FIELDS, fusion="sum", topology=None)
    alike = [made, written_out, GridSpec.parse(TEXT), GridSpec.parse(TEXT), GridSpec.load(path)]
    for spec in alike:
        assert spec == made
        assert hash(spec) == hash(made)
    assert made != made.but(classes=3)
    assert made != made.units
    assert made != FIELDS


def test_plain_holds_what_was_set_and_nothing_else():
    assert GridSpec.parse(TEXT).plain() == FIELDS
    spec = GridSpec(**FIELDS, residual={"vertical": True}, topology={"keep": ["sub_*"]})
    assert spec.plain() == FIELDS | {
        "residual": {"vertical": True},
        "topology": {"keep": ["sub_*"]},
    }


def test_but_replaces_fields_and_validates_again():
    spec = GridSpec.parse(TEXT)
    changed = spec.but(streams=2, topology=CustomTopology(drop=["up_0_3"]))
    assert changed.plain() == FIELDS | {"streams": 2, "topology": {"drop": ["up_0_3"]}}
    assert spec.plain() == FIELDS
    with pytest.raises(SpecError) as caught:
        spec.but(streams="4")
    assert str(caught.value) == "streams: '4' is not a whole number"
    with pytest.raises(SpecError) as caught:
        spec.but(strems=4)
    assert str(caught.value) == "strems: unknown field 'strems'; did you mean 'streams'?"


@pytest.mark.parametrize("fields", [{"streams": 0}, {"units": {"lateral": 3}}, {"strems": 2}])
def test_a_constructor_says_what_a_file_says(fields):
    with pytest.raises(SpecError) as of_file:
        GridSpec.parse(json.dumps(FIELDS | fields))
    with pytest.raises(SpecError) as of_python:
        GridSpec(**FIELDS | fields)
    assert str(of_python.value).splitlines()[0] in str(of_file.value)


def test_equal_fields_are_equal_specs():
    assert GridSpec(**FIELDS) == GridSpec(**FIELDS)


def test_a_file_of_another_kind_is_called_what_it_is():
    with pytest.raises(SpecError) as caught:
        GridSpec.parse("data: shapes\nspec: {}\nspace: {streams: [1]}\nrecipe: paper\n", "a.yaml")
    assert str(caught.value) == "a.yaml: this is a study; gridgen feasible and search read it"
    with pytest.raises(SpecError) as caught:
        GridSpec.parse(TEXT + "data: shapes\n", "a.yaml")
    assert str(caught.value).startswith("a.yaml:5:1: data: unknown field 'data'; known: ")


def test_later_errors_name_the_line_of_a_document_that_a_file_holds():
    with pytest.raises(SpecError) as caught:
        build_grid(GridSpec.parse(TEXT + "fusion: summ\n", "mine.yaml"))
    assert str(caught.value) == (
        "mine.yaml:5:9: fusion: unknown fusion 'summ'; did you mean 'sum'?\n     5 | "
        "fusion: summ\n       |         ^"
    )
    assert caught.value.field == ("fusion",)


def test_later_errors_name_the_field_of_a_document_that_no_file_holds():
    with pytest.raises(SpecError) as caught:
        build_grid(GridSpec(**FIELDS, units={"lateral": "residul"}))
    assert str(caught.value) == (
        "units.lateral: unknown lateral unit 'residul'; did you mean 'residual'?"
    )


def test_a_file_is_not_blamed_for_what_but_changed():
    spec = GridSpec.parse(TEXT + "topology: {keep: [latral_*]}\n", "mine.yaml")
    with pytest.raises(TopologyError) as caught:
        build_grid(spec.but(topology={"drop": ["uq_*"]}))
    assert str(caught.value).startswith("topology.drop.0: unknown connection 'uq_*'")
    with pytest.raises(SpecError) as caught:
        build_grid(spec.but(classes=3))
    assert str(caught.value).startswith("mine.yaml:5:19: topology.keep.0: unknown connection")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"classes": 0}, "classes: 0 is less than 1"),
        (
            {"units": {"laterl": "x"}},
            "units.laterl: unknown field 'laterl'; did you mean 'lateral'?",
        ),
        ({"columns": ["sub", "dwn"]}, "columns.1: 'dwn' is not one of: 'sub' or 'up'"),
        ({"topology": "u-net"}, "topology: unknown topology 'u-net'; did you mean 'unet'?"),
        (
            {"topology": {"keep": ["A"]}},
            r"topology.keep.0: 'A' does not match ^[a-z0-9_*?\[\]!-]{1,64}$",
        ),
        ({"topology": {"drop": []}}, "topology.drop: 0 values; at least 1"),
        (
            {"channels": [1, 2, 3]},
            "channels: given beside base_channels; leave one of the two out, or null",
        ),
    ],
)
def test_of_names_the_fields_as_a_file_would(fields, message):
    with pytest.raises(SpecError) as caught:
        GridSpec(**FIELDS | fields)
    assert str(caught.value) == message


def test_missing_fields_are_all_named():
    with pytest.raises(SpecError) as caught:
        GridSpec(base_channels=4)
    assert str(caught.value) == (
        "spec: streams: this field is missing; add it\n"
        "spec: columns: this field is missing; add it\n"
        "spec: classes: this field is missing; add it"
    )
    with pytest.raises(SpecError) as caught:
        GridSpec.parse("# mine\nbase_channels: 4\nstreams: 3\ncolumns: 2+2\n", "mine.yaml")
    assert str(caught.value) == (
        "mine.yaml:2:1: classes: this field is missing; add it\n"
        "     2 | base_channels: 4\n"
        "       | ^"
    )


def test_of_many_errors_five_are_shown():
    names = "abcdefg"
    with pytest.raises(SpecError) as caught:
        GridSpec.parse(TEXT + "".join(f"{name}z: 1\n" for name in names), "mine.yaml")
    shown = [line for line in str(caught.value).split("\n") if line.startswith("mine.yaml:")]
    assert [line.split(":")[1] for line in shown] == ["5", "6", "7", "8", "9"]
    assert str(caught.value).endswith("\nand 2 more")


def test_load_reads_a_file_and_names_it_in_errors(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    assert GridSpec.load(path) == GridSpec.load(str(path)) == GridSpec(**FIELDS)
    path.write_text(TEXT.replace("3", "0", 1))
    with pytest.raises(SpecError) as caught:
        GridSpec.load(path)
    assert str(caught.value) == (
        f"{path}:1:10: streams: 0 is less than 1\n     1 | streams: 0\n       |          ^"
    )


class Mine(Document):
    words: tuple[str, ...] = ()
    share: float | None = None


def test_every_document_refuses_silent_conversions():
    for text in ["share: true", "share: '0.5'", "share: 1e999", "words: [1]", "words: a"]:
        with pytest.raises(SpecError):
            Mine.parse(text)
    assert Mine.parse("share: 1").share == 1.0
