"""`gridgen paths`, and the picture that `gridgen render --paths` draws."""

import json
from pathlib import Path

import pytest

from gridgen.analysis.dropout import Dropout, dropout
from gridgen.analysis.paths import paths
from gridgen.architectures.names import ARCHITECTURES
from gridgen.cli.paths import path_sentences
from gridgen.cli.tables import WIDTH, print_matrix
from gridgen.errors import unknown
from gridgen.grid import FeatureMap, build_grid, prune

SPECS = Path(__file__).parents[2] / "specs"
PAGE = """\
grid      5 streams, 3+3 columns, F0 = 16
topology  gridnet: 49 of 49 connections
paths     371
ways      11,872: a path once for every choice of unit or identity
length    5 to 13 connections, 5 lateral units each

connections  paths
5                1  <1%
7                9   2%
9               36  10%  ##
11             100  27%  #####
13             225  61%  ############

units   ways
0          1  <1%
1          5  <1%
2         19  <1%
3         55  <1%
4        131   1%
5        271   2%
6        505   4%  #
7        869   7%  #
8      1,405  12%  ##
9      2,161  18%  ####
10     2,750  23%  #####
11     2,350  20%  ####
12     1,125   9%  ##
13       225   2%

lowest stream  paths       length  units at least  visiting        whole in a step
stream 0           1  <1%       5               0       371  100%            59.0%
stream 1           9   2%       7               2       370  100%            85.0%
stream 2          36  10%       9               4       361   97%            89.3%
stream 3         100  27%      11               6       325   88%            89.9%
stream 4         225  61%      13               8       225   61%            90.0%
whole in a step: the chance that total dropout leaves one of the paths all its units

share of the paths through each map, by stream and column
             0    1    2    3    4     5
stream 0  100%  38%   9%   9%  38%  100%
stream 1   62%  57%  27%  27%  57%   62%
stream 2   34%  57%  50%  50%  57%   34%
stream 3   15%  43%  67%  67%  43%   15%
stream 4    4%  20%  61%  61%  20%    4%

receptive field of each map: pixels a side of the image that it sees
           0    1    2    3    4    5
stream 0   5    9   13  335  399  463
stream 1  11   19   27  335  399  463
stream 2  23   39   55  335  399  463
stream 3  47   79  111  319  383  447
stream 4  95  159  223  287  351  415
network   479, with the head

most paths pass: sub_1_0 62%, up_0_5 62%, lateral_4_3 61%, sub_3_2 40%
fewest paths pass: lateral_4_5 4%, up_3_5 4%, lateral_1_3 2%, lateral_0_3 <1%

what this says
- Of 371 paths 1 stays in stream 0 (5 connections), 225 go down to stream 4 (13 connections).
- Where identities are taken, a way along stream 0 still passes 0 units, one to stream 4 passes 8:
  longer ways learn later (section 3.1).
- Total dropout leaves a path whole in 59.0% of the training steps: at least one along stream 0 in
  59.0%, at least one to stream 4 in 90.0%.
- Where none along stream 0 is whole, one through lower streams is in 99.9%: the network has to
  learn by them.
"""
LONG = ("mine.yaml", "--set", "streams=16", "--set", "columns=100+100")


def test_the_page_of_the_papers_network(gridgen):
    assert gridgen("paths", str(SPECS / "gridnet.yaml")) == (0, PAGE, "")


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("per", [(), ("--per", "connection")])
def test_every_published_network_has_a_page_that_fits(name, per, gridgen):
    code, out, err = gridgen("paths", name, *per)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= WIDTH


def test_a_long_grid_shows_its_ends_and_says_what_it_leaves_out(gridgen):
    code, out, err = gridgen("paths", *LONG, "--set", "total_dropout=0.1")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= WIDTH
    assert len(out.splitlines()) < 120
    assert "\npaths     4.4e36\n" in out
    assert "\ncolumns 7 to 192 are left out; --json has them\n" in out
    assert "\n- Of 4.4e36 paths 1 stays in stream 0 (199 connections), 4.3e36 go" in out


def test_a_single_map_has_a_page(gridgen):
    code, out, err = gridgen("paths", "mine.yaml", "--set", "streams=1", "--set", "columns=1+0")
    assert (code, err) == (0, "")
    assert "\nno connections: the stem's map is the head's\n" in out
    assert out.endswith("\nwhat this says\n- The only path stays in stream 0 (0 connections).\n")


def test_connections_that_carry_the_same_are_not_named(gridgen):
    _, out, _ = gridgen("paths", "mine.yaml")
    assert "\nthrough each connection: 50% of the paths\n" in out
    _, out, _ = gridgen("paths", "mine.yaml", "--as", "resnet")
    assert "\nthrough each connection: 100% of the paths\n" in out
    assert "\nlength    1 connection, 1 lateral unit\n" in out


def test_lateral_units_that_differ_from_path_to_path_have_a_mean(gridgen):
    _, out, _ = gridgen("paths", "frrn-a")
    assert "\nlength   18 to 36 connections, 0 to 1 lateral units, 0.6 on average\n" in out


def test_no_line_ends_between_a_connection_and_its_share(gridgen):
    _, out, _ = gridgen("paths", "unet++")
    assert (
        "\nfewest paths pass: up_3_4 3%, lateral_2_4_from_2_2 3%, lateral_1_4_from_1_1 3%,\n"
        "  lateral_0_4_from_0_0 3%\n"
    ) in out


