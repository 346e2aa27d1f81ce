"""Noise that is the same each time, on images whose labels they are."""

import numpy as np
import pytest
import torch
from PIL import Image

from gridgen.data.denoising import SIGMA, Denoising, noisy
from gridgen.data.nuclei import Nuclei
from gridgen.errors import DataError
from gridgen.images.files import SUFFIXES

ENDINGS = ", ".join(SUFFIXES)


@pytest.fixture
def greys(tmp_path):
    """Two grey images for training, one for validation; no labels, no classes.txt."""
    for split, names in (("train", "ab"), ("val", "a")):
        (tmp_path / split / "images").mkdir(parents=True)
        for number, name in enumerate(names):
            values = np.full((40, 60), 100 + 20 * number, np.uint8)
            Image.fromarray(values).save(tmp_path / split / "images" / f"{name}.png")
    return tmp_path


def test_the_label_is_the_micrograph_that_segmentation_sees(stardist):
    for split in ("train", "val"):
        clean, spoilt = Nuclei(split), Denoising(split)
        assert len(clean) == len(spoilt)
        assert spoilt.classes == ()
        assert torch.equal(spoilt[0].label, clean[0].image)
        assert spoilt[0].name == clean[0].name


def test_the_noise_has_the_deviation_it_says():
    difference = noisy(torch.full((1, 200, 200), 0.5), "a") - 0.5
    assert difference.mean() == pytest.approx(0, abs=0.002)
    assert difference.std() == pytest.approx(SIGMA, rel=0.02)


def test_an_image_has_its_own_noise_each_time(greys):
    first, again = Denoising("train", greys), Denoising("train", greys)
    assert torch.equal(first[0].image, again[0].image)
    noises = [s.image - s.label for s in (first[0], first[1], Denoising("val", greys)[0])]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not torch.allclose(noises[one], noises[other], atol=0.01)


def test_values_stay_in_range():
    for value in (0.0, 1.0):
        image = noisy(torch.full((3, 20, 20), value), "a")
        assert image.min() >= 0
        assert image.max() <= 1


def test_a_folder_of_images_needs_neither_labels_nor_classes(greys):
    dataset = Denoising("train", greys)
    assert (len(dataset), dataset.channels) == (2, 1)
    assert dataset.sizes == ((40, 60), (40, 60))
    assert dataset.name == f"denoising:{greys.name}"
    assert dataset[1].label.unique() == pytest.approx(120 / 255)


def test_a_folder_of_a_dataset_works_too(tree):
    assert [sample.name for sample in Denoising("train", tree.root)] == ["a", "b"]
    assert Denoising("train", tree.root).channels == 3


def test_what_is_missing_is_named(greys):
    with pytest.raises(DataError) as error:
        Denoising("train", greys / "x")
    assert str(error.value) == f"{greys}/x: no such directory"
    with pytest.raises(DataError) as error:
        Denoising("test", greys)
    assert str(error.value) == f"{greys}: unknown split 'test'; known: train, val"
    (greys / "val" / "images" / "a.png").unlink()
    with pytest.raises(DataError) as error:
        Denoising("val", greys)
    assert str(error.value) == (f"{greys}/val/images: no images; they end in {ENDINGS}")


def test_noise_is_the_same_whether_an_umlaut_is_one_character_or_two(greys):
    folder = greys / "train" / "images"
    (folder / "a.png").rename(folder / "r\u00fcben.png")
    composed = Denoising("train", greys)[1]
    (folder / "r\u00fcben.png").rename(folder / "ru\u0308ben.png")
    decomposed = Denoising("train", greys)[1]
    assert composed.name == decomposed.name == "r\u00fcben"
    assert torch.equal(composed.image, decomposed.image)


def test_a_name_that_is_not_utf_8_has_noise():
    assert noisy(torch.zeros(1, 4, 4), "b\udcff").max() > 0
