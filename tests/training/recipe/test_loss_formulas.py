"""Losses against loops over pixels; what all of them promise; how a recipe names them."""

import numpy as np
import pytest
import torch

from gridgen.data import IGNORE
from gridgen.errors import SpecError
from gridgen.spec.document import dump
from gridgen.training import Recipe
from gridgen.training.processes import devices
from gridgen.training.recipe.losses import (
    LOSSES,
    Charbonnier,
    CrossEntropy,
    Dice,
    Focal,
    Truth,
    total_loss,
)
from gridgen.training.recipe.sections import Crop, Sgd
from gridgen.training.tasks import TASKS
from tests.oracles.loss_loops import LOOPS, focal

every_loss = pytest.mark.parametrize("name", LOSSES)
of_classes = pytest.mark.parametrize("name", LOOPS)


def case(seed):
    """Random logits and labels of 1 to 3 dimensions, some void, some classes absent."""
    rng = np.random.default_rng(seed)
    classes, images = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    sizes = tuple(rng.integers(1, 6, size=1 + seed % 3))
    logits = rng.normal(0, 3, (images, classes, *sizes)).astype(np.float32)
    ids = rng.integers(0, rng.integers(1, classes + 1), (images, *sizes))
    ids[rng.random(ids.shape) < (0, 0.3, 1)[seed % 7 % 3]] = IGNORE
    weights = rng.uniform(0.1, 4, classes).astype(np.float32) if seed % 2 else None
    return logits, ids, weights, (0.0, 0.1)[seed // 2 % 2]


def value(loss, logits, ids, weights=None, smoothing=0.0):
    given = None if weights is None else torch.as_tensor(weights)
    truth = Truth(torch.as_tensor(ids), given, smoothing)
    return total_loss([loss], torch.as_tensor(logits), truth)


@of_classes
@pytest.mark.parametrize("seed", range(30))
def test_losses_are_those_of_loops_over_pixels(name, seed):
    logits, ids, weights, smoothing = case(seed)
    plain = np.ones(logits.shape[1]) if weights is None else weights
    expected = LOOPS[name](logits, ids, plain, smoothing)
    found = value(LOSSES[name](), logits, ids, weights, smoothing)
    assert float(found) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 5.0])
def test_gamma_is_an_exponent_of_what_is_missing(gamma):
    logits, ids, weights, smoothing = case(3)
    expected = focal(logits, ids, weights, smoothing, gamma)
    found = value(Focal(gamma=gamma), logits, ids, weights, smoothing)
    assert float(found) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def example(name):
    """A prediction and labels that suit the loss."""
    torch.manual_seed(0)
    if name == "charbonnier":
        return torch.rand(2, 3, 6, 5), torch.rand(2, 3, 6, 5)
    return torch.randn(2, 3, 6, 5), torch.randint(3, (2, 6, 5))


@every_loss
def test_a_loss_is_a_scalar_that_falls_along_its_gradient(name):
    prediction, labels = example(name)
    prediction.requires_grad_()
    found = value(LOSSES[name](), prediction, labels)
    found.backward()
    assert found.shape == ()
    assert value(LOSSES[name](), prediction.detach() - 0.01 * prediction.grad, labels) < found


@every_loss
def test_a_prediction_in_bf16_is_compared_in_fp32(name):
    prediction, labels = example(name)
    coarse = prediction.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = value(LOSSES[name](), coarse, labels)
    assert found.dtype == torch.float32
    assert torch.equal(found, value(LOSSES[name](), coarse.float(), labels))


@of_classes
@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 0.5]])
def test_a_batch_without_labels_has_a_loss_of_0_and_teaches_nothing(name, weights):
    prediction, labels = example(name)
    prediction.requires_grad_()
    found = value(LOSSES[name](), prediction, torch.full_like(labels, IGNORE), weights, 0.1)
    found.backward()
    assert found.item() == 0
    assert not prediction.grad.any()


@of_classes
def test_void_pixels_teach_nothing(name):
    prediction, labels = example(name)
    labels[:, :3] = IGNORE
    prediction.requires_grad_()
    value(LOSSES[name](), prediction, labels, [1.0, 2.0, 0.5], 0.1).backward()
    assert not prediction.grad[:, :, :3].any()
    assert prediction.grad[:, :, 3:].all()


@pytest.mark.parametrize("loss", [CrossEntropy(), Dice(), Focal(), Focal(gamma=0.5)], ids=str)
@pytest.mark.parametrize("size", [1e3, 1e5])
def test_logits_of_any_size_have_a_gradient_that_is_a_number(loss, size):
    logits = torch.tensor([[size, 0.0, -size], [-size, 0.0, size]]).T[None].requires_grad_()
    value(loss, logits, torch.tensor([[0, 2]]), smoothing=0.1).backward()
    assert logits.grad.isfinite().all()


def test_what_is_certain_and_right_costs_nothing():
    ids = torch.tensor([[0, 1, 1, 2]])
    logits = 50 * torch.nn.functional.one_hot(ids).movedim(-1, 1).float()
    for loss in (CrossEntropy(), Dice(), Focal()):
        assert value(loss, logits, ids).item() == pytest.approx(0, abs=1e-6)


def test_dice_is_of_the_batch_so_that_how_images_share_their_pixels_changes_nothing():
    prediction, labels = example("dice")
    one = prediction.movedim(1, 0).reshape(1, 3, -1), labels.reshape(1, -1)
    torch.testing.assert_close(value(Dice(), *one), value(Dice(), prediction, labels))