def test_per_connection_lists_them_all(gridgen):
    assert gridgen("paths", "mine.yaml", "--per", "connection") == (
        0,
        """\
grid      2 streams, 1+1 columns, F0 = 2
topology  gridnet: 4 of 4 connections
paths     2
ways      4: a path once for every choice of unit or identity
length    1 to 3 connections, 1 lateral unit each

connection   paths  share
sub_1_0          1    50%  ##########
lateral_1_1      1    50%  ##########
lateral_0_1      1    50%  ##########
up_0_1           1    50%  ##########
""",
        "",
    )


def test_json_has_all_that_the_page_says_and_no_column_left_out(gridgen):
    code, out, err = gridgen("paths", *LONG, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert list(found) == [
        *("paths", "ways", "laterals", "lengths", "units_passed", "maps", "connections"),
        *("streams", "total_dropout", "receptive_field", "receptive_fields"),
    ]
    assert found["receptive_field"] > max(found["receptive_fields"].values())
    assert len(found["maps"]) == len(found["receptive_fields"]) == 3200
    assert found["maps"]["map_0_0"] == found["paths"] > 10**36
    assert found["total_dropout"] is None


def test_json_has_the_chances_of_total_dropout(gridgen):
    _, out, _ = gridgen("paths", "mine.yaml", "--set", "total_dropout=0.1", "--json")
    assert json.loads(out)["total_dropout"] == {
        "whole": pytest.approx(0.9),
        "some": pytest.approx(0.99),
        "depths": {"0": pytest.approx(0.9), "1": pytest.approx(0.9)},
    }


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--per", "stream"], f"--per: {unknown('grouping', 'stream', ['connection'])}"),
        (["--per", "conection"], f"--per: {unknown('grouping', 'conection', ['connection'])}"),
        (["--per", ""], f"--per: {unknown('grouping', '', ['connection'])}"),
        (["--as", "u-net"], f"--as: {unknown('topology', 'u-net', ['unet'])}"),
        (["--set", "streams=0"], "--set: streams: 0 is less than 1"),
    ],
)
def test_what_cannot_be_is_one_line(arguments, error, gridgen):
    code, out, err = gridgen("paths", "mine.yaml", *arguments)
    assert (code, out, err) == (2, "", f"{error}\n")


def test_render_draws_the_paths(place, gridgen):
    code, out, err = gridgen("render", "mine.yaml", "--paths")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].split() == ["wrote", "mine-gridnet-paths.svg"]
    assert "50%" in (place / "mine-gridnet-paths.svg").read_text("utf-8")
    assert gridgen("render", "mine.yaml", "--paths", "--as", "resnet", "-o", "a.dot")[0] == 0
    assert "(dropped)" in (place / "a.dot").read_text("utf-8")


def test_nothing_is_written_where_the_picture_cannot_be(place, gridgen):
    before = sorted(place.iterdir())
    code, out, err = gridgen("render", "mine.yaml", "--paths", "-o", "a.jpg")
    assert (code, out) == (2, "")
    assert err == (
        f"{unknown('picture format', 'jpg', ['dot', 'gv', 'pdf', 'png', 'svg'], guess=False)}\n"
    )
    assert sorted(place.iterdir()) == before


def test_many_streams_are_cut_in_the_middle(capsys):
    print_matrix({FeatureMap(stream, 0): f"{stream}" for stream in range(30)})
    lines = capsys.readouterr().out.splitlines()
    assert lines[12:15] == ["stream 11   11", "...        ...", "stream 19   19"]
    assert lines[-1] == "streams 12 to 18 are left out; --json has them"


def test_section_3_1_in_sentences(paper_spec):
    grid = build_grid(paper_spec.but(total_dropout=0.1))
    assert path_sentences(paths(grid), dropout(grid)) == [
        "Of 371 paths 1 stays in stream 0 (5 connections), 225 go down to stream 4 "
        "(13 connections).",
        "Where identities are taken, a way along stream 0 still passes 0 units, one to stream 4 "
        "passes 8: longer ways learn later (section 3.1).",
        "Total dropout leaves a path whole in 59.0% of the training steps: at least one along "
        "stream 0 in 59.0%, at least one to stream 4 in 90.0%.",
        "Where none along stream 0 is whole, one through lower streams is in 99.9%: the network "
        "has to learn by them.",
    ]


@pytest.mark.parametrize(
    ("topology", "sentences"),
    [
        ("resnet", ["The only path stays in stream 0 (5 connections)."]),
        ("conv-deconv", ["The only path goes down to stream 4 (13 connections)."]),
        (
            "unet",
            [
                "Of 5 paths 1 stays in stream 0 (5 connections), 1 goes down to stream 4 "
                "(13 connections).",
                "Where identities are taken, a way along stream 0 still passes 0 units, one to "
                "stream 4 passes 8: longer ways learn later (section 3.1).",
            ],
        ),
    ],
)
def test_a_topology_in_sentences(topology, sentences, paper_grid):
    assert path_sentences(paths(prune(paper_grid, topology))) == sentences


def test_where_chances_were_not_computed_nothing_is_said_of_them(paper_grid):
    left = Dropout(whole=0.25, some=None, depths=dict.fromkeys(range(5)))
    said = path_sentences(paths(paper_grid), left)
    assert said[2:] == ["Total dropout leaves a path whole in 25.0% of the training steps."]
