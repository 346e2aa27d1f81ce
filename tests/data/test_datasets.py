import pytest
import torch
from cityscapes import make_tree

from gridgen.data import DATASETS, IGNORE, find_dataset, load_dataset
from gridgen.data.dataset import OnDisk, Window, holdout, part_of
from gridgen.data.datasets import folder_of, lasting_name, white_of
from gridgen.errors import DataError, unknown
from gridgen.training.tasks import TASKS


@pytest.fixture(params=DATASETS)
def name(request, tree, tmp_path):
    """What a user writes for each line of the registry."""
    if request.param in ("nuclei", "denoising"):
        request.getfixturevalue("stardist")
    if request.param == "cityscapes":
        return f"cityscapes:{make_tree(tmp_path / 'cs')}"
    return str(tree.root) if request.param == "folder" else request.param


@pytest.mark.parametrize("split", ["train", "val"])
def test_every_sample_has_the_dtypes_and_shapes_that_a_sample_promises(name, split):
    dataset = load_dataset(name, split)
    for index in {0, len(dataset) // 2, len(dataset) - 1}:
        image, label = dataset[index].image, dataset[index].label
        assert image.dtype == torch.float32
        assert image.shape == (dataset.channels, *dataset.sizes[index])
        assert image.min() >= 0
        assert image.max() <= 1
        if dataset.classes:
            assert (label.dtype, label.shape) == (torch.int64, image.shape[1:])
            assert set(label.unique().tolist()) <= {*range(len(dataset.classes)), IGNORE}
        else:
            assert (label.dtype, label.shape) == (image.dtype, image.shape)
            assert label.min() >= 0
            assert label.max() <= 1
        if (read := dataset[index].instances) is not None:
            instances = read()
            assert (instances.dtype, instances.shape) == (torch.int32, image.shape[1:])


def test_every_dataset_names_a_task_and_so_do_its_parts(name):
    dataset = load_dataset(name, "train")
    assert dataset.task in TASKS
    if len(dataset) > 1:
        assert {part.task for part in holdout(dataset, dataset.names[-1])} == {dataset.task}


def test_a_part_of_a_sample_is_cut_from_the_whole(name):
    dataset = load_dataset(name, "train")
    held, _ = holdout(dataset, dataset.names[-1]) if len(dataset) > 1 else (dataset, None)
    for index in (0, len(held) - 1):
        height, width = held.sizes[index]
        whole, side = held[index], min(height, width) // 2
        for top, left in ((0, 0), (height - side, width - side), (1, 2)):
            window = Window(top, left, side)
            part = part_of(held, index, window)
            assert part.name == whole.name
            assert torch.equal(part.image, whole.image[:, window.rows, window.columns])
            assert torch.equal(part.label, whole.label[..., window.rows, window.columns])


def test_labels_that_are_files_can_be_read_without_their_images(name):
    dataset = load_dataset(name, "val")
    if not isinstance(dataset, OnDisk):
        pytest.skip(f"the labels of {dataset.name} are not files")
    assert len(dataset.label_files) == len(dataset)
    assert all(path.is_file() for path in dataset.label_files)
    last = len(dataset) - 1
    assert torch.equal(dataset.label(last), dataset[last].label)


def test_every_class_has_a_name_and_a_colour_of_its_own(name):
    dataset = load_dataset(name, "train")
    assert len(set(dataset.classes)) == len(dataset.classes) == len(set(dataset.colours))
    assert all(0 <= level <= 255 for colour in dataset.colours for level in colour)


def test_a_loop_over_a_split_ends_and_its_names_differ(name):
    dataset = load_dataset(name, "val")
    names = tuple(sample.name for sample in dataset)
    assert names == dataset.names
    assert len(names) == len(set(names)) == len(dataset)
    with pytest.raises(IndexError):
        dataset[len(dataset)]


def test_a_sample_can_be_changed_without_changing_the_dataset(name):
    dataset = load_dataset(name, "train")
    first = dataset[0]
    before = first.image.clone(), first.label.clone()
    first.image.zero_()
    first.label.fill_(IGNORE)
    assert torch.equal(dataset[0].image, before[0])
    assert torch.equal(dataset[0].label, before[1])


def test_splits_agree_on_classes_colours_and_channels(name):
    train, val = load_dataset(name, "train"), load_dataset(name, "val")
    assert (train.name, train.classes, train.colours) == (val.name, val.classes, val.colours)
    assert train.channels == val.channels


def test_a_split_that_does_not_exist_is_refused_with_those_that_do(name):
    with pytest.raises(DataError) as error:
        load_dataset(name, "other")
    assert str(error.value) == f"{name}: unknown split 'other'; known: train, val"


def test_every_entry_has_a_line_and_a_recipe():
    assert {entry.recipe for entry in DATASETS.values()} == {"demo", "denoising", "paper", "shapes"}
    assert all(entry.description and "\n" not in entry.description for entry in DATASETS.values())


def test_a_misspelt_name_gets_the_nearest_one():
    with pytest.raises(DataError) as error:
        load_dataset("nucleii")
    assert str(error.value) == (
        f"{unknown('dataset', 'nucleii', ['nuclei'])}; the path of a folder works too"
    )


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
    assert str(error.value).startswith(f"unknown dataset 'shapes:{tree.root}'; ")


def test_a_lasting_name_means_the_same_from_everywhere(tree, monkeypatch):
    monkeypatch.chdir(tree.root.parent)
    assert lasting_name("denoising") == "denoising"
    assert lasting_name("streets") == str(tree.root)
    assert lasting_name("denoising:streets") == f"denoising:{tree.root}"


def test_white_is_what_the_folder_of_a_name_says(tree):
    assert folder_of("shapes") is None
    assert (white_of("shapes"), white_of(str(tree.root))) == (None, None)
    tree.write("dataset.yaml", "white: 4095\n")
    assert folder_of(f"denoising:{tree.root}") == tree.root
    assert white_of(f"denoising:{tree.root}") == white_of(str(tree.root)) == 4095


def test_the_word_folder_is_no_dataset():
    with pytest.raises(DataError) as error:
        load_dataset("folder")
    assert str(error.value) == "folder: no such directory"
