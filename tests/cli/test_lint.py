"""`gridgen lint`: what it prints, its exit codes, and that its flags do what they say."""

import json
import re
import shlex
from pathlib import Path

import pytest

from gridgen.analysis.lints import LINTS
from gridgen.cli.tables import WIDTH
from gridgen.errors import unknown

ROOT = Path(__file__).parents[2]
CHECKED = """\
checked: checkerboard, few-values, small-field, dead-ends, lost-stream, cut-signal, padding,
  cropping
"""
CHECKERBOARD = """\
checkerboard  up_3_3, up_2_3 and 10 more: a 3x3 transposed convolution of stride 2 reaches outputs
              with 1, 2 or 4 weights
              fix: interpolate, then convolve
              --set units.upsampling=bilinear
"""


def test_the_paper_network(shipped, gridgen):
    assert gridgen("lint", "specs/gridnet.yaml") == (
        0,
        f"{CHECKERBOARD}1 finding at batch 4 of 400x400\n{CHECKED}",
        "",
    )


def test_the_paper_network_on_tiny_crops(shipped, gridgen):
    command = ["lint", "specs/gridnet.yaml", "--size", "16x16", "--batch", "1"]
    several = "train in batches of 16, on larger images, or with fewer streams"
    code, out, err = gridgen(*command)
    assert (code, err) == (0, "")
    assert out == (
        f"{CHECKERBOARD}"
        "few-values    sub_3_0, lateral_3_1 and 9 more: BN sees 4 values per channel in training "
        "at batch 1\n"
        "              and 2x2; their variance errs by 71%\n"
        f"              fix: {several}\n"
        "              --batch 16\n"
        "few-values    sub_4_0, lateral_4_1 and 9 more: BN sees 1 value per channel in training "
        "at batch 1\n"
        "              and 1x1, which torch refuses\n"
        f"              fix: {several}\n"
        "              --batch 16\n"
        f"3 findings at batch 1 of 16x16\n{CHECKED}"
    )


def test_a_network_without_findings(shipped, gridgen):
    assert gridgen("lint", "specs/unet-small.yaml", "--strict") == (
        0,
        f"no findings at batch 4 of 400x400\n{CHECKED}",
        "",
    )


def test_a_fix_that_no_flag_makes(gridgen):
    code, out, err = gridgen("lint", "neural-fabric")
    assert (code, err) == (0, "")
    assert out.splitlines()[2:4] == [
        "              fix: interpolate, then convolve; no setting of neural-fabric does it",
        "1 finding at batch 4 of 416x416",
    ]


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_strict_exits_with_1_on_findings(as_json, shipped, gridgen):
    code, out, err = gridgen("lint", "specs/gridnet.yaml", "--strict", *as_json)
    assert (code, err) == (1, "")
    assert "checkerboard" in out


def test_as_json(shipped, gridgen):
    code, out, err = gridgen("lint", "specs/unet-small.yaml", "--size", "90x90", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "size": [96, 96],
        "batch": 4,
        "lints": list(LINTS),
        "findings": [
            {
                "lint": "padding",
                "places": ["size"],
                "fact": "90x90 becomes 96x96 by padding; 12% of that is made up",
                "fix": "use images of 88x88, or fewer streams",
                "settings": {},
                "size": [88, 88],
                "batch": None,
                "flags": ["--size", "88x88"],
            }
        ],
    }


