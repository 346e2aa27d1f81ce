"""What is told of labels and of the recipe before a training begins; `data check` says the same."""

import numpy as np
import pytest
from PIL import Image

from gridgen.analysis import count
from gridgen.data.check import check_data
from gridgen.errors import DataError, SpecError
from gridgen.grid import build_grid
from gridgen.pages import write_evaluation, write_report
from gridgen.spec import GridSpec
from gridgen.training import Recipe, evaluate, train
from gridgen.training.loop.watch import Watch
from gridgen.training.scoring.per_image import Gallery

SPEC = GridSpec(streams=2, columns="1+1", base_channels=2, classes=2, in_channels=1, size="pad")
RECIPE = Recipe(
    epochs=1,
    batch=2,
    learning_rate=0.01,
    crop={"smallest": 8, "largest": 8, "size": 8},
    class_weights="median-frequency",
)
CLASSES = "0\tsoil\t0\t0\t0\tclass\n"
CROP = "1\tcrop\t9\t9\t9\tclass\n"
VOID = "255\tvoid\t0\t0\t0\tignore\n"


class Noting(Watch):
    """Keeps the lines."""

    def __init__(self) -> None:
        self.lines = list[str]()

    def noted(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def fields(tmp_path, monkeypatch):
    """Makes a folder of grey noise; `ids` are those of train and of val, column by column."""
    monkeypatch.setenv("GRIDGEN_HOME", str(tmp_path / "home"))

    def made(train_ids, val_ids, classes=CLASSES + CROP + VOID, images=2):
        root = tmp_path / "fields"
        for split, ids in (("train", train_ids), ("val", val_ids)):
            for number in range(images):
                rng = np.random.default_rng((number, len(split)))
                for kind, pixels in (
                    ("images", rng.integers(0, 256, (8, 8), np.uint8)),
                    ("labels", np.resize(np.uint8(ids), (8, 8))),
                ):
                    (root / split / kind).mkdir(parents=True, exist_ok=True)
                    Image.fromarray(pixels).save(root / split / kind / f"{number}.png")
        (root / "classes.txt").write_text(classes, "utf-8")
        return root

    return made


@pytest.mark.parametrize(
    ("train_ids", "val_ids", "classes"),
    [
        ([0], [0], CLASSES),
        ([0, 255], [0], CLASSES + VOID),
        ([255], [0, 1], CLASSES + CROP + VOID),
        ([0, 1], [255], CLASSES + CROP + VOID),
    ],
    ids=["a single class", "a single class and void", "nothing in train", "nothing in val"],
)
@pytest.mark.parametrize("spec", [SPEC, SPEC.but(classes=1)], ids=["2 classes", "1 class"])
def test_what_stops_a_training_is_a_fault_of_the_data_in_the_same_words(
    train_ids, val_ids, classes, spec, fields, tmp_path
):
    root = fields(train_ids, val_ids, classes)
    if classes != CLASSES + CROP + VOID or spec is SPEC:
        with pytest.raises(DataError) as caught:
            train(spec, root, RECIPE, folder=tmp_path / "run", device="cpu")
        assert [fault.text for fault in check_data(root).faults] == [str(caught.value)]
    else:
        with pytest.raises(SpecError, match="classes"):
            train(spec, root, RECIPE, folder=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_what_is_held_out_needs_a_label_too(fields, tmp_path):
    root = fields([0, 1], [0, 1])
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(root / "train" / "labels" / "1.png")
    with pytest.raises(DataError, match="fields, holdout: no pixel of its 1 image has a class"):
        train(SPEC, root, RECIPE, folder=tmp_path / "run", device="cpu", holdout="1")


def test_a_crop_without_a_label_stops_nothing(fields, tmp_path):
    root = fields([0, 1], [0, 1])
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(root / "train" / "labels" / "1.png")
    run = train(SPEC, root, RECIPE.but(batch=1), folder=tmp_path / "run", device="cpu")
    assert run.rows()[-1]["step"] == 2


def test_classes_without_a_pixel_are_noted_once_and_kept(fields, tmp_path):
    watch = Noting()
    root = fields([0], [1, 255])
    run = train(SPEC, root, RECIPE, folder=tmp_path / "run", device="cpu", watch=watch)
    told = [LACKING]
    told.append("val: no pixel is soil, which cannot be scored")
    assert watch.lines[:2] == run.facts.absent == told
    assert not set(told) & set(watch.lines[2:])
    assert [remark.text for remark in check_data(root).remarks if remark.kind == "absent"] == told
    assert run.facts.pixels == {"train": (128, 0), "val": (0, 64)}


@pytest.fixture
def collapsed(fields, tmp_path):
    """A run whose network learned one class, as it was shown no other, and the lines noted."""
    watch, root = Noting(), fields([0], [0, 1])
    recipe = RECIPE.but(epochs=30, learning_rate=0.05, class_weights="none", validate_every=10)
    run = train(SPEC, root, recipe, folder=tmp_path / "run", device="cpu", watch=watch)
    return run, watch.lines, root


LACKING = "train: no pixel is crop, which cannot be learned"
ONE_CLASS = "val: the network takes every pixel for soil"


def test_a_network_that_predicts_one_class_is_noted_once_and_stands_on_every_page(collapsed):
    run, lines, root = collapsed
    assert lines == run.remarks == [LACKING, ONE_CLASS]
    assert (run.folder / "remarks.txt").read_text("utf-8") == f"{ONE_CLASS}\n"
    gallery = Gallery()
    found = evaluate(run.folder, root, gallery=gallery, device="cpu")
    write_evaluation(found, gallery, run.folder / "val")
    assert found.remarks == found.as_json()["remarks"] == [ONE_CLASS]
    assert ("odd", ONE_CLASS) in found.rows()
    warning = f'<p class="warning">{ONE_CLASS}</p>'
    assert (run.folder / "val" / "index.html").read_text("utf-8").count(warning) == 1
    page = write_report(run).read_text("utf-8")
    assert page.count(warning) == 2  # of the run, and of its evaluation
    assert page.count(f'<p class="warning">{LACKING}</p>') == 1


def test_remarks_are_those_of_the_last_validation(collapsed):
    run, _, _ = collapsed
    run.write_remarks([])
    assert run.remarks == [LACKING]
    assert not (run.folder / "remarks.txt").exists()


def test_a_recipe_caps_the_weights_of_classes(fields, tmp_path):
    root = fields([0] * 63 + [1], [0, 1])
    for cap, weight in ((None, 32.0), (3.0, 3.0)):
        recipe = RECIPE if cap is None else RECIPE.but(class_weight_cap=cap)
        run = train(SPEC, root, recipe, folder=tmp_path / f"run-{cap}", device="cpu")
        assert run.facts.class_weights == (pytest.approx(32 / 63), weight)


def test_a_folder_without_a_recipe_is_trained_by_one_that_fits_and_is_told(fields, tmp_path):
    watch, root = Noting(), fields([0, 1], [0, 1])
    macs = count(build_grid(SPEC), (8, 8)).macs.total
    fields_of_mine = {"epochs": 1, "batch": 2}
    for _ in range(2):  # and goes on with it, as it comes out the same
        run = train(
            SPEC,
            root,
            fields_of_mine,
            folder=tmp_path / "run",
            device="cpu",
            resume_if_begun=True,
            watch=watch,
        )
    assert [line for line in watch.lines if "the network" not in line] == 2 * [
        "recipe modern, fitted to 2 images: 1 step in 1 epoch, each of 2 crops of 5 to 8 pixels, "
        "seen as 8x8; --recipe names another",
        "saturation and hue of the recipe are left out: fields has 1 channel",
        f"work of all steps: 1 x 2 crops x {macs / 1000:.1f} kMAC x 3 = "
        f"{6 * macs / 1000:.0f} kMAC, as a backward pass is two forward passes",
    ]
    assert (run.recipe.epochs, run.recipe.augmentation.hue) == (1, 0)
