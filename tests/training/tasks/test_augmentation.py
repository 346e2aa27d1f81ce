"""Changes of a batch: labels aligned, values in bounds, the same for any number of processes."""

import builtins
import signal

import pytest
import torch
from tiny import RECIPE, SPEC, StopAt, bits
from torch.nn import functional

from gridgen.data import IGNORE
from gridgen.errors import Interrupted, UsageError
from gridgen.grid import build_grid
from gridgen.training import Recipe, Run, load_recipe, resume, train
from gridgen.training.loop.watch import Watch
from gridgen.training.recipe import Augmentation
from gridgen.training.tasks.augmentation import (
    KORNIA,
    Share,
    augmentation,
    require_kornia,
    rotated,
    unsuited,
)

AMOUNTS = {
    "rotation": 30.0,
    "brightness": 0.4,
    "contrast": 0.4,
    "saturation": 0.5,
    "hue": 0.1,
    "blur": 0.5,
    "noise": 0.05,
}
NUMBER = 200
"""Images of a batch in which what was drawn is seen."""


def recipe(batch: int = 4, **amounts: float) -> Recipe:
    crop = {"smallest": 8, "largest": 8, "size": 8}
    return Recipe(epochs=1, batch=batch, learning_rate=0.1, crop=crop, augmentation=amounts)


def changed(images, labels, seed: int = 0, share: tuple[int, int] = (0, 1), **amounts: float):
    batch = len(images) * share[1]
    if any(name in KORNIA for name in amounts):
        pytest.importorskip("kornia", reason="kornia is not installed")
    augment = augmentation(recipe(batch, **amounts), *share)
    torch.manual_seed(seed)
    return augment(images, labels)


def example(number: int = 4, channels: int = 3, side: int = 24):
    generator = torch.Generator().manual_seed(1)
    images = torch.rand((number, channels, side, side), generator=generator)
    return images, torch.randint(0, 19, (number, side, side), generator=generator)


def flat(*colour: float, side: int = 16):
    images = torch.tensor(colour)[None, :, None, None].expand(NUMBER, -1, side, side)
    return images, torch.zeros(NUMBER, side, side, dtype=torch.int64)


def test_every_field_is_tried_here():
    assert AMOUNTS.keys() == Augmentation.model_fields.keys()


@pytest.mark.parametrize(("name", "amount"), AMOUNTS.items())
def test_a_change_keeps_shape_type_layout_and_range(name, amount):
    images, labels = example()
    images = images.to(memory_format=torch.channels_last)
    before = images.clone()
    result, ids = changed(images, labels, **{name: amount})
    assert result.shape == images.shape
    assert result.dtype == torch.float32
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert ids.dtype == torch.int64
    assert 0 <= float(result.min()) <= float(result.max()) <= 1
    assert not torch.equal(result, images)
    assert torch.equal(images, before)
    if name != "rotation":
        assert torch.equal(ids, labels)


@pytest.mark.parametrize(("name", "amount"), AMOUNTS.items())
def test_what_is_drawn_follows_from_the_seed_alone(name, amount):
    first, again = (changed(*example(), seed=5, **{name: amount}) for _ in range(2))
    other = changed(*example(), seed=6, **{name: amount})
    assert all(map(torch.equal, first, again))
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("world", [2, 4])
def test_processes_share_what_one_would_draw(world):
    images, labels = example(8)
    alone = changed(images, labels, **AMOUNTS)
    after = torch.rand(1)
    for rank in range(world):
        mine = slice(rank, None, world)
        part = changed(images[mine], labels[mine], share=(rank, world), **AMOUNTS)
        assert torch.equal(torch.rand(1), after)
        assert torch.allclose(part[0], alone[0][mine], atol=1e-5)
        assert torch.equal(part[1], alone[1][mine])


@pytest.mark.parametrize("name", sorted(AMOUNTS.keys() - {"noise"}))
def test_nothing_waits_for_a_gpu(name):
    """On the meta device no value can be read; it has no generator for noise."""
    images, labels = (tensor.to("meta") for tensor in example())
    assert changed(images, labels, **{name: AMOUNTS[name]})[0].shape == images.shape


