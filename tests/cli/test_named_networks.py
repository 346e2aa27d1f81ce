"""Published networks on the command line: names where files stand, settings, comparisons."""

import json
from xml.etree import ElementTree

import pytest
from PIL import Image

from gridgen.architectures.names import ARCHITECTURES
from gridgen.emit import load_network
from gridgen.errors import unknown

SMALL = ("unet-2015", "--set", "base_channels=2")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architectures_name_stands_where_a_spec_file_does(name, place, gridgen):
    code, out, err = gridgen("count", name, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["parameters"]["total"] > 500_000
    code, out, err = gridgen("render", name)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].split() == ["wrote", f"{name}.svg"]
    assert (place / f"{name}.svg").stat().st_size > 1000


def test_count_prints_no_columns_of_the_paper_for_a_network_of_its_own(gridgen):
    assert gridgen("count", "unet-2015", "--size", "32x64") == (
        0,
        """\
grid         1 channel, 2 classes, streams 5, base channels 64
network      unet-2015: 12 of 12 connections
maps, paths  9, 5

for one image of 32x64
                     total           grid    stem  head
parameters      31,030,658     30,992,960  37,568   130
activations      2,310,144      1,781,760
MACs         1,503,002,624  1,426,063,360

part             parameters                 activations                        MACs
stem                 37,568  <1%                524,288  23% ##          76,677,120   5%
lateral (4)               0   0%                      0   0%                      0   0%
subsampling (4)  18,804,480  61% #####          552,960  24% ##         452,984,832  30% ###
upsampling (4)    2,786,240   9% #              245,760  11% #           67,108,864   4%
fusion (4)        9,402,240  30% ###            983,040  43% ####       905,969,664  60% #####
head                    130  <1%                  4,096  <1%                262,144  <1%

stream    size   parameters                 activations                        MACs
stream 0  32x64     181,250   1%              1,183,744  51% #####      320,208,896  21% ##
stream 1  16x32     795,264   3%                622,592  27% ##         356,515,840  24% ##
stream 2  8x16    3,179,776  10% #              311,296  13% #          356,515,840  24% ##
stream 3  4x8    12,716,544  41% ####           155,648   7% #          356,515,840  24% ##
stream 4  2x4    14,157,824  46% ####            36,864   2%            113,246,208   8% #
each unit in the stream that it leads to, the head in the one that it comes from
""",
        "",
    )


def test_build_writes_weights_that_know_the_architecture(place, gridgen):
    code, out, err = gridgen("build", *SMALL, "--set", "size=pad")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].split() == ["wrote", "runs/unet-2015.safetensors"]
    spec = load_network(place / "runs" / "unet-2015.safetensors").grid.spec
    assert (spec.title, spec.base_channels, spec.size) == ("unet-2015", 2, "pad")


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        (["classes=5"], 31_030_853),
        (["in_channels=3", "classes=5"], 31_032_005),
        (["base_channels=1"], 7_694),
        (["topology={drop: [up_9*]}"], None),
    ],
)
def test_set_replaces_fields_of_the_spec(settings, parameters, gridgen):
    flags = [word for setting in settings for word in ("--set", setting)]
    code, out, _ = gridgen("count", "unet-2015", *flags, "--json")
    if parameters is None:
        assert code == 2
    else:
        assert json.loads(out)["parameters"]["total"] == parameters


