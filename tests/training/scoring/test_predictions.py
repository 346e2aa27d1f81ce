"""Evaluation and prediction with a trained run."""

import numpy as np
import pytest
import torch
from PIL import Image
from tifffile import imwrite
from tiny import RECIPE, SPEC

from gridgen.data import IGNORE
from gridgen.emit import GridNetwork, save_network
from gridgen.errors import DataError, RunError, SizeError, SpecError
from gridgen.grid import build_grid
from gridgen.images import header, read_image, write_image
from gridgen.images.files import LIMIT
from gridgen.training import evaluate, open_ensemble, open_model, predict, train
from gridgen.training.inference import Inference
from gridgen.training.run.ensemble import is_model
from gridgen.training.run.folder import STUDY
from gridgen.training.scoring import predictions
from gridgen.training.tasks import pixels


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict") / "run"
    return train(build_grid(SPEC), "shapes", RECIPE.but(epochs=1), folder=folder, device="cpu")


def picture(path, height=19, width=27, mode="RGB"):
    values = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(values).convert(mode).save(path)
    return path


def pixels_of(path):
    with Image.open(path) as opened:
        return np.array(opened)


def test_evaluation_of_the_final_weights_is_the_last_row(run):
    found = evaluate(run.folder, "shapes")
    assert found.network.means["iou"] == pytest.approx(run.rows()[-1]["val_iou"], abs=1e-6)
    assert found.margin == pytest.approx(found.network.means["iou"] - found.baseline.means["iou"])


def test_an_odd_image_of_any_mode_is_predicted_at_its_own_size(run, tmp_path):
    images = [
        picture(tmp_path / "a.png"),
        picture(tmp_path / "b.jpg", 33, 5),
        picture(tmp_path / "c.png", mode="P"),
    ]
    for image, written in zip(images, predict(run.folder, images, tmp_path / "out"), strict=True):
        with Image.open(written.answer) as labels, Image.open(image) as original:
            assert labels.size == original.size
            assert labels.mode == "P"
            assert set(np.unique(np.asarray(labels))) <= {0, 1, 2}
        with Image.open(written.picture) as shown:
            assert shown.width >= 2 * 256


def test_images_of_other_channels_are_told_in_one_line(run, tmp_path):
    images = [
        picture(tmp_path / "a.png"),
        picture(tmp_path / "b.png", mode="L"),
        picture(tmp_path / "c.png", mode="LA"),
    ]
    told = "2 of 3 images converted from grey to colour, which the network takes, such as "
    with pytest.warns(UserWarning, match="2 of 3") as warned:
        predict(run.folder, images, tmp_path / "out")
    assert [str(each.message) for each in warned] == [f"{told}{images[1]}"]
    assert warned[0].filename == __file__


def test_images_of_a_number_of_channels_that_cannot_be_converted_are_refused(run, tmp_path):
    path = write_image(tmp_path / "a.tif", torch.rand(4, 8, 8))
    with pytest.raises(DataError) as caught:
        predict(run.folder, [path], tmp_path / "out")
    assert str(caught.value) == f"{path}: 4 channels, but 3 are wanted"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_an_image_with_an_orientation_is_predicted_upright(run, tmp_path, suffix, orientation):
    tag = Image.Exif()
    tag[0x0112] = orientation
    Image.open(picture(tmp_path / "stored.png")).save(tmp_path / f"a.{suffix}", exif=tag)
    write_image(tmp_path / "upright.tif", read_image(tmp_path / f"a.{suffix}"), bits=16)
    tagged, plain = predict(
        run.folder, [tmp_path / f"a.{suffix}", tmp_path / "upright.tif"], tmp_path / "out"
    )
    assert pixels_of(tagged.answer).shape == ((19, 27) if orientation == 3 else (27, 19))
    assert np.array_equal(pixels_of(tagged.answer), pixels_of(plain.answer))
    assert np.array_equal(pixels_of(tagged.picture), pixels_of(plain.picture))


def test_pixels_without_a_value_are_ignored_in_the_label(run, tmp_path):
    image = np.random.default_rng(0).random((19, 27, 3)).astype(np.float32)
    image[:5] = np.nan
    imwrite(tmp_path / "a.tif", image, photometric="rgb")
    [written] = predict(run.folder, [tmp_path / "a.tif"], tmp_path / "out")
    ids = pixels_of(written.answer)
    assert set(np.unique(ids[:5])) == {IGNORE}
    assert ids[5:].max() < 3


