"""Natural mistakes in Python: each ends in one clear sentence that says what was wanted.

`mistakes.txt` holds what is evaluated and what the error says, to be read aloud; `{here}` in it is
the folder in which all of it happens.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gridgen
from gridgen.emit.weights import load_tensors, save_tensors
from gridgen.grid.layers import Conv

FIELDS = {"streams": 2, "columns": "1+1", "base_channels": 4, "classes": 3}
TEXT = Path(__file__).with_name("mistakes.txt").read_text("utf-8")
MISTAKES = dict(entry.rstrip("\n").split("\n", 1) for entry in TEXT.split(">>> ")[1:])


def weights(here, change):
    """A weights file of which one kernel is changed, its digest made anew."""
    tensors, metadata = load_tensors("net.safetensors")
    metadata.pop("sha256", None)
    tensors["head.0.weight"] = change(tensors["head.0.weight"].clone())
    save_tensors(tensors, "changed.safetensors", metadata)
    return "changed.safetensors"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A folder with an image, a spec, a study and a network, and what a user has at hand."""
    here = tmp_path_factory.mktemp("mistakes")
    before = os.getcwd()
    os.chdir(here)
    spec = gridgen.GridSpec(**FIELDS)
    network = gridgen.GridNetwork(spec)
    gridgen.save_network(gridgen.GridNetwork(spec.but(size="pad")).eval(), "net.safetensors")
    (here / "img").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("img/one.png")
    (here / "spec.yaml").write_text("".join(f"{k}: {v}\n" for k, v in FIELDS.items()))
    (here / "study.yaml").write_text(
        "data: shapes\nspec: {classes: 3}\nrecipe: demo\n"
        "space: {streams: [2], columns: [1+1], base_channels: [4]}\n"
    )
    for number in range(40):
        (here / f"r{number}.yaml").write_text(f"extends: r{number + 1}.yaml\n")
    (here / "deep.yaml").write_text("streams: " + "[" * 5000)
    at_hand = {name: getattr(gridgen, name) for name in gridgen.__all__}
    at_hand |= {
        "Conv": Conv,
        "np": np,
        "torch": torch,
        "FIELDS": FIELDS,
        "spec": spec,
        "net": network,
    }
    at_hand |= {"grid": gridgen.build_grid(spec), "model": gridgen.open_model("net.safetensors")}
    at_hand |= {"weights": lambda change: weights(here, change), "here": here}
    yield at_hand
    os.chdir(before)


@pytest.mark.parametrize("code", MISTAKES)
def test_a_mistake_is_told_in_one_clear_error(scene, code):
    with pytest.raises(gridgen.GridgenError) as caught:
        eval(code, dict(scene))
    assert str(caught.value) == MISTAKES[code].replace("{here}", str(scene["here"]))


def test_there_are_a_hundred_mistakes_at_least():
    assert len(MISTAKES) >= 100
