"""Wrong inputs, one of each kind: exit code 2, one clear text on stderr, and nothing written."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.samples import SPEC, STUDY
from gridgen.architectures.names import ARCHITECTURES
from gridgen.training import RECIPES

INPUTS = {
    "zero.yaml": SPEC.replace("2", "0", 1),
    "empty.yaml": "",
    "list.yaml": "- streams\n",
    "tab.yaml": "streams:\t2\n",
    "twice.yaml": SPEC + "streams: 3\n",
    "hidden.yaml": "streams: 2\u200b\n",
    "tag.yaml": "streams: !!python/object:os.system 2\n",
    "word.yaml": SPEC.replace("streams: 2", "streams: two"),
    "field.yaml": SPEC + "fussion: sum\n",
    "unit.yaml": SPEC + "units: {lateral: residul}\n",
    "pattern.yaml": SPEC + "topology: {keep: [laterl_0_1]}\n",
    "path.yaml": SPEC + "topology: {keep: [sub_*]}\n",
    "ups.yaml": SPEC.replace("1+1", "[up, up]"),
    "wave.yaml": SPEC.replace("1+1", "[sub, up, sub, up]"),
    "channels.yaml": SPEC.replace("base_channels: 2", "channels: [2, 4, 8]"),
    "long.yaml": SPEC + "#" * 65_536,
    "deep.yaml": SPEC.replace("streams: 2", "streams: 5"),
    "two.yaml": SPEC.replace("classes: 3", "classes: 2"),
    "grey.yaml": SPEC + "in_channels: 1\n",
    "recipe-zero.yaml": "epochs: 0\nbatch: 1\nlearning_rate: 1\ncrop: {}\n",
    "study-data.yaml": STUDY.replace("shapes", "shaps"),
    "study-classes.yaml": STUDY.replace("{classes: 3}", "{classes: 5}"),
    "study-unit.yaml": STUDY.replace("[1+1, 2+2]", "[1+1, 2+2]\n  units.lateral: [residul]"),
    "study-sampler.yaml": STUDY + "sampler: grdi\n",
    "study-recipe.yaml": STUDY.replace("quick.yaml", "quik.yaml"),
    "study-range.yaml": STUDY.replace("[2, 4]", "{low: 4, high: 2}"),
    "other/study.yaml": STUDY.replace("3500", "3600"),
    "broken/study.yaml": "data: shapes\n",
    "text.png": "no image\n",
    "nothing.png": "",
    "net.onnx": "no network\n",
    "colon.yaml": SPEC.replace("columns: ", "columns "),
    "one-line.yaml": SPEC.replace("base_channels: 2", "channels: 2, 4"),
    "dataset/train/images/a.png": "",
    "unsplit/classes.txt": "0\tsky\t0\t0\t255\tclass\n",
    "half/train/images/a.jpg": "",
    "streets/classes.txt": "0\tsky\t0\t0\t255\tclass\n1\troad\t9\t9\t9\tclass\n",
    "file": "",
}
RUNS = {
    "run-bits": {},
    "run-short": {"weights.safetensors": "xx"},
    "run-unfinished": {"weights.safetensors": None},
    "run-json": {"run.json": "{"},
    "run-facts": {"run.json": '{"data": "shapes", "seed": 0, "device": "cpu"}'},
    "run-spec": {"spec.yaml": SPEC.replace("2", "0", 1)},
    "run-recipe": {"recipe.yaml": "epochs: 1\n"},
    "run-metrics": {"metrics.csv": "epoch,step\n1,a\n"},
}

RECIPE_NAMES = ", ".join(sorted(RECIPES))
NO_SPEC = "unknown spec file or architecture {!r}; known: " + ", ".join(sorted(ARCHITECTURES))
ZERO = ":1:10: streams: 0 is less than 1\n     1 | streams: 0\n       |          ^"
A_STUDY = "this is a study; gridgen feasible and search read it"
A_SPEC = "this is a network spec; gridgen count, render, build, train and others read it"
NO_SPLIT = (
    "no split; a dataset has {split}/images and {split}/labels; gridgen data init finds others"
)
TAKEN = "exists already; continue it with --resume {0}, or name another"
NO_RUN = "no run there (no run.json); gridgen train (or supernet) -o {0} makes one"
BESIDE = (
    "--resume takes everything from the run; give nothing beside it but --device and --tensorboard"
)
NEEDED = "give a spec and --data (gridgen list datasets), or --resume RUN"
WAY = "cannot be made: a file is in the way"
DRY = "--dry-run trains and writes nothing, and reads no trials"
KEPT = "run/weights.safetensors is kept by a run; name another"
TRAIN = "train mine.yaml --recipe quick.yaml --data"

CASES = {
    # the command line
    "frobnicate": "gridgen: No such command 'frobnicate'; see gridgen --help",
    "--frobnicate": "gridgen: No such option: --frobnicate; see gridgen --help",
    "render": "gridgen render: Missing argument 'SPEC'; see gridgen render --help",
    "render mine.yaml zero.yaml": (
        "gridgen render: Got unexpected extra argument(s) (zero.yaml); see gridgen render --help"
    ),
    "build mine.yaml --zzz": "gridgen build: No such option: --zzz; see gridgen build --help",
    "evaluate run": "gridgen evaluate: Missing option '--data'; see gridgen evaluate --help",
    "predict run": "no image is named; give image files, or folders of them, after the model",
    "list": "gridgen list: Missing argument 'WHAT'; see gridgen list --help",
    "list topologys": "unknown list 'topologys'; did you mean 'topologies'?",
    "schema specs": "unknown schema 'specs'; did you mean 'spec'?",
    "count mine.yaml --as": (
        "gridgen count: Option '--as' requires an argument; see gridgen count --help"
    ),
    "supernet take run --keep": (
        "gridgen supernet take: Option '--keep' requires an argument; see gridgen supernet take "
        "--help"
    ),
    "predict run image.png --set foo": (
        "--set: 'foo' is not a setting; write FIELD=VALUE, such as size=pad"
    ),
    "predict run image.png --set size=7": (
        "size: '7' is not one of: 'error', 'pad', 'crop' or 'resize'"
    ),
    "evaluate run --data shapes --worst 3": (
        "--worst: images are shown on the page of -o alone; give it, or leave this out"
    ),
    "search study.yaml --dry-run --device x": f"{DRY}; leave out --device",
    "search study.yaml --dry-run --device cpu --parallel 7": (
        f"{DRY}; leave out --parallel and --device"
    ),
    "search study.yaml --dry-run --engine ray --cpus 3": f"{DRY}; leave out --engine",
    "search study.yaml --trials 0": ("--trials: 0 is less than 1"),
    "search study.yaml --trials many": "--trials: 'many' is not a whole number",
    "feasible study.yaml --list all": "--list: 'all' is not a whole number",
    "count mine.yaml --batch 1.5": "--batch: 1.5 is not a whole number",
    "train mine.yaml --data shapes --epochs 3": "gridgen train: --epochs is no option; write "
    "--set recipe.epochs=...",
    "train mine.yaml --data shapes --set epochs=3": "--set epochs: a field of the recipe; "
    "gridgen train takes --set recipe.epochs=...",
    "train mine.yaml --data shapes --set recipe.epoch=3": "--set recipe: epoch: unknown field "
    "'epoch'; did you mean 'epochs'?",
    "train mine.yaml --data shapes --set recipe=3": "--set recipe: its fields are set one by "
    "one: --set recipe.epochs=3",
    "train mine.yaml --data shapes --lr 0.1": "gridgen train: --lr is no option; write --set "
    "recipe.learning_rate=...",
    "train mine.yaml --data shapes --set lr=0.1": "--set lr: a field of the recipe; gridgen train "
    "takes --set recipe.learning_rate=...",
    "paths mine.yaml --size 64x64": "gridgen paths: --size is no option; leave it out, or write "
    "--set size=pad for images that do not fit",
    "count mine": "no spec file or architecture is called 'mine'; did you mean 'mine.yaml'?",
    "count net.onnx": "net.onnx: an ONNX file; name a YAML file",
    "evaluate net.onnx --data shapes": "net.onnx: an ONNX file; name a run's folder or a "
    "weights file",
    "count colon.yaml": "colon.yaml:2:1: no colon with a space after it; write `field: value`\n"
    "     2 | columns 1+1\n       | ^",
    "count one-line.yaml": "one-line.yaml:3:11: channels: '2, 4' is not a list; write [2, 4]\n"
    "     3 | channels: 2, 4\n       |           ^",
    "search study.yaml -o run": "run holds a training, and no search; name another folder",
    "search study.yaml -o dataset": "dataset holds the images of a dataset; name another folder",
    "export mine.yaml -o torch.py": "-o: torch.py would stand in the place of Python's module "
    "torch; name it otherwise",
    "build mine.yaml -o run/weights.safetensors": KEPT,
    "build mine.yaml -o run-unfinished/weights.safetensors": KEPT.replace(
        "run", "run-unfinished", 1
    ),
    "export run-metrics -o run/weights.safetensors": KEPT,
    "export run -o run/initial.safetensors": KEPT.replace("weights", "initial"),
    "export run -o run/checkpoints/w.safetensors": KEPT.replace("weights", "checkpoints/w"),
    "count mine.yaml --batch-size 4": "gridgen count: --batch-size is no option; write --batch",
    "count mine.yaml --set recipe=3": "--set recipe: fields of a recipe say how to train, and "
    "nothing is trained here; leave it out",
    "predict a.png b.png weights.safetensors": "a.png is no model; name the model first, then the "
    "images",
    "count mine.yaml --streams 3": "gridgen count: --streams is no option; write --set streams=...",
    "count mine.yaml --set recipe.epochs=3": "--set recipe.epochs: fields of a recipe say how to "
    "train, and nothing is trained here; leave it out",
    "train mine.yaml --data shapes --seed -1": "--seed: -1 is less than 0",
    # specs
    "render none.yaml": "none.yaml: No such file or directory",
    "render .": ".: a folder; name a YAML file in it",
    "count other": "other: a folder; name a YAML file in it",
    "search other": "other: a folder; name a YAML file in it",
    "render nothing": NO_SPEC.format("nothing"),
    "count gridnet": "'gridnet' is a topology; write SPEC --as gridnet, or SPEC@gridnet",
    "render unet": (
        "'unet' is a topology; write SPEC --as unet, or SPEC@unet; "
        "as an architecture there is unet-2015 or unet++"
    ),
    "count study.yaml": f"study.yaml: {A_STUDY}",
    "count mine.yaml --device study.yaml": f"study.yaml: {A_STUDY}",
    "count quick.yaml": (
        "quick.yaml: this is a recipe; gridgen train --recipe and studies read it"
    ),
    "search mine.yaml": f"mine.yaml: {A_SPEC}",
    "feasible mine.yaml": f"mine.yaml: {A_SPEC}",
    "train mine.yaml --data shapes --recipe mine.yaml": f"mine.yaml: {A_SPEC}",
    "count zero.yaml": f"zero.yaml{ZERO}",
    "build empty.yaml": "empty.yaml: the file has no fields; write `field: value` lines",
    "build list.yaml": (
        "list.yaml:1:1: the file is a list; write `field: value` lines, without dashes\n"
        "     1 | - streams\n"
        "       | ^"
    ),
    "render image.png": "image.png: a picture; name a YAML file",
    "render tab.yaml": (
        "tab.yaml:1:9: a tab where YAML takes none; indent with spaces\n"
        "     1 | streams:\t2\n"
        "       |         ^"
    ),
    "count twice.yaml": (
        "twice.yaml:5:1: streams: given twice; remove one\n     5 | streams: 3\n       | ^"
    ),
    "count hidden.yaml": (
        "hidden.yaml:1:11: hidden character U+200B; remove it\n"
        "     1 | streams: 2\ufffd\n"
        "       |           ^"
    ),
    "build tag.yaml": (
        "tag.yaml:1:10: the tag 'tag:yaml.org,2002:python/object:os.system' is not read; "
        "write the plain value\n"
        "     1 | streams: !!python/object:os.system 2\n"
        "       |          ^"
    ),
    "count word.yaml": (
        "word.yaml:1:10: streams: 'two' is not a whole number\n"
        "     1 | streams: two\n"
        "       |          ^"
    ),
    "count field.yaml": (
        "field.yaml:5:1: fussion: unknown field 'fussion'; did you mean 'fusion'?\n     "
        "5 | fussion: sum\n       | ^"
    ),
    "count unit.yaml": (
        "unit.yaml:5:18: units.lateral: unknown lateral unit 'residul'; did you mean "
        "'residual'?\n     5 | units: {lateral: residul}\n       |                  ^"
    ),
    "render pattern.yaml": (
        "pattern.yaml:5:19: topology.keep.0: unknown connection 'laterl_0_1'; did you "
        "mean 'lateral_0_1'?\n     5 | topology: {keep: [laterl_0_1]}\n       |           "
        "        ^"
    ),
    "render path.yaml": (
        "path.yaml:5:11: topology: no path from input to output is left; "
        "keep one along the streams\n"
        "     5 | topology: {keep: [sub_*]}\n"
        "       |           ^"
    ),
    "build ups.yaml": (
        "ups.yaml:2:10: columns: no path from input to output visits stream 1; "
        "the columns need a sub before an up\n"
        "     2 | columns: [up, up]\n"
        "       |          ^"
    ),
    "count channels.yaml": (
        "channels.yaml:3:11: channels: 3 values for 2 streams; give one per stream\n"
        "     3 | channels: [2, 4, 8]\n"
        "       |           ^"
    ),
    "count long.yaml": "long.yaml: too long: 65,588 bytes, and 65,536 are read at most",
    # topologies
    "render mine.yaml --as u-net": "--as: unknown topology 'u-net'; did you mean 'unet'?",
    "build wave.yaml --as unet": (
        "--as: conv-deconv, unet and frrn go down and up once; columns 1+1+1+1 are not sub "
        "columns, then up columns"
    ),
    # sizes
    "count mine.yaml --size 400": "400 is no size for 2 dimensions; give height, width: 360x480.",
    "count mine.yaml --size 8x8x8": (
        "8x8x8 is no size for 2 dimensions; give height, width: 360x480."
    ),
    "count mine.yaml --size 400,400": (
        "--size: '400,400' is not a size; write HEIGHTxWIDTH, such as 360x480 (volumes: 64x64x32)"
    ),
    "count mine.yaml --size 0x8": "Image is 0x8; each side must be from 1 to 65536.",
    "count deep.yaml --size 360x480": (
        "Image is 360x480; 5 streams need multiples of 16. "
        "Pad to 368x480, crop to 352x480, or set size: pad."
    ),
    # output paths
    "render mine.yaml -o picture": "picture: add an ending: .svg, .png, .pdf, .dot, .gv",
    "render mine.yaml -o picture.bmp": (
        "unknown picture format 'bmp'; known: dot, gv, pdf, png, svg"
    ),
    "render mine.yaml -o file/a.svg": f"file: {WAY}",
    "render mine.yaml -o file/b/a.dot": f"file/b: {WAY}",
    "build mine.yaml -o other": (
        "-o: other does not say in which form; end it in .safetensors (safetensors), .py (source)"
    ),
    "build mine.yaml -o mine.yaml": (
        "-o: mine.yaml does not say in which form; end it in .safetensors (safetensors), .py "
        "(source)"
    ),
    "build mine.yaml -o file/w.safetensors": f"file: {WAY}",
    f"{TRAIN} shapes -o file/run": f"file: {WAY}",
    "predict run image.png -o file": f"file: {WAY}",
    "search study.yaml -o file": f"file: {WAY}",
    # data
    f"{TRAIN} shaps": ("unknown dataset or folder 'shaps'; did you mean 'shapes'?"),
    f"{TRAIN} unsplit": f"unsplit: {NO_SPLIT}",
    f"{TRAIN} half": (
        "half: no split val beside train; gridgen data split half makes one, gridgen train --fold "
        "1/5 needs none"
    ),
    f"{TRAIN} streets": (
        "streets/val/labels/a.png: ids that classes.txt has not: 7 (256 pixels); list them there, "
        "or map them by values in dataset.yaml"
    ),
    "evaluate run --data shapes --split test": "shapes: unknown split 'test'; known: train, val",
    "predict run none.png": "none.png: No such file or directory",
    "predict run text.png": "text.png: not a PNG, JPEG, WebP, BMP or TIFF image",
    "predict run nothing.png": "nothing.png: the file is empty",
    "predict run odd.png": (
        "odd.png: Image is 16x15; 2 streams need multiples of 2. "
        "Pad to 16x16, crop to 16x14, or set size: pad."
    ),
    "predict run image.png streets/image.png": (
        "image.png and streets/image.png are both called image; predict them into two folders"
    ),
    # a spec and data that do not fit
    "train two.yaml --data shapes": (
        "two.yaml:4:10: classes: 2, but the data shapes has 3; set classes: 3\n"
        "     4 | classes: 2\n"
        "       |          ^"
    ),
    "train grey.yaml --data shapes": (
        "grey.yaml:5:14: in_channels: 1, but the data shapes has 3; set in_channels: 3\n"
        "     5 | in_channels: 1\n"
        "       |              ^"
    ),
    # recipes
    "train mine.yaml --data shapes --recipe papr": (
        "unknown recipe or YAML file 'papr'; did you mean 'paper'?"
    ),
    "train mine.yaml --data shapes --recipe recipe-zero.yaml": (
        "recipe-zero.yaml:1:9: epochs: 0 is less than 1\n"
        "     1 | epochs: 0\n"
        "       |         ^\n"
        "recipe-zero.yaml:4:7: crop: smallest: this field is missing; add it\n"
        "     4 | crop: {}\n"
        "       |       ^\n"
        "recipe-zero.yaml:4:7: crop: largest: this field is missing; add it\n"
        "     4 | crop: {}\n"
        "       |       ^\n"
        "recipe-zero.yaml:4:7: crop: size: this field is missing; add it\n"
        "     4 | crop: {}\n"
        "       |       ^"
    ),
    # trainings
    "train": NEEDED,
    "train mine.yaml": NEEDED,
    "train --data shapes": NEEDED,
    "train mine.yaml --resume run": BESIDE,
    "train --resume run --seed 1": BESIDE,
    "train --resume other": "other: no run there (no run.json); name one that train made",
    f"{TRAIN} shapes -o run": f"run {TAKEN.format('run')}",
    f"{TRAIN} shapes --device gpu": "unknown device 'gpu'; known: auto, cpu, cuda",
    # runs
    "evaluate none --data shapes": f"none: {NO_RUN.format('none')}",
    "evaluate run-spec --data shapes": f"run-spec/spec.yaml{ZERO}",
    "evaluate run-bits --data shapes": (
        "run-bits/weights.safetensors: damaged: its SHA-256 does not match its content; "
        "gridgen train --resume run-bits writes it again"
    ),
    "evaluate run-short --data shapes": (
        "run-short/weights.safetensors: not a safetensors file, or damaged: "
        "Error while deserializing header: header too small; "
        "gridgen train --resume run-short writes it again"
    ),
    "predict run-unfinished image.png": (
        "run-unfinished/weights.safetensors is missing; "
        "gridgen train --resume run-unfinished writes it"
    ),
    "predict run-facts image.png": ("run-facts/run.json: classes: this field is missing; add it"),
    "train --resume run-json": "run-json/run.json:1:2: not JSON; put it back, or train anew",
    "train --resume run-recipe": (
        "run-recipe/recipe.yaml:1:1: batch: this field is missing; add it\n"
        "     1 | epochs: 1\n"
        "       | ^\n"
        "run-recipe/recipe.yaml:1:1: learning_rate: this field is missing; add it\n"
        "     1 | epochs: 1\n"
        "       | ^\n"
        "run-recipe/recipe.yaml:1:1: crop: this field is missing; add it\n"
        "     1 | epochs: 1\n"
        "       | ^"
    ),
    "report run-metrics": (
        "run-metrics/metrics.csv: missing or damaged; "
        "gridgen train --resume run-metrics writes it again from a checkpoint"
    ),
    "report run -o mine.yaml": "-o: mine.yaml does not end in .html, as the page's file must",
    "export run -o run/weights.safetensors": KEPT,
    "evaluate run --data shapes -o run": "-o: run holds other files; name a new folder",
    "train mine.yaml --data gone/away": "gone/away: no such folder",
    "train mine.yaml --data mine.yaml": "mine.yaml: a file; a dataset is a folder",
    # studies
    "search none.yaml": "none.yaml: No such file or directory",
    "search study-data.yaml": (
        "study-data.yaml:1:7: data: unknown dataset or folder 'shaps'; did you mean 'shapes'?\n"
        "     1 | data: shaps\n       |       ^"
    ),
    "search study-classes.yaml": (
        "study-classes.yaml:2:17: spec.classes: 5, but the data shapes has 3; set classes: 3\n"
        "     2 | spec: {classes: 5}\n"
        "       |                 ^"
    ),
    "search study-unit.yaml": (
        "study-unit.yaml:6:19: space.units.lateral.0: unknown lateral unit 'residul'; "
        "did you mean 'residual'?\n     6 |   units.lateral: [residul]\n       |          "
        "         ^"
    ),
    "search study-sampler.yaml": (
        "study-sampler.yaml:10:10: sampler: unknown sampler 'grdi'; did you mean "
        "'grid'?\n    10 | sampler: grdi\n       |          ^"
    ),
    "search study-recipe.yaml": (
        "study-recipe.yaml:8:9: recipe: quik.yaml: no such file\n"
        "     8 | recipe: quik.yaml\n"
        "       |         ^"
    ),
    "search study-range.yaml": (
        "study-range.yaml:6:18: space.base_channels: low 4 is more than high 2\n"
        "     6 |   base_channels: {low: 4, high: 2}\n"
        "       |                  ^"
    ),
    "search study.yaml -o other": (
        "other holds a search with other settings: budget.parameters is 3600 there, 3500 here; "
        "recipe is 'quick.yaml' there, {'epochs': 1, 'batch': 500, 'learning_rate': 0.01, "
        "'optim... here; budget.bound is not set there, 'exact' here; and 6 more; "
        "name another folder with -o"
    ),
    "search study.yaml -o broken": (
        "broken holds a search with other settings: spec is not set there, {'classes': 3} here; "
        "space is not set there, {'streams': [2, 3], 'columns': ['1+1', '2+2'], 'base_chan... "
        "here; budget is not set there, {'bound': 'exact', 'parameters': 3500} here; and 7 more; "
        "name another folder with -o"
    ),
    "search study.yaml --device gpu": ("unknown device 'gpu'; known: auto, cpu, cuda"),
}

# Through the program as it is installed, which takes seconds where it loads torch.
INSTALLED = ["count zero.yaml", "render mine.yaml --as u-net", "frobnicate", "predict run odd.png"]


@pytest.fixture(scope="session")
def inputs(trained, tmp_path_factory) -> Path:
    """A folder of wrong inputs."""
    folder = tmp_path_factory.mktemp("inputs")
    for name, content in INPUTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    shutil.copytree(trained, folder / "run")
    for name, changes in RUNS.items():
        _copy_run(trained, folder / name, changes)
    _flip_last_bit(folder / "run-bits" / "weights.safetensors")
    Image.new("RGB", (15, 16)).save(folder / "odd.png")
    Image.new("RGB", (16, 16)).save(folder / "streets" / "image.png")
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (folder / "streets" / split / kind).mkdir(parents=True)
        Image.new("RGB", (16, 16)).save(folder / "streets" / split / "images" / "a.png")
        label = Image.fromarray(np.full((16, 16), 7, np.uint8))
        label.save(folder / "streets" / split / "labels" / "a.png")
    return folder


def _copy_run(run: Path, copy: Path, changes: dict[str, str | None]) -> None:
    """A copy of a run with files written anew; None: taken away."""
    shutil.copytree(run, copy)
    for name, content in changes.items():
        if content is not None:
            (copy / name).write_text(content)
        elif (copy / name).is_dir():
            shutil.rmtree(copy / name)
        else:
            (copy / name).unlink()


def _flip_last_bit(path: Path) -> None:
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)


@pytest.fixture
def place(place, inputs) -> Path:
    shutil.copytree(inputs, place, dirs_exist_ok=True)
    return place


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("command", CASES)
def test_a_wrong_input_is_one_text_and_nothing_is_written(command, place, gridgen):
    before = tree(place)
    code, out, err = gridgen(*shlex.split(command))
    assert err == CASES[command] + "\n"
    assert out == ""
    assert code == 2
    assert tree(place) == before


@pytest.mark.parametrize("command", INSTALLED)
def test_the_installed_program_says_the_same(command, place):
    before = tree(place)
    done = installed(*shlex.split(command))
    assert done.stderr == CASES[command] + "\n"
    assert done.stdout == ""
    assert done.returncode == 2
    assert tree(place) == before


def installed(*arguments: str) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("gridgen")
    if not program.exists():
        pytest.skip(f"gridgen is not installed beside {sys.executable}")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=300)


def test_a_network_larger_than_the_machine_is_refused(place, gridgen):
    wide = SPEC.replace("1+1", "50+50").replace("base_channels: 2", "base_channels: 30000")
    (place / "wide.yaml").write_text(wide)
    before = tree(place)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    code, out, err = gridgen("build", "wide.yaml")
    assert err == (
        "The network has 11,672,182,260,105 parameters, 43,482.3 GiB in fp32; this machine has "
        f"{memory / 2**30:,.1f} GiB. Use fewer streams or channels.\n"
    )
    assert (code, out) == (2, "")
    assert tree(place) == before


def test_a_damaged_checkpoint_is_one_line_without_our_own_source(place):
    """Warnings are errors in this process, so the installed program has to say it."""
    (checkpoint,) = (place / "run" / "checkpoints").glob("step-*")
    _flip_last_bit(checkpoint / "network.safetensors")
    done = installed("train", "--resume", "run")
    relative = checkpoint.relative_to(place)
    # Where the machine is busy, that it reads is told before.
    assert done.stderr.removeprefix("reading shapes\n") == (
        f"gridgen: {relative} is damaged (network.safetensors does not match its SHA-256); "
        "trying the one before\n"
        "run/checkpoints: no whole checkpoint (1 found); train anew\n"
    )
    assert (done.returncode, done.stdout) == (2, "")
