"""Images that files and folders name."""

from pathlib import Path

import pytest
from PIL import Image

from gridgen.errors import DataError
from gridgen.training.scoring.image_files import find_images, require_apart


@pytest.fixture
def photos(tmp_path) -> Path:
    """photos/a.png, photos/deep/{a,b}.png, and what is no image or hidden."""
    root = tmp_path / "photos"
    for name in ("a.png", "deep/a.png", "deep/B.PNG", ".hidden/c.png", ".d.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(root / name, format="PNG")
    (root / "notes.txt").write_text("no image")
    return root


def names(*given, out="out", channels=3):
    return [found.name for found in find_images(given, Path(out), channels)]


def test_a_folder_is_gone_through_to_the_bottom_by_name(photos):
    assert names(photos) == ["a", "deep/B", "deep/a"]


def test_of_several_arguments_a_folders_images_are_called_after_it(photos):
    assert names(photos / "deep", photos / "a.png") == ["deep/B", "deep/a", "a"]


def test_what_was_written_before_is_not_read_again(photos):
    out = photos / "out"
    out.mkdir()
    Image.new("L", (4, 4)).save(out / "a.png")
    assert names(photos, out=out) == ["a", "deep/B", "deep/a"]


def test_a_file_is_taken_whatever_it_is_called(tmp_path):
    assert names(tmp_path / "picture.bin") == ["picture"]


def test_a_folder_without_images_is_named(tmp_path):
    with pytest.raises(DataError) as caught:
        names(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no images in it; they end in .png, .jpg, .jpeg, .webp, .bmp, .tif, .tiff"
    )


def test_two_images_of_one_name_in_a_folder_are_refused(photos):
    Image.new("L", (4, 4)).save(photos / "a.jpg")
    with pytest.raises(DataError) as caught:
        names(photos)
    assert str(caught.value) == (
        f"{photos}/a.jpg and {photos}/a.png are both called a; predict them into two folders"
    )


def test_no_picture_overwrites_another(tmp_path):
    with pytest.raises(DataError) as caught:
        require_apart([], [tmp_path / "a_labels.png", tmp_path / "a_labels.png"])
    assert str(caught.value) == (
        f"{tmp_path}/a_labels.png: two images would be written there; rename one of them"
    )


def test_labels_beside_images_are_none(tmp_path):
    for folder in ("train/images", "train/labels", "labels"):
        (tmp_path / folder).mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / folder / "a.png")
    assert names(tmp_path) == ["labels/a", "train/images/a"]


@pytest.mark.parametrize("folder", ["masks", "labelsTr", "SegmentationClass"])
def test_labels_of_other_tools_beside_images_are_none(tmp_path, folder):
    for each in ("train/images", f"train/{folder}"):
        (tmp_path / each).mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / each / "a.png")
    assert names(tmp_path / "train") == ["images/a"]


def test_what_dataset_yaml_calls_labels_is_none(tmp_path):
    settings = 'images: "in/{name}"\nlabels: "in/{name}_mask"\n'
    (tmp_path / "dataset.yaml").write_text(settings, encoding="utf-8")
    (tmp_path / "in").mkdir()
    for name in ("a", "a_mask", "b"):
        Image.new("L", (4, 4)).save(tmp_path / "in" / f"{name}.png")
    assert names(tmp_path / "in") == ["a", "b"]
    assert names(tmp_path) == ["in/a", "in/b"]