@every_loss
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_two_processes_have_the_loss_and_the_gradients_of_one(name, smoothing, monkeypatch):
    prediction, labels = example(name)
    weights = [1.0, 2.0, 0.5]
    if name != "charbonnier":
        labels[0, :5] = IGNORE  # of what counts, the shares are unequal
    whole = prediction.clone().requires_grad_()
    expected = value(LOSSES[name](), whole, labels, weights, smoothing)
    expected.backward()
    sums = []
    monkeypatch.setattr(devices, "summed", lambda values: sums.append(values.detach()) or values)
    for share in (slice(0, 1), slice(1, 2)):
        value(LOSSES[name](), prediction[share], labels[share], weights, smoothing)
    monkeypatch.setattr(devices, "world_size", lambda: 2)
    monkeypatch.setattr(devices, "summed", lambda values: torch.stack(sums).sum(0).to(values))
    shares = prediction.clone().requires_grad_()
    losses = [
        value(LOSSES[name](), shares[share], labels[share], weights, smoothing)
        for share in (slice(0, 1), slice(1, 2))
    ]
    mean = torch.stack(losses).mean()  # as DistributedDataParallel takes it of the gradients
    mean.backward()
    torch.testing.assert_close(mean, expected)
    torch.testing.assert_close(shares.grad, whole.grad)


def test_smoothed_labels_are_met_best_by_the_shares_that_they_ask_for():
    ids, shares = torch.tensor([[0, 1, 1]]), torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    best = value(Dice(), shares.log().T[None], ids, smoothing=0.2)
    assert best.item() == pytest.approx(0, abs=1e-6)
    assert value(Dice(), 9 * shares.log().T[None], ids, smoothing=0.2) > 0.01


def test_losses_add_up_by_their_weights():
    prediction, labels = example("dice")
    both = total_loss([CrossEntropy(), Dice(weight=0.5)], prediction, Truth(labels))
    parts = value(CrossEntropy(), prediction, labels) + 0.5 * value(Dice(), prediction, labels)
    torch.testing.assert_close(both, parts)


def test_every_loss_is_one_of_a_task_and_every_task_has_one():
    assert {name for task in TASKS.values() for name in task.losses} == set(LOSSES)
    assert all(task.losses for task in TASKS.values())


@every_loss
def test_a_recipe_names_a_loss_alone_or_with_its_fields_or_in_a_list(name):
    texts = [name, f"{{name: {name}, weight: 0.5}}", f"[{name}, {{name: {name}, weight: 2}}]"]
    for text, weights in zip(texts, [[1], [0.5], [1, 2]], strict=True):
        recipe = Recipe.parse(f"extends: demo\nloss: {text}\n")
        assert [(loss.name, loss.weight) for loss in recipe.loss] == [(name, w) for w in weights]
        assert Recipe.parse(dump(recipe)) == recipe


def test_an_editor_is_told_of_names_alone_too():
    written = Recipe.json_schema()["properties"]["loss"]["anyOf"]
    names = {"enum": list(LOSSES), "type": "string"}
    assert names in written
    assert any(names in each.get("items", {}).get("anyOf", []) for each in written)


def test_a_list_of_losses_replaces_the_one_that_is_extended(tmp_path):
    (tmp_path / "base.yaml").write_text("extends: demo\nloss: [dice, focal]\n")
    (tmp_path / "mine.yaml").write_text("extends: base.yaml\nloss: {name: focal, gamma: 3}\n")
    assert Recipe.load(tmp_path / "mine.yaml").loss == (Focal(gamma=3.0),)


SUM = "a sum of losses is a list, such as [cross-entropy, {name: dice, weight: 0.5}]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@dise", "loss: 'dise' is not one of: 'cross-entropy', 'dice', 'focal', 'charbonnier'"),
        ("[dice, @dise]", "loss.1: 'dise' is not one of"),
        ("{name: dice, @gamma: 3}", "loss.gamma: unknown field 'gamma'; known: name, weight"),
        ("{name: focal, gamma: @-1}", "loss.gamma: -1 is less than 0.0"),
        ("[dice, {name: focal, @gama: 3}]", "loss.1.gama: unknown field 'gama'; did you mean"),
        ("{name: dice, weight: @0}", "loss.weight: 0 is not more than 0.0"),
        ("@[]", "loss: 0 values; at least 1"),
        ("@{cross-entropy: 1, dice: 0.5}", f"loss: {SUM}"),
        ("@[cross-entropy, {dice: 0.5}]", f"loss: {SUM}"),
    ],
)
def test_a_loss_that_cannot_be_is_shown_at_its_place(text, said):
    with pytest.raises(SpecError) as caught:
        Recipe.parse(f"extends: demo\nloss: {text.replace('@', '')}\n", "r.yaml")
    column = len("loss: ") + text.index("@") + 1
    assert str(caught.value).startswith(f"r.yaml:2:{column}: {said}")


def test_a_kind_that_was_chosen_in_python_stays_when_another_field_changes():
    crop = Crop(smallest=8, largest=8, size=8)
    made = Recipe(
        epochs=1, batch=1, learning_rate=0.1, crop=crop, optimizer=Sgd(), loss=[Dice(), Focal()]
    )
    changed = made.but(batch=4)
    assert (changed.optimizer, changed.loss) == (Sgd(), (Dice(), Focal()))
    assert Recipe.parse(dump(changed)) == changed


def test_charbonnier_is_the_distance_but_for_its_edge():
    label = torch.zeros(1, 1, 2, 2)
    assert value(Charbonnier(), label + 0.5, label).item() == pytest.approx((0.25 + 1e-6) ** 0.5)
    assert value(Charbonnier(), label, label).item() == pytest.approx(1e-3)