def test_a_picture_of_a_large_image_shows_a_part_of_its_pixels(run, tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "LONGEST", 100)
    image = picture(tmp_path / "a.png", 40, 250)
    [written] = predict(run.folder, [image], tmp_path / "out")
    assert pixels_of(written.answer).shape == (40, 250)
    # Panels of 84 pixels, enlarged by 4 to be wider than 256, and three gaps.
    assert pixels_of(written.picture).shape[1] == 2 * 84 * 4 + 3 * 8


def test_an_image_whose_prediction_does_not_fit_into_memory_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setenv(LIMIT, "16.5e-6")
    image, fits = picture(tmp_path / "a.png", 20, 27), picture(tmp_path / "b.png", 20, 25)
    with pytest.raises(DataError) as caught:
        predict(run.folder, [image, fits], tmp_path / "out")
    told = "27x20 pixels and their prediction need 17.3 kB of memory, and 16.5 kB are allowed"
    assert str(caught.value) == f"{image}: {told}; set {LIMIT} to more gigabytes"
    predict(run.folder, [fits], tmp_path / "out")


LAYOUTS = {
    "one strip": {},
    "strips": {"rowsperstrip": 5, "compression": "zlib"},
    "tiles": {"tile": (16, 32), "compression": "lzw"},
    "planes of tiles": {"tile": (16, 16), "planarconfig": "separate", "compression": "zlib"},
    "planes": {"planarconfig": "separate"},
    "turned": {"tile": (16, 16), "extratags": [(274, 3, 1, 6, True)]},
    "big-endian": {"byteorder": ">"},
}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_windows_of_a_tiff_give_what_the_whole_image_gives(
    run, tmp_path, monkeypatch, layout, dtype
):
    monkeypatch.setattr(header, "PIXELS_AT_ONCE", 100)
    values = np.random.default_rng(0).integers(0, 250, (49, 23, 3)).astype(dtype)
    if dtype == "float32":
        values[10:30, 5:20] = np.nan
    how = LAYOUTS[layout]
    kept = np.moveaxis(values, 2, 0) if "planarconfig" in how else values
    imwrite(tmp_path / "a.tif", np.ascontiguousarray(kept), photometric="rgb", metadata=None, **how)
    inference = Inference(window=16, weighting="gaussian", flip=True)
    model, read = open_model(run.folder), []
    of_files = predictions.pixels_in

    def recorded(files, channels, scale, window):
        read.append(window)
        return of_files(files, channels, scale, window)

    monkeypatch.setattr(predictions, "pixels_in", recorded)
    [written] = predict(model, [tmp_path / "a.tif"], tmp_path / "out", inference=inference)
    answer = pixels_of(written.answer)
    assert np.array_equal(answer, model(tmp_path / "a.tif", inference))
    assert answer.shape == ((23, 49) if layout == "turned" else (49, 23))
    if layout == "turned":
        assert read == [None]
    else:
        assert len(read) > 3
        assert [window.top for window in read[1:]] == [window.rows.stop for window in read[:-1]]


