"""Scores of a split and of each image, whoever looks on, and tables of both."""

import csv
import json
from dataclasses import replace
from io import StringIO

import pytest
import torch
from torch import Tensor

from gridgen.data import IGNORE, Sample
from gridgen.data.shapes import Shapes
from gridgen.emit import GridNetwork, save_network
from gridgen.errors import DataError, DeviceError, OutOfMemoryError, SizeError, SpecError
from gridgen.figures.scores import confusion_png
from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from gridgen.training.inference import WHOLE, Inference
from gridgen.training.run.model import open_model
from gridgen.training.scoring.evaluation import (
    Evaluation,
    evaluate,
    images_table,
)
from gridgen.training.scoring.per_image import Gallery, ImageScore, Predictor, statistics_of
from gridgen.training.tasks import Segmentation
from gridgen.training.tasks.overlap import confusion, score
from gridgen.training.tasks.requirements import BY_RECIPE
from gridgen.training.tasks.table import ScoreTable

SPEC = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3, size="pad")
CLASSES = ("background", "larger", "smaller")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network of `shapes` that nobody trained."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("evaluation") / "w.safetensors"
    return save_network(GridNetwork(build_grid(SPEC)), path, about={"classes": CLASSES})


class Recorder:
    """Keeps what it sees."""

    def __init__(self):
        self.names: list[str] = []
        self.total = torch.zeros(3, 3, dtype=torch.int64)

    def see(self, sample: Sample, answer: Tensor) -> None:
        assert (answer.dtype, answer.device.type) == (torch.int64, "cpu")
        self.names.append(sample.name)
        self.total += confusion(answer[None], sample.label[None], 3)


@pytest.fixture(scope="module")
def seen(weights):
    recorder, gallery = Recorder(), Gallery(least=3, most=2)
    found = evaluate(
        weights, "shapes", baseline=False, observers=[recorder], gallery=gallery, device="cpu"
    )
    return found, recorder, gallery


def test_observers_see_every_answer_in_order(seen):
    found, recorder, _ = seen
    assert recorder.names == [image.name for image in found.per_image]
    assert len(recorder.names) == found.images == 64
    assert torch.equal(recorder.total, found.statistics)


def test_the_gallery_keeps_the_ends_of_the_list(seen):
    found, _, gallery = seen
    order = found.worst
    values = [image.score.value for image in order]
    assert values == sorted(values)
    assert [each.image for each in gallery.worst] == order[:3]
    assert {each.image.score.value for each in gallery.best} == set(values[-2:])
    for each in gallery.worst:
        assert each.given[:4] == each.faults[:4] == b"RIFF"
        assert each.truth[:4] == each.prediction[:4] == b"\x89PNG"


def test_whole_windows_and_another_batch_agree_where_the_window_is_the_image(weights, seen):
    found = evaluate(weights, "shapes", baseline=False, inference=Inference(window=64, batch=4))
    assert torch.equal(found.statistics, seen[0].statistics)
    assert ("inference", "windows of 64, fp32") in found.rows()


def test_other_classes_than_the_files_are_refused(weights, tmp_path):
    path = tmp_path / "w.safetensors"
    names = ["background", "road", "tree"]
    save_network(GridNetwork(build_grid(SPEC)), path, about={"classes": names})
    with pytest.raises(DataError) as caught:
        evaluate(path, "shapes")
    assert str(caught.value) == (
        f"class 1 is 'larger' in the data shapes, but 'road' in {path}; "
        "name the data that it was trained for"
    )


def test_a_file_that_names_no_classes_is_scored_by_the_datas(tmp_path):
    path = save_network(GridNetwork(build_grid(SPEC)), tmp_path / "w.safetensors")
    assert list(evaluate(path, "shapes", baseline=False).as_json()["iou"]) == list(CLASSES)


def test_a_network_of_another_number_of_classes_is_refused(tmp_path):
    grid = build_grid(SPEC.but(classes=4))
    path = save_network(GridNetwork(grid), tmp_path / "w.safetensors")
    with pytest.raises(SpecError) as caught:
        evaluate(path, "shapes")
    assert str(caught.value) == "classes: 4, but the data shapes has 3; set classes: 3"


def evaluation(*pairs: tuple[list[int], list[int]]) -> Evaluation:
    """Of images whose (labels, answers) are given; class c never occurs."""
    task = Segmentation(("a", "b", "c"), ((1, 2, 3), (4, 5, 6), (7, 8, 9)))
    statistics = [confusion(torch.tensor([[p]]), torch.tensor([[t]]), 3) for t, p in pairs]
    images = [
        ImageScore(
            f"image{number}",
            (1, len(pair[0])),
            task.score(own) if own.any() else None,
        )
        for number, (pair, own) in enumerate(zip(pairs, statistics, strict=True))
    ]
    total = sum(statistics)
    return Evaluation(
        task, "run", "data", "val", WHOLE, score(total, task.classes), total, tuple(images), None
    )


PAIRS = ([0, 0, 1, 1], [0, 0, 1, 1]), ([IGNORE], [0]), ([0, 0, 0, 1], [0, 1, 1, 1])


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text)))