def test_without_augmentation_nothing_is_drawn():
    images, labels = example()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for asked in (None, {}):
        same = augmentation(recipe().but(augmentation=asked))(images, labels)
        assert same[0] is images
        assert same[1] is labels
    assert torch.equal(torch.get_rng_state(), before)


def test_image_and_label_are_turned_alike():
    """Where all pixels around one have its class, the image, whose values are ids, has it too."""
    columns = torch.arange(64) // 8
    labels = (columns[:, None] * 8 + columns).expand(NUMBER, 64, 64)
    images = (labels / 63)[:, None].float()
    turned, ids = changed(images, labels, rotation=45.0)
    around = functional.unfold(ids[:, None].float(), 3).view(NUMBER, 9, 62, 62)
    inside = ids[:, 1:-1, 1:-1]
    even = (around == inside[:, None]).all(1) & (inside != IGNORE)
    assert even.float().mean() > 0.3
    assert (turned[:, 0, 1:-1, 1:-1][even] * 63 - inside[even]).abs().max() < 1e-2
    assert set(ids.unique().tolist()) <= {*range(64), IGNORE}


class Quarter(Share):
    """Draws a quarter turn."""

    def uniform(self, low: float, high: float) -> torch.Tensor:
        return torch.full((self.batch,), 90.0)


def test_a_quarter_turn_moves_every_pixel_onto_another():
    images, labels = example(4, side=9)
    turned, ids = rotated(images, labels, 90, Quarter(4))
    assert torch.allclose(turned, images.rot90(1, (2, 3)), atol=1e-4)
    assert torch.equal(ids, labels.rot90(1, (1, 2)))


def test_ignored_pixels_stay_ignored_and_what_comes_in_is_too():
    images, labels = flat(0.3, 0.5, 0.7, side=32)
    labels = labels.clone()
    labels[:, 12:20, 12:20] = IGNORE
    turned, ids = changed(images, labels, rotation=45.0)
    assert (ids[:, 16, 16] == IGNORE).all()
    assert (ids[:, 16, 5] == 0).all()
    assert torch.allclose(turned, images, atol=1e-5)
    corners = (ids[:, 0, 0] == IGNORE).float().mean()
    assert 0.9 < corners <= 1


def test_angles_are_uniform_up_to_the_greatest():
    drawn = torch.cat([Share(NUMBER).uniform(-20, 20) for _ in range(20)])
    assert drawn.min() == pytest.approx(-20, abs=0.1)
    assert drawn.max() == pytest.approx(20, abs=0.1)
    assert drawn.mean() == pytest.approx(0, abs=0.6)
    assert drawn.abs().max() <= 20


def ratios(name: str, amount: float) -> torch.Tensor:
    """The factor that each image was given, as its pixels show it."""
    if name == "brightness":
        return changed(*flat(0.4, 0.4, 0.4), brightness=amount)[0][:, 0, 0, 0] / 0.4
    if name == "contrast":
        images, labels = flat(0.5, 0.5, 0.5)
        images = images.clone()
        images[:, :, ::2], images[:, :, 1::2] = 0.4, 0.6
        result = changed(images, labels, contrast=amount)[0]
        return (result[:, 0, 1, 0] - result[:, 0, 0, 0]) / 0.2
    result = changed(*flat(0.5, 0.4, 0.3), saturation=amount)[0][:, :, 0, 0]
    return (result[:, 0] - result[:, 2]) / 0.2


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_a_factor_is_uniform_around_1_and_never_beyond(name):
    found = ratios(name, 0.4)
    assert found.min() == pytest.approx(0.6, abs=0.02)
    assert found.max() == pytest.approx(1.4, abs=0.02)
    assert found.min() > 0.6 - 1e-4
    assert found.max() < 1.4 + 1e-4
    assert found.mean() == pytest.approx(1, abs=0.06)


def test_a_hue_is_turned_either_way_and_never_beyond():
    """Pure red turned by a twelfth has half of green, or half of blue."""
    result = changed(*flat(1.0, 0.0, 0.0), hue=1 / 12)[0][:, :, 0, 0]
    assert (result[:, 0] > 1 - 1e-4).all()
    turns = (result[:, 1] - result[:, 2]) / 6
    assert turns.min() == pytest.approx(-1 / 12, abs=0.004)
    assert turns.max() == pytest.approx(1 / 12, abs=0.004)
    assert turns.abs().max() < 1 / 12 + 1e-4


