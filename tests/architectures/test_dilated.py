from gridgen import build_grid, count
from gridgen.architectures.dilated import Dilated
from gridgen.grid.layers import Conv, MaxPool


def dilated(**fields):
    return build_grid(Dilated(architecture="dilated", **fields))


def test_the_network_has_vgg_16_its_fully_connected_layers_and_a_small_context():
    context = 7 * (9 * 21 * 21 + 21) + 21 * 21 + 21
    fully_connected = (49 * 512 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 21
    assert count(dilated()).parameters.total == 14_714_688 + fully_connected + context
    assert count(dilated()).parameters.total == 134_374_973


def test_two_poolings_of_vgg_16_are_replaced_by_dilation():
    layers = [layer for connection in dilated() for layer in connection.unit]
    convolutions = [layer for layer in layers if isinstance(layer, Conv)]
    assert layers.count(MaxPool()) == 3
    assert [c.dilation for c in convolutions if c.kernel == 7] == [4]
    assert [c.dilation for c in convolutions if c.channels_in == c.channels_out == 512][-3:] == [
        2,
        2,
        2,
    ]


def test_each_place_of_the_prediction_sees_67_places_of_the_scores():
    context = [c for c in dilated() if c.target.column > 2]
    first = last = 0
    for layer in reversed([layer for connection in context for layer in connection.unit]):
        first, last = layer.rows(first, last)
    assert len(context) == 7
    assert (first, last) == (-33, 33)


def test_there_is_one_path_and_it_stays_at_an_eighth():
    grid = dilated()
    assert count(grid).paths == 1
    assert grid.output.stream == 3
    assert all(c.kind == "lateral" for c in grid if c.target.column > 0)