def test_a_folder_of_that_name_is_no_spec(place, gridgen):
    (place / "frrn-a").mkdir()
    code, out, err = gridgen("count", "frrn-a", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["parameters"]["total"] == 17_746_803


def test_set_reaches_into_a_field_of_a_file(gridgen):
    _, plain, _ = gridgen("count", "mine.yaml", "--json")
    code, out, err = gridgen("count", "mine.yaml", "--set", "units.lateral=bottleneck", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["parameters"]["grid"] < json.loads(plain)["parameters"]["grid"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["count", "unet-2016"],
            unknown("spec file or architecture", "unet-2016", ["unet-2015"]),
        ),
        (["count", "gone.yaml"], "gone.yaml: No such file or directory"),
        (
            ["count", *SMALL[:2], "classes"],
            "--set: 'classes' is not a setting; write FIELD=VALUE, such as classes=2",
        ),
        (["count", *SMALL[:2], "classes=0"], "--set: classes: 0 is less than 1"),
        (["count", *SMALL[:2], "classes=two"], "--set: classes: 'two' is not a whole number"),
        (
            ["count", *SMALL[:2], "clases=2"],
            f"--set: clases: {unknown('field', 'clases', ['classes'])}",
        ),
        (
            ["count", *SMALL[:2], "units.lateral=residual"],
            (
                "--set: units: unknown field 'units'; known: architecture, base_channels, "
                "classes, dimensions, in_channels, normalize, size, streams, topology"
            ),
        ),
        (
            ["count", "mine.yaml", "--set", "units.lateral.x=1"],
            "--set: units.lateral: {'x': 1} is not a word",
        ),
        (
            ["count", "mine.yaml", "--set", "units.lateral=x"],
            (
                "--set: units.lateral: "
                f"{unknown('lateral unit', 'x', ['bottleneck', 'residual', 'separable'])}"
            ),
        ),
        (
            ["count", "unet-2015", "--as", "unet"],
            "--as: unet is a topology of the paper's grid; unet-2015 is a network of its own",
        ),
        (
            ["count", "unet-2015", "--set", "topology=unet"],
            "--set: topology: 'unet' is for the paper's grid; this is a network of its own; "
            "give {keep: [...]} or {drop: [...]}",
        ),
        (
            ["count", "unet-2015", "--size", "33x65"],
            "Image is 33x65; unet-2015 needs multiples of 16. Pad to 48x80, crop to 32x64, or set "
            "size: pad.",
        ),
        (
            ["count", "deconvnet", "--size", "33x65"],
            "Image is 33x65; deconvnet needs multiples of 32, 224 at least. Pad to 224x224, or set "
            "size: pad.",
        ),
        (
            ["count", "deconvnet", "--set", "size=crop", "--size", "33x65"],
            "Image is 33x65; deconvnet needs multiples of 32, 224 at least. Pad to 224x224, or set "
            "size: pad.",
        ),
        (
            ["relate", "mine.yaml@u-net", "mine.yaml"],
            f"mine.yaml@u-net: {unknown('topology', 'u-net', ['unet'])}",
        ),
        (
            ["relate", "mine.yaml", "unet"],
            "'unet' is a topology; write SPEC --as unet, or SPEC@unet; "
            "as an architecture there is unet-2015 or unet++",
        ),
        (
            ["diff", "unet-2015@unet", "mine.yaml"],
            "unet-2015@unet: unet is a topology of the paper's grid; "
            "unet-2015 is a network of its own",
        ),
        (
            ["diff", "mine.yaml", "mine.yaml", "-o", "a.jpg"],
            unknown("picture format", "jpg", ["dot", "gv", "pdf", "png", "svg"], guess=False),
        ),
        (
            ["diff", "mine.yaml", "mine.yaml", "--size", "3"],
            "3 is no size for 2 dimensions; give height, width: 360x480.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, message, place, gridgen):
    before = sorted(place.rglob("*"))
    assert gridgen(*arguments) == (2, "", message + "\n")
    assert sorted(place.rglob("*")) == before


def test_relate_says_how_a_topology_lies_in_the_grid(gridgen):
    assert gridgen("relate", "mine.yaml@resnet", "mine.yaml") == (
        0,
        """\
A            mine.yaml@resnet
B            mine.yaml
subgraph     A is a subgraph of B
connections  1 of A's 1 are in B, which has 4
units        equal where both have them
maps         equal where both have them
stem, head   equal
only in A    none
only in B    sub_1_0, lateral_1_1, up_0_1
""",
        "",
    )


def test_relate_says_what_a_network_needs(gridgen):
    code, out, err = gridgen("relate", "unet-2015", "mine.yaml")
    assert (code, err) == (0, "")
    for need in (
        "A is no subgraph of B",
        "concatenation at 4 maps",
        "max-pooling in 4 subsampling connections",
        "4 lateral connections without a unit",
    ):
        assert need in out
    code, out, _ = gridgen("relate", "unet-2015", "mine.yaml", "--json")
    told = json.loads(out)
    assert (code, told["subgraph"]) == (0, False)
    assert "concatenation at 4 maps" in told["needs"]


def test_diff_prints_what_changes_and_draws_both(place, gridgen):
    code, out, err = gridgen("diff", "mine.yaml@resnet", "mine.yaml", "-o", "both.svg")
    assert (code, err) == (0, "")
    rows = dict(line.split("  ", 1) for line in out.splitlines())
    assert rows["wrote"].strip() == "both.svg"
    assert rows["paths"].strip() == "1 -> 2 (+1)"
    assert rows["receptive field"].strip() == "13 -> 27"
    words = {
        text.text
        for text in ElementTree.parse(place / "both.svg").iter("{http://www.w3.org/2000/svg}text")
    }
    assert {"resnet (A) and gridnet (B)", "only in A", "only in B", "in both"} <= words
    code, out, _ = gridgen("diff", "mine.yaml@resnet", "mine.yaml", "--json")
    told = json.loads(out)
    assert (code, told["receptive_fields"], told["inherited_share"] < 1) == (0, [13, 27], True)


def test_a_trained_network_takes_another_policy_for_sizes(with_run, gridgen):
    Image.new("RGB", (21, 15), "red").save("odd.png")
    code, out, err = gridgen("predict", "run", "odd.png")
    assert (code, out) == (2, "")
    assert err.endswith("crop to 14x20, or set size: pad.\n")
    code, out, err = gridgen("predict", "run", "odd.png", "--set", "size=resize")
    assert (code, err) == (0, "")
    with Image.open("out/odd_labels.png") as labels:
        assert labels.size == (21, 15)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["classes=2"], "--set: only size can be set on a trained network, not classes"),
        (["size=pad", "stem=conv"], "--set: only size can be set on a trained network, not stem"),
        (["size=x"], "size: 'x' is not one of: 'error', 'pad', 'crop' or 'resize'"),
    ],
)
def test_nothing_else_of_a_trained_network_can_be_set(settings, message, with_run, gridgen):
    flags = [word for setting in settings for word in ("--set", setting)]
    assert gridgen("predict", "run", "image.png", *flags) == (2, "", message + "\n")
    assert not (with_run / "out").exists()
