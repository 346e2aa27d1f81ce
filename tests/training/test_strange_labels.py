"""A label that is no class is refused wherever labels are read, and by every loss."""

import pytest
import torch

from gridgen.data import IGNORE, Sample
from gridgen.data.frequencies import count_pixels
from gridgen.emit import GridNetwork
from gridgen.errors import DataError
from gridgen.spec import GridSpec
from gridgen.training import Recipe
from gridgen.training.loop.batches import Batches
from gridgen.training.recipe.losses import LOSSES, Truth, total_loss
from gridgen.training.scoring.per_image import Predictor, statistics_of
from gridgen.training.tasks import Segmentation
from gridgen.training.tasks.lookup import fitted_lookup

CPU = torch.device("cpu")
SPEC = GridSpec(streams=2, columns="1+1", base_channels=2, classes=3)
RECIPE = Recipe(
    epochs=1, batch=1, learning_rate=0.1, crop={"smallest": 8, "largest": 8, "size": 16}
)


class Rooms:
    """One image, of which some pixels are ignored and one is `label`."""

    name, task, channels = "rooms", "segmentation", 3
    classes, colours = ("floor", "wall", "door"), ((0, 0, 0), (9, 9, 9), (5, 5, 5))
    names, sizes = ("hall",), ((8, 8),)

    def __init__(self, label: int) -> None:
        self._label = torch.arange(64).view(8, 8) % 3
        self._label[0] = IGNORE
        self._label[5, 3] = label

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Sample:
        return Sample(self.names[index], torch.rand(3, 8, 8), self._label.clone())


READERS = {
    "training": lambda rooms: Batches(rooms, RECIPE, seed=0)[0],
    "scoring": lambda rooms: statistics_of(Predictor(GridNetwork(SPEC).eval(), CPU), rooms),
    "baseline": lambda rooms: fitted_lookup(rooms, rooms),
    "class weights": count_pixels,
}
every_reader = pytest.mark.parametrize("reader", READERS.values(), ids=READERS)


@every_reader
@pytest.mark.parametrize("label", [-1, 3, 254, 256, 257])
def test_a_label_that_is_no_class_is_refused_where_it_is_read(reader, label):
    with pytest.raises(DataError) as caught:
        reader(Rooms(label))
    assert str(caught.value) == (
        f"rooms: the label of hall holds {label}, which is no class; ids are 0 to 2, and 255 "
        "where a pixel is ignored"
    )


@every_reader
def test_classes_and_ignored_pixels_are_read(reader):
    for label in (0, 2, IGNORE):
        reader(Rooms(label))


@pytest.mark.parametrize("name", Segmentation.losses)
@pytest.mark.parametrize("weights", [None, torch.ones(3)])
@pytest.mark.parametrize("label", [-1, 3, 254])
def test_no_loss_takes_such_a_label_for_another(name, weights, label):
    labels = Rooms(label)[0].label[None]
    with pytest.raises((IndexError, RuntimeError), match="out of bounds"):
        total_loss([LOSSES[name]()], torch.zeros(1, 3, 8, 8), Truth(labels, weights))