def test_windows_of_a_file_that_memory_cannot_hold(run, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    tiles = (rng.integers(0, 255, (16, 16, 3), np.uint8) for _ in range(16 * 4))
    imwrite(
        tmp_path / "a.tif",
        tiles,
        shape=(256, 64, 3),
        dtype=np.uint8,
        tile=(16, 16),
        photometric="rgb",
        metadata=None,
    )
    monkeypatch.setattr(header, "PIXELS_AT_ONCE", 5000)
    monkeypatch.setenv(LIMIT, "0.15e-3")
    with pytest.raises(DataError, match="64x256 pixels"):
        predict(run.folder, [tmp_path / "a.tif"], tmp_path / "whole")
    with pytest.raises(DataError, match="64x256 pixels"):
        read_image(tmp_path / "a.tif")
    inference = Inference(window=16, stride=16)
    [written] = predict(run.folder, [tmp_path / "a.tif"], tmp_path / "out", inference=inference)
    monkeypatch.delenv(LIMIT)
    whole = open_model(run.folder)(tmp_path / "a.tif", inference)
    assert np.array_equal(pixels_of(written.answer), whole)


def test_a_picture_of_bands_is_thinned_as_the_whole_is(run, tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "LONGEST", 20)
    values = np.random.default_rng(0).integers(0, 250, (75, 41, 3), np.uint8)
    imwrite(tmp_path / "a.tif", values, photometric="rgb", metadata=None, rowsperstrip=3)
    Image.fromarray(values).save(tmp_path / "b.png")
    inference = Inference(window=16)
    images = [tmp_path / "a.tif", tmp_path / "b.png"]
    bands, whole = predict(run.folder, images, tmp_path / "out", inference=inference)
    assert np.array_equal(pixels_of(bands.picture), pixels_of(whole.picture))
    assert np.array_equal(pixels_of(bands.answer), pixels_of(whole.answer))


def test_progress_counts_windows(run, tmp_path):
    images = [picture(tmp_path / "a.png", 24, 40), picture(tmp_path / "b.png", 16, 16)]
    ticks = []
    predict(
        run.folder,
        images,
        tmp_path / "out",
        inference=Inference(window=16, flip=True),
        on_progress=lambda *at: ticks.append(at),
    )
    # 2 x 4 windows and a single one, each mirrored too.
    assert ticks == [(1, 4), (2, 4), *((number, 20) for number in range(3, 21))]


def test_label_files_hold_class_ids(run, tmp_path):
    image = picture(tmp_path / "a.png")
    [written] = predict(run.folder, [image], tmp_path / "out")
    network = run.network()
    pixels = torch.from_numpy(pixels_of(image)).permute(2, 0, 1).float() / 255
    with torch.no_grad():
        expected = network(pixels[None]).argmax(1)[0].numpy()
    assert np.array_equal(pixels_of(written.answer), expected)


def test_all_that_cannot_be_read_is_named_before_anything_is_written(run, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    picture(given / "good.png")
    for number in range(7):
        (given / f"bad-{number}.png").write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        predict(run.folder, [given], tmp_path / "out")
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{given}/bad-0.png: not a PNG, JPEG, WebP, BMP or TIFF image"
    assert (len(lines), lines[-1]) == (6, "and 2 more")
    assert not (tmp_path / "out").exists()


def test_two_images_of_one_name_are_refused_before_anything_is_written(run, tmp_path):
    (tmp_path / "x").mkdir()
    images = [picture(tmp_path / "a.png"), picture(tmp_path / "x" / "a.png")]
    with pytest.raises(DataError) as caught:
        predict(run.folder, images, tmp_path / "out")
    assert str(caught.value) == (
        f"{images[0]} and {images[1]} are both called a; predict them into two folders"
    )
    assert not (tmp_path / "out").exists()


def test_an_unreadable_image_stops_all_before_anything_is_written(run, tmp_path):
    (tmp_path / "b.png").write_text("no image")
    with pytest.raises(DataError):
        predict(run.folder, [picture(tmp_path / "a.png"), tmp_path / "b.png"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_strict_network_names_the_image_of_a_wrong_size(tmp_path):
    strict = train(
        build_grid(SPEC.but(size="error")), "shapes", RECIPE.but(epochs=1), folder=tmp_path / "run"
    )
    image = picture(tmp_path / "a.png")
    with pytest.raises(SizeError) as caught:
        predict(strict.folder, [image], tmp_path / "out")
    assert str(caught.value) == (
        f"{image}: Image is 19x27; 2 streams need multiples of 2. "
        "Pad to 20x28, crop to 18x26, or set size: pad."
    )


def test_other_data_is_refused(run):
    with pytest.raises((SpecError, DataError)):
        evaluate(run.folder, "nuclei")


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(RunError) as caught:
        predict(tmp_path, [], tmp_path / "out")
    assert str(caught.value) == (
        f"{tmp_path}: no run there (no run.json); gridgen train (or supernet) -o {tmp_path} makes "
        "one"
    )


def test_the_folder_of_a_search_is_no_folder_of_images(run, tmp_path):
    picture(tmp_path / "a.png")
    assert not is_model(tmp_path)
    (tmp_path / STUDY).write_text("", "utf-8")
    assert not is_model(tmp_path)  # a study beside one's images
    (tmp_path / "trials").mkdir()
    assert is_model(tmp_path)
    with pytest.raises(
        RunError, match=r"gridgen study .* best --weights FILE writes a search's best"
    ):
        open_ensemble([run.folder, tmp_path])


def test_an_image_of_the_users_is_never_overwritten(run, tmp_path):
    image = picture(tmp_path / "a.png")
    before = image.read_bytes()
    with pytest.raises(DataError) as caught:
        predict(run.folder, [image], tmp_path)
    assert str(caught.value) == (f"{image}: would overwrite an image; name another folder with -o")
    assert image.read_bytes() == before
    assert list(tmp_path.iterdir()) == [image]


def test_a_folder_is_predicted_as_it_lies(run, tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    picture(tmp_path / "in" / "a.png"), picture(tmp_path / "in" / "deep" / "a.jpg")
    ticks = []
    out = tmp_path / "out"
    written = predict(run.folder, [tmp_path / "in"], out, on_progress=lambda *at: ticks.append(at))
    assert [each.answer for each in written] == [out / "a_labels.png", out / "deep/a_labels.png"]
    assert all(file.is_file() for each in written for file in each.files)
    assert ticks == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_an_unreadable_file_in_a_folder_is_one_line_and_nothing_is_written(run, tmp_path):
    (tmp_path / "in").mkdir()
    picture(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_text("no image")
    with pytest.raises(DataError) as caught:
        predict(run.folder, [tmp_path / "in"], tmp_path / "out")
    assert str(caught.value) == f"{tmp_path}/in/b.png: not a PNG, JPEG, WebP, BMP or TIFF image"
    assert not (tmp_path / "out").exists()


def test_a_weights_file_predicts_as_its_run_does(run, tmp_path):
    image = picture(tmp_path / "a.png")
    [first] = predict(run.folder, [image], tmp_path / "one")
    [second] = predict(run.weights, [image], tmp_path / "two")
    assert np.array_equal(pixels_of(first.answer), pixels_of(second.answer))


def test_windows_predict_an_image_that_the_grid_cannot_take(run, tmp_path):
    image = picture(tmp_path / "a.png", 37, 51)
    [written] = predict(
        open_model(run.folder, size="error"),
        [image],
        tmp_path / "out",
        inference=Inference(window=16),
    )
    assert pixels_of(written.answer).shape == (37, 51)


def test_what_was_held_out_can_be_scored_by_its_name(tmp_path):
    held = train(
        build_grid(SPEC),
        "shapes",
        RECIPE.but(epochs=1),
        folder=tmp_path / "run",
        holdout="train-00[12]*",
        device="cpu",
    )
    found = evaluate(held.folder, "shapes", "holdout", baseline=False)
    assert (found.images, found.split) == (20, "holdout")
    assert found.network.value == pytest.approx(held.rows()[-1]["holdout_iou"], abs=1e-6)


def test_a_run_that_held_nothing_out_has_no_such_split(run):
    with pytest.raises(DataError) as caught:
        evaluate(run.folder, "shapes", "holdout")
    assert str(caught.value) == (
        f"shapes: unknown split 'holdout'; known: train, val; {run.folder} held none of train out"
    )


def test_files_of_one_channel_each_are_predicted_as_the_file_of_both(tmp_path):
    network = GridNetwork(build_grid(SPEC.but(in_channels=2)))
    save_network(network, tmp_path / "two.safetensors")
    image = torch.rand(2, 16, 24, generator=torch.Generator().manual_seed(0))
    write_image(tmp_path / "whole" / "a.tif", image)
    for number, channel in enumerate(image):
        write_image(tmp_path / "parts" / f"a_{number:04d}.png", channel[None])
    [whole], [parts] = (
        predict(tmp_path / "two.safetensors", tmp_path / name, tmp_path / "out" / name)
        for name in ("whole", "parts")
    )
    assert parts.answer.name == "a_labels.png"
    assert parts.answer.read_bytes() == whole.answer.read_bytes()
    write_image(tmp_path / "parts" / "b_0000.png", image[:1])
    with pytest.raises(DataError, match=r"b_0000.png: 1 channel, but 2 are wanted"):
        predict(tmp_path / "two.safetensors", tmp_path / "parts", tmp_path / "again")