COMMANDS = [
    "specs/gridnet.yaml",
    "specs/gridnet.yaml@resnet",
    "specs/gridnet.yaml --as resnet --size 800x800",
    "specs/gridnet.yaml --as frrn --size 16x16 --batch 1",
    "specs/unet-small.yaml --size 90x91",
    "specs/unet-small.yaml --size 15x15 --set size=crop",
    "specs/custom.yaml",
    "specs/interpolation.yaml --size 2000x2000",
    "pspnet",
    "preact-resnet",
    "mine.yaml --set columns=[up,sub,up,sub] --set total_dropout=0.1 "
    "--set residual.lateral=false --as resnet",
    "mine.yaml --set columns=[up,sub,up] --as gridnet",
    "mine.yaml --set 'topology={keep: [\"lateral_*\", sub_1_0]}'",
    "mine.yaml --set 'topology={drop: [up_*]}' --size 8x8",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_flags_stand_on_a_line_of_their_own_and_words_fit_theirs(command, shipped, gridgen):
    words = ["lint", *shlex.split(command)]
    _, told, _ = gridgen(*words, "--json")
    _, out, _ = gridgen(*words)
    lines = [line.strip() for line in out.splitlines()]
    for finding in json.loads(told)["findings"]:
        if finding["flags"]:
            assert shlex.join(finding["flags"]) in lines
    assert all(len(line) <= WIDTH for line in out.splitlines() if "  --" not in line)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_flags_of_a_fix_put_after_the_command_remove_the_finding(command, shipped, gridgen):
    words = ["lint", *shlex.split(command), "--json"]
    code, out, err = gridgen(*words)
    assert (code, err) == (0, "")
    findings = json.loads(out)["findings"]
    assert findings
    for finding in findings:
        code, again, err = gridgen(*words, *finding["flags"])
        assert (code, err) == (0, "")
        assert finding["lint"] not in [other["lint"] for other in json.loads(again)["findings"]]


WRONG = {
    "lint": "gridgen lint: Missing argument 'SPEC'; see gridgen lint --help",
    "lint nothing.yaml": "nothing.yaml: No such file or directory",
    "lint unet-2016": unknown("spec file or architecture", "unet-2016", ["unet-2015"]),
    "lint mine.yaml --size 5": "5 is no size for 2 dimensions; give height, width: 360x480.",
    "lint mine.yaml --size 0x8": "Image is 0x8; each side must be from 1 to 65536.",
    "lint mine.yaml --size 9x8": (
        "Image is 9x8; 2 streams need multiples of 2. Pad to 10x8, crop to 8x8, or set size: pad."
    ),
    "lint mine.yaml --size 1x1 --set size=crop": (
        "Image is 1x1; 2 streams need multiples of 2. Pad to 2x2, or set size: pad."
    ),
    "lint mine.yaml --size 99999x8": "Image is 99999x8; each side must be from 1 to 65536.",
    "lint mine.yaml --batch 0": ("--batch: 0 is less than 1"),
    "lint mine.yaml --batch four": ("--batch: 'four' is not a whole number"),
    "lint mine.yaml --as unett": f"--as: {unknown('topology', 'unett', ['unet'])}",
    "lint pspnet --as unet": (
        "--as: unet is a topology of the paper's grid; pspnet is a network of its own"
    ),
    "lint mine.yaml --set units.upsampling=deconv4": (
        f"--set: units.upsampling: {unknown('upsampling unit', 'deconv4', ['deconv'])}"
    ),
    "lint mine.yaml --set 'topology={drop: [up_*, nothing]}'": (
        "--set: topology.drop.1: "
        f"{unknown('connection', 'nothing', ['lateral_0_1', 'lateral_1_1', 'sub_1_0', 'up_0_1'])}"
    ),
    "lint mine.yaml --fix": "gridgen lint: No such option: --fix; see gridgen lint --help",
}


@pytest.mark.parametrize("command", WRONG)
def test_wrong_inputs(command, place, gridgen):
    before = sorted(place.rglob("*"))
    code, out, err = gridgen(*shlex.split(command))
    assert (code, out) == (2, "")
    assert err == f"{WRONG[command]}\n"
    assert sorted(place.rglob("*")) == before


def test_the_page_on_lints_and_the_list_name_them_all(gridgen):
    rows = re.findall(
        r"^\| `([a-z-]+)` \|", (ROOT / "docs" / "lints.md").read_text("utf-8"), re.MULTILINE
    )
    code, out, err = gridgen("list", "lints")
    assert (code, err) == (0, "")
    assert rows == [line.split()[0] for line in out.splitlines()] == list(LINTS)


def test_build_names_the_lints_that_find_something(shipped, gridgen):
    command = ["build", "specs/gridnet.yaml", "--as", "unet", "--set", "base_channels=2"]
    code, out, err = gridgen(*command)
    assert (code, err) == (0, "")
    told, wrote = out.splitlines()[-2:]
    see = "gridgen lint specs/gridnet.yaml --as unet --set base_channels=2"
    assert told == f"lints       1 finding: checkerboard; see {see}"
    assert wrote == "wrote       runs/gridnet-unet.safetensors"
    _, linted, _ = gridgen(*shlex.split(see)[1:])
    assert linted.startswith("checkerboard")


def test_build_says_nothing_of_lints_where_they_find_nothing(shipped, gridgen):
    code, out, _ = gridgen("build", "specs/unet-small.yaml", "--set", "base_channels=2")
    assert code == 0
    assert "lints" not in out