def test_noise_has_the_deviation_asked_for_and_is_each_images_own():
    result = changed(*flat(0.5, 0.5, 0.5), noise=0.05)[0] - 0.5
    assert result.std() == pytest.approx(0.05, rel=0.01)
    assert result.mean() == pytest.approx(0, abs=1e-3)
    assert not torch.equal(result[0], result[1])


def test_as_many_images_are_blurred_as_asked_for_each_by_its_own_width():
    images, labels = flat(0.0, 0.0, 0.0, side=25)
    images = images.clone()
    images[:, :, 12, 12] = 1.0
    result = changed(images, labels, blur=0.3)[0]
    touched = ~(result == images).flatten(1).all(1)
    assert int(touched.sum()) == pytest.approx(0.3 * NUMBER, abs=20)
    assert torch.allclose(result.sum((2, 3)), torch.ones(NUMBER, 3), atol=1e-4)
    places = torch.arange(25.0) - 12
    widths = (result[touched, 0].sum(1) * places**2).sum(1).sqrt()
    assert 1.7 < widths.max() < 2.01
    assert widths.min() < 0.5


def test_a_blur_leaves_a_flat_image_and_fits_any_size():
    images, labels = flat(0.2, 0.5, 0.7, side=3)
    assert torch.allclose(changed(images, labels, blur=1.0)[0], images, atol=1e-5)


def test_grey_has_brightness_and_contrast_and_any_number_of_channels_the_rest():
    images, labels = example(channels=1)
    grey = changed(images, labels, brightness=0.3, contrast=0.3, rotation=5.0, noise=0.1)
    assert grey[0].shape == images.shape
    images, labels = example(channels=7)
    assert changed(images, labels, rotation=5.0, blur=1.0, noise=0.1)[0].shape == images.shape


@pytest.mark.parametrize(
    ("channels", "found"),
    [
        (1, ["saturation", "hue"]),
        (2, ["brightness", "contrast", "saturation", "hue"]),
        (3, []),
        (7, ["brightness", "contrast", "saturation", "hue"]),
    ],
)
def test_changes_of_colour_suit_few_numbers_of_channels(channels, found):
    assert unsuited(load_recipe("modern"), channels) == found


def test_changes_of_nothing_and_those_without_colour_suit_any_channels():
    assert unsuited(recipe(hue=0.0, noise=0.1, rotation=3.0, blur=0.1), 7) == []
    assert unsuited(load_recipe("paper"), 7) == []


@pytest.fixture
def without_kornia(monkeypatch):
    load = builtins.__import__

    def refusing(name, *arguments, **named):
        if name.startswith("kornia"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return load(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", refusing)


def test_kornia_is_named_where_it_is_missing(without_kornia):
    with pytest.raises(UsageError) as caught:
        require_kornia(recipe(hue=0.1, blur=0.1))
    assert str(caught.value) == (
        "augmentation.hue of the recipe needs kornia, which is not installed; "
        "pip install 'gridgen[augment]'"
    )


def test_rotation_and_noise_need_no_kornia(without_kornia):
    require_kornia(recipe(rotation=3.0, noise=0.1))
    assert changed(*example(), rotation=3.0, noise=0.1)[0].shape == (4, 3, 24, 24)


def test_a_stopped_and_resumed_run_draws_what_the_uninterrupted_one_does(tmp_path):
    pytest.importorskip("kornia", reason="kornia is not installed")
    asked = RECIPE.but(epochs=1, augmentation=AMOUNTS)

    def run(name: str, watch: Watch | None = None) -> Run:
        folder = tmp_path / name
        return train(build_grid(SPEC), "shapes", asked, folder=folder, device="cpu", watch=watch)

    whole = run("whole")
    with pytest.raises(Interrupted):
        run("stopped", StopAt(2, signal.SIGTERM))
    assert bits(resume(tmp_path / "stopped")) == bits(whole)
