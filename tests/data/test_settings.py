"""`dataset.yaml`: what white is."""

import numpy as np
import pytest

from gridgen.data.denoising import Denoising
from gridgen.data.folder import Folder
from gridgen.data.settings import FolderSettings, read_settings
from gridgen.errors import SpecError


@pytest.fixture
def dark(tree):
    """The tree with grey images of 12 bits, as bright as 1/5 of white."""
    for split, name in (("train", "a.png"), ("train", "b.webp"), ("val", "c.jpg")):
        (tree.root / split / "images" / name).unlink()
        ramp = np.full((4, 6), 819, np.uint16)
        ramp[0] = 0
        tree.image(f"{split}/images/{name[0]}.png", ramp)
    return tree


def test_without_the_file_nothing_is_set(tree):
    assert read_settings(tree.root) == FolderSettings()


@pytest.mark.parametrize("dataset", [lambda root: Folder(root), lambda r: Denoising("train", r)])
def test_white_keeps_a_dark_image_dark(dark, dataset):
    assert dataset(dark.root)[0].image.max() == 1
    dark.write("dataset.yaml", "white: 4095\n")
    sample = dataset(dark.root)[0]
    clean = sample.label if sample.label.is_floating_point() else sample.image
    assert clean.max().item() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("whit: 3\n", "1:1: whit: 'whit' is no field; did you mean 'white'?"),
        ("white: 0\n", "1:8: white: 0 is not more than 0.0"),
        ("white: bright\n", "1:8: white: 'bright' is not a number"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tree, content, error):
    path = tree.write("dataset.yaml", content)
    with pytest.raises(SpecError) as caught:
        Folder(tree.root)
    assert str(caught.value).splitlines()[0] == f"{path}:{error}"