def test_precision_recall_and_pixels_of_each_class():
    table = evaluation(*PAIRS).tables["classes"]
    assert table.rows == [
        ("a", 3 / 5, 3 / 4, 1.0, 3 / 5, 5 / 8, 5, 3),
        ("b", 3 / 5, 3 / 4, 3 / 5, 1.0, 3 / 8, 3, 5),
        ("c", None, None, None, None, 0.0, 0, 0),
    ]
    assert table.mean == ("mean", 3 / 5, 3 / 4, "", "", "", "", "")
    written = rows(table.csv())
    assert written[0] == [
        *("class", "iou", "dice", "precision", "recall"),
        *("share", "pixels", "predicted_pixels"),
    ]
    assert written[3] == ["c", "", "", "", "", "0.000000", "0", "0"]
    assert len(written) == 4
    assert table.shown()[3:] == [
        ("c", "–", "–", "–", "–", "0.0000", "0", "0"),
        ("mean", "0.6000", "0.7500", "", "", "", "", ""),
    ]


def test_images_come_worst_first_and_what_has_no_label_last():
    assert rows(images_table(evaluation(*PAIRS)).csv()) == [
        ["image", "height", "width", "iou", "dice", "accuracy"],
        ["image2", "1", "4", "0.333333", "0.500000", "0.500000"],
        ["image0", "1", "4", "1.000000", "1.000000", "1.000000"],
        ["image1", "1", "1", "", "", ""],
    ]


def test_the_confusion_matrix_has_truth_in_rows():
    assert rows(evaluation(*PAIRS).tables["confusion"].csv()) == [
        ["truth", "a", "b", "c"],
        ["a", "3", "2", "0"],
        ["b", "0", "3", "0"],
        ["c", "0", "0", "0"],
    ]


def test_json_names_the_worst_and_holds_plain_numbers():
    found = evaluation(*PAIRS, *PAIRS)
    told, shown = found.as_json(), found.tables["classes"]
    again = json.loads(json.dumps(told))
    assert (again["dice"], again["mean_dice"]) == ({"a": 0.75, "b": 0.75, "c": None}, 0.75)
    assert ScoreTable("Classes", **again["tables"]["classes"]).shown() == shown.shown()
    assert list(told["worst"]) == ["image2", "image5", "image0"]


def test_a_long_report_names_the_worst_images():
    rows = dict(evaluation(*PAIRS, *PAIRS).rows())
    assert rows["worst images"] == "image2 0.3333, image5 0.3333, image0 1.0000"
    assert "worst images" not in dict(evaluation(*PAIRS).rows())


@pytest.mark.parametrize("classes", [1, 2, 19, 60, 200])
def test_a_confusion_matrix_of_any_size_is_drawn(classes):
    matrix = torch.eye(classes, dtype=torch.int64)
    matrix[-1] = 0
    names = [f"a class of a rather long name, {i}" for i in range(classes)]
    picture = confusion_png(matrix.numpy(), names)
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 400_000


def test_several_processes_are_refused(weights, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(DeviceError) as caught:
        evaluate(weights, "shapes")
    assert str(caught.value) == "one process scores a split, not 2; run without torchrun"


def test_an_image_that_does_not_fit_is_named_before_any_is_scored(weights, monkeypatch):
    original, recorder = Shapes.__init__, Recorder()

    def uneven(self, split="train", seed=0):
        original(self, split, seed)
        self.sizes = ((64, 64),) * 63 + ((63, 64),)

    monkeypatch.setattr(Shapes, "__init__", uneven)
    with pytest.raises(SizeError) as caught:
        evaluate(open_model(weights, size="error"), "shapes", baseline=False, observers=[recorder])
    assert str(caught.value) == (
        "shapes, val, image val-0063: Image is 63x64; 2 streams need multiples of 2. "
        "Pad to 64x64, crop to 62x64, or set size: pad."
    )
    assert recorder.names == []


def test_memory_that_runs_out_is_mended_by_a_flag_or_in_training_by_the_recipe(
    weights, monkeypatch
):
    def exhausted(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("gridgen.training.scoring.per_image.infer", exhausted)
    with pytest.raises(OutOfMemoryError) as caught:
        evaluate(weights, "shapes", baseline=False)
    assert str(caught.value) == (
        "val-0000: memory ran out; see images through windows, --window 512 or fewer pixels"
    )
    network = GridNetwork(build_grid(SPEC))
    with pytest.raises(OutOfMemoryError) as caught:
        statistics_of(Predictor(network, torch.device("cpu"), fix=BY_RECIPE), Shapes("val"))
    assert str(caught.value) == (
        "val-0000: memory ran out; set inference: windows in the recipe, or a smaller window."
    )


def test_the_lookup_is_not_fitted_on_what_was_held_out(weights, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "gridgen.training.tasks.segmentation.fitted_lookup",
        lambda train, scored, _on_progress: (
            seen.append((train.names, scored.names)) or torch.eye(3).long()
        ),
    )
    model = replace(open_model(weights), holdout="train-00[12]*")
    found = evaluate(model, "shapes", "holdout")
    [(fitted_on, scored)] = seen
    assert found.baseline is not None
    assert (len(fitted_on), len(scored)) == (980, 20)
    assert not set(fitted_on) & set(scored)
    evaluate(model, "shapes", "val")
    assert len(seen[1][0]) == 1000


def test_a_split_without_labels_is_not_scored(weights, monkeypatch):
    original = Shapes.__getitem__

    def unlabelled(self, index):
        sample = original(self, index)
        return replace(sample, label=torch.full_like(sample.label, IGNORE))

    monkeypatch.setattr(Shapes, "__getitem__", unlabelled)
    with pytest.raises(DataError) as caught:
        evaluate(weights, "shapes", baseline=False)
    images = len(Shapes("val"))
    assert str(caught.value) == (
        f"shapes, val: no pixel of its {images} images has a class, so there is nothing to score; "
        "label some"
    )