def numbered(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("L", (4, 4)).save(folder / name)
    return folder


def test_files_of_one_channel_each_are_one_image(tmp_path):
    folder = numbered(tmp_path / "in", "a_0000.png", "a_0001.png", "b_0000.png", "b_0001.png")
    found = find_images([folder], tmp_path / "out", channels=2)
    assert [image.name for image in found] == ["a", "b"]
    assert [path.name for path in found[0].files] == ["a_0000.png", "a_0001.png"]
    assert names(*sorted(folder.iterdir()), channels=2) == ["a", "b"]


def test_numbered_frames_are_images_of_their_own_where_they_can_be_converted(tmp_path):
    frames = ["a_0000", "a_0001", "a_0002"]
    folder = numbered(tmp_path / "in", *(f"{name}.png" for name in frames))
    assert names(folder, channels=3) == names(folder, channels=1) == frames


def test_what_dataset_yaml_numbers_as_channels_is_one_image(tmp_path):
    settings = 'images: "imagesTr/{name}_{channel}"\nlabels: "labelsTr/{name}"\n'
    (tmp_path / "dataset.yaml").write_text(settings, encoding="utf-8")
    folder = numbered(tmp_path / "imagesTs", "a_0000.png", "a_0001.png", "a_0002.png")
    assert names(folder, channels=3) == ["a"]


@pytest.mark.parametrize(
    ("pattern", "files", "expected"),
    [
        ("{split}/images/{channel}/{name}", "x/images/{c}/{n}", ["images/a", "images/b"]),
        (
            "{split}/images/{channel}/{name}",
            "x/images/{c}/deep/{n}",
            ["images/deep/a", "images/deep/b"],
        ),
        ("images/{name}/{channel}", "x/{n}/{c}", ["a", "b"]),
        ("images/{name}/band-{channel}", "x/{n}/band-{c}", ["a", "b"]),
        ("images/{channel}_{name}", "x/{c}_{n}", ["a", "b"]),
        ("{folder}/images/{channel}/{name}", "x/p/images/{c}/{n}", ["p/images/a", "p/images/b"]),
    ],
)
def test_channels_lie_as_dataset_yaml_says(tmp_path, pattern, files, expected):
    settings = f'images: "{pattern}"\nlabels: "{{name}}_label"\n'
    if "{split}" in pattern:
        settings = settings.replace("{name}_label", "{split}/{name}_label")
    if "{folder}" in pattern:
        settings = settings.replace("{name}_label", "{folder}/{name}_label")
    (tmp_path / "dataset.yaml").write_text(settings, encoding="utf-8")
    for name in "ab":
        for channel in ("0000", "0001"):
            path = tmp_path / files.format(c=channel, n=name)
            numbered(path.parent, f"{path.name}.png")
    found = find_images([tmp_path / "x"], tmp_path / "out", channels=3)
    assert [image.name for image in found] == expected
    assert all(len(image.files) == 2 for image in found)
    first = [path.relative_to(tmp_path).as_posix() for path in found[0].files]
    assert first == [f"{files.format(c=channel, n='a')}.png" for channel in ("0000", "0001")]


def test_folders_of_channels_of_two_images_of_one_name_stay_apart(tmp_path):
    settings = 'images: "{folder}/{channel}/{name}"\nlabels: "{folder}/{name}_label"\n'
    (tmp_path / "dataset.yaml").write_text(settings, encoding="utf-8")
    for patient in ("p", "q"):
        for channel in ("0000", "0001"):
            numbered(tmp_path / patient / channel, "a.png")
    found = find_images([tmp_path], tmp_path / "out", channels=2)
    assert [image.name for image in found] == ["p/a", "q/a"]
    assert {len(image.files) for image in found} == {2}


def test_several_files_and_a_whole_one_of_one_name_are_refused(tmp_path):
    folder = numbered(tmp_path / "in", "a.png", "a_0000.png", "a_0001.png")
    with pytest.raises(DataError, match="are both called a; predict them into two folders"):
        names(folder, channels=2)


@pytest.mark.parametrize("text", ["nc: 2\nnames: [a, b]\n", "white: 4095\n", "{"])
def test_a_dataset_of_another_tool_above_is_passed_over(photos, text):
    (photos.parent / "dataset.yaml").write_text(text)
    assert names(photos) == ["a", "deep/B", "deep/a"]
    assert names(photos / "a.png", channels=2) == ["a"]
