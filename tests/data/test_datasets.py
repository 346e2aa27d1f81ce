import pytest
from cityscapes import make_tree

from gridgen.data import DATASETS, find_dataset, load_dataset
from gridgen.data.datasets import folder_of, lasting_name, scale_of
from gridgen.data.subsets import holdout
from gridgen.errors import DataError, unknown
from gridgen.images.scale import PixelScale
from gridgen.testing import check_dataset


@pytest.fixture(params=DATASETS)
def name(request, tree, tmp_path):
    """What a user writes for each line of the registry."""
    if request.param in ("nuclei", "denoising"):
        request.getfixturevalue("stardist")
    if request.param == "cityscapes":
        return f"cityscapes:{make_tree(tmp_path / 'cs')}"
    return str(tree.root) if request.param == "folder" else request.param


def test_every_dataset_holds_its_contract(name):
    train, val = load_dataset(name, "train"), load_dataset(name, "val")
    check_dataset(train, val)


def test_a_part_of_a_dataset_holds_the_contract_too(name):
    dataset = load_dataset(name, "train")
    if len(dataset) == 1:
        pytest.skip(f"{dataset.name} has one sample, of which nothing can be held out")
    check_dataset(*holdout(dataset, dataset.names[-1]))


def test_a_split_that_does_not_exist_is_refused_with_those_that_do(name):
    with pytest.raises(DataError) as error:
        load_dataset(name, "other")
    assert str(error.value) == f"{name}: unknown split 'other'; known: train, val"


def test_every_entry_has_a_line_and_a_recipe():
    recipes = {name: entry.recipe for name, entry in DATASETS.items()}
    assert recipes == {
        "nuclei": "demo",
        "shapes": "shapes",
        "denoising": "denoising",
        "cityscapes": "paper",
        "folder": "modern",
    }
    assert [name for name, entry in DATASETS.items() if entry.fitted] == ["folder"]
    assert all(entry.description and "\n" not in entry.description for entry in DATASETS.values())


def test_a_misspelt_name_gets_the_nearest_one():
    with pytest.raises(DataError) as error:
        load_dataset("nucleii")
    assert str(error.value) == unknown("dataset or folder", "nucleii", ["nuclei"])


def test_the_path_of_a_folder_stands_for_itself(tree):
    assert find_dataset(str(tree.root)) is DATASETS["folder"]
    assert load_dataset(str(tree.root)).name == "streets"


def test_a_name_goes_before_a_folder_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "shapes").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_dataset("shapes") is DATASETS["shapes"]
    assert find_dataset("./shapes") is DATASETS["folder"]


def test_a_name_with_a_path_is_that_dataset_of_that_folder(tree):
    assert find_dataset(f"denoising:{tree.root}") is DATASETS["denoising"]
    assert load_dataset(f"denoising:{tree.root}").name == "denoising:streets"
    with pytest.raises(DataError) as error:
        load_dataset(f"shapes:{tree.root}")
    assert str(error.value).startswith(f"unknown dataset or folder 'shapes:{tree.root}'; ")


def test_a_lasting_name_means_the_same_from_everywhere(tree, monkeypatch):
    monkeypatch.chdir(tree.root.parent)
    assert lasting_name("denoising") == "denoising"
    assert lasting_name("streets") == str(tree.root)
    assert lasting_name("denoising:streets") == f"denoising:{tree.root}"


def test_scale_is_what_the_folder_of_a_name_says(tree):
    assert folder_of("shapes") is None
    assert scale_of("shapes") == scale_of(str(tree.root)) == PixelScale()
    tree.write("dataset.yaml", "white: 4095\n")
    assert folder_of(f"denoising:{tree.root}") == tree.root
    assert scale_of(f"denoising:{tree.root}") == scale_of(str(tree.root)) == PixelScale(4095)


def test_the_word_folder_is_no_dataset():
    with pytest.raises(DataError) as error:
        load_dataset("folder")
    assert str(error.value) == "folder: no such directory"
