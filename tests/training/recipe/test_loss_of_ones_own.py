"""A loss that nobody has written: a class and a line, and recipes know it."""

from typing import Literal

import pytest
import torch
from pydantic import Field
from torch import Tensor

from gridgen.errors import SpecError, unknown
from gridgen.spec import GridSpec
from gridgen.spec.document import dump
from gridgen.training import Recipe, train
from gridgen.training.recipe.losses import LOSSES, Focal, Loss, Truth
from gridgen.training.tasks import Segmentation

SPEC = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3)


class Brier(Loss):
    """Mean squared error of the probabilities."""

    name: Literal["brier"] = "brier"
    sharpness: float = Field(default=1.0, gt=0)

    def of(self, prediction: Tensor, truth: Truth) -> Tensor:
        shares = (self.sharpness * prediction).softmax(1)
        return (shares - truth.is_class(prediction)).square().mean()


@pytest.fixture
def entered(monkeypatch):
    monkeypatch.setitem(LOSSES, "brier", Brier)
    monkeypatch.setattr(Segmentation, "losses", (*Segmentation.losses, "brier"))


def parsed(loss: str) -> Recipe:
    return Recipe.parse(f"extends: demo\nloss: {loss}\n", "r.yaml")


def test_a_recipe_names_it_and_keeps_its_fields(entered):
    recipe = parsed("[focal, {name: brier, sharpness: 2}]")
    assert recipe.loss == (Focal(), Brier(sharpness=2.0))
    assert Recipe.parse(dump(recipe)) == recipe
    assert Recipe(**recipe.complete()) == recipe
    assert recipe.but(loss=Brier()).loss == (Brier(),)


def test_its_mistakes_are_shown_at_their_place(entered):
    with pytest.raises(SpecError) as caught:
        parsed("{name: brier, sharpnes: 2}")
    told = f"r.yaml:2:21: loss.sharpnes: {unknown('field', 'sharpnes', ['sharpness'])}"
    assert str(caught.value).splitlines()[0] == told


def test_editors_are_offered_it(entered):
    schema = Recipe.json_schema()
    assert "Brier" in schema["$defs"]
    assert {"enum": list(LOSSES), "type": "string"} in schema["properties"]["loss"]["anyOf"]


def test_it_trains(entered, tmp_path):
    crop = {"smallest": 8, "largest": 8, "size": 8}
    recipe = Recipe(epochs=1, batch=500, learning_rate=0.01, crop=crop, loss="brier")
    (row,) = train(SPEC, "shapes", recipe, folder=tmp_path / "run", device="cpu").rows()
    assert 0 < row["loss"] < 1


def test_it_is_unknown_where_it_was_not_entered():
    with pytest.raises(SpecError, match="'brier' is not one of: 'cross-entropy'"):
        parsed("brier")
    assert torch.is_tensor(Brier().of(torch.zeros(1, 2, 1, 1), Truth(torch.zeros(1, 1, 1).long())))
