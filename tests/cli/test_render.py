"""`gridgen render`: one picture at a time, in every format."""

import pytest

from cli.samples import SPEC


@pytest.mark.parametrize("kind", ["svg", "png", "pdf", "dot"])
@pytest.mark.parametrize(
    "picture",
    [
        ("--paths",),
        ("--unit", "lateral"),
        ("--unit", "stem", "--no-title"),
        ("--overlay", "conv-deconv,unet"),
        ("--size", "40x48", "--shade", "memory"),
    ],
    ids=" ".join,
)
def test_every_picture_is_written_in_every_format(kind, picture, place, gridgen):
    code, printed, told = gridgen("render", "mine.yaml", *picture, "-o", f"a.{kind}")
    assert (code, told) == (0, "")
    assert printed.split()[-1] == f"a.{kind}"
    assert (place / f"a.{kind}").stat().st_size > 1000


@pytest.mark.parametrize(
    ("picture", "name"),
    [
        (("--paths",), "mine-gridnet-paths.svg"),
        (("--unit", "sub_1_0"), "mine-gridnet-sub_1_0.svg"),
        (("--overlay", "unet,frrn"), "mine-gridnet-overlay.svg"),
    ],
)
def test_a_picture_has_a_name_of_its_kind(picture, name, place, gridgen):
    assert gridgen("render", "mine.yaml", *picture)[0] == 0
    assert (place / name).is_file()


def test_an_overlay_is_told_of_the_full_grid(place, gridgen):
    (place / "u.yaml").write_text(f"{SPEC}topology: unet\n")
    code, printed, _ = gridgen("render", "u.yaml", "--overlay", "frrn,gridnet")
    assert code == 0
    assert printed.splitlines()[1:] == [
        "topology  gridnet: 4 of 4 connections",
        "wrote     u-gridnet-overlay.svg",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--paths --unit lateral", "--paths and --unit are different pictures; give one of them"),
        ("--unit stem --overlay unet", "--unit and --overlay are different pictures"),
        ("--paths --size 8x8", "--paths shows neither sizes nor costs; leave out --size"),
        ("--unit stem --shade macs --size 8x8", "leave out --size and --shade"),
        ("--overlay unet --as unet", "--overlay is drawn over the full grid; leave out --as"),
        (
            "--overlay frrn @unet",
            "--overlay is drawn over the full grid; leave out --as and @TOPOLOGY",
        ),
        ("--overlay unet,", "unknown topology ''"),
        ("--overlay unet,u-net", "--overlay: unknown topology 'u-net'; did you mean 'unet'?"),
        ("--unit=", "--unit: unknown unit ''"),
        ("--overlay=", "--overlay: unknown topology ''"),
        ("--unit nothing", "--unit: unknown unit 'nothing'"),
        ("--shade mem", "--shade: unknown quantity 'mem'; did you mean 'memory'?"),
        ("-o a.jpg", "unknown picture format 'jpg'"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(given, message, place, gridgen):
    before = sorted(place.iterdir())
    given, _, topology = given.partition(" @")
    spec = f"mine.yaml@{topology}" if topology else "mine.yaml"
    code, _, told = gridgen("render", spec, *given.split())
    assert code == 2
    assert message in told
    assert len(told.splitlines()) == 1
    assert sorted(place.iterdir()) == before
