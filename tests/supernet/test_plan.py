"""What a study asks a supernet to be."""

import pytest

from gridgen.errors import SpecError, UsageError
from gridgen.grid import build_grid
from gridgen.study import Study
from gridgen.supernet.plan import supernet_of, train_supernet
from tests.supernet.conftest import SPEC

FIELDS = {
    "data": "shapes",
    "spec": {"classes": 3, "columns": "2+2", "streams": 3},
    "recipe": "demo",
}


def study(space, **fields):
    return Study(**FIELDS | {"space": space} | fields)


def test_topologies_and_widths_of_a_space():
    plan = supernet_of(study({"topology": ["unet", "resnet"], "base_channels": [4, 8]}))
    assert plan.spec.base_channels == 8
    assert plan.recipe.supernet.base_channels == (4, 8)
    assert plan.recipe.supernet.networks(plan.spec).number == 4
    kept = {connection.name for connection in build_grid(plan.spec)}
    assert kept == {c.name for c in build_grid(plan.spec.but(topology="unet"))}


def test_fewer_streams_are_topologies_of_the_grid_with_most():
    space = {"streams": [2, 3], "topology": ["unet", "resnet"], "base_channels": [4]}
    plan = supernet_of(study(space, spec={"classes": 3, "columns": "2+2"}))
    assert plan.spec.streams == 3
    # The residual network is the same, however many streams there are below it.
    assert plan.recipe.supernet.networks(plan.spec).number == 3


def test_every_topology():
    plan = supernet_of(study({"topology": "every"}, spec=FIELDS["spec"] | {"base_channels": 4}))
    assert plan.recipe.supernet.topologies == "every"
    assert plan.spec.topology is None


def test_every_topology_in_several_widths():
    plan = supernet_of(study({"topology": "every", "base_channels": [4, 8]}))
    assert plan.recipe.supernet.networks(plan.spec).number == 2 * 279


def test_a_range_of_widths():
    plan = supernet_of(study({"base_channels": {"low": 2, "high": 6, "step": 2}}))
    assert plan.recipe.supernet.base_channels == (2, 4, 6)


def test_what_the_recipe_says_of_its_supernet_stays():
    recipe = {"extends": "demo", "supernet": {"samples": 5, "base_channels": [1]}}
    plan = supernet_of(study({"base_channels": [4, 8]}, recipe=recipe))
    assert (plan.recipe.supernet.samples, plan.recipe.supernet.base_channels) == (5, (4, 8))


@pytest.mark.parametrize("said", [{"samples": 1}, {"topologies": ["resnet"]}])
def test_a_recipe_says_which_topologies_only_where_it_names_them(said):
    spec, recipe = FIELDS["spec"] | {"topology": "unet"}, {"extends": "demo", "supernet": said}
    plan = supernet_of(study({"base_channels": [2, 4]}, spec=spec, recipe=recipe))
    number = plan.recipe.supernet.networks(plan.spec).number
    kept = {connection.name for connection in build_grid(plan.spec)}
    name = said.get("topologies", ["unet"])[0]
    assert kept == {c.name for c in build_grid(plan.spec.but(topology=name))}
    assert number == 2


@pytest.mark.parametrize(
    ("space", "fields", "said"),
    [
        ({"columns": ["2+2", "3+3"], "base_channels": [4]}, {}, "space.columns: columns varies, "),
        (
            {"recipe.learning_rate": [0.1, 0.2], "base_channels": [4]},
            {},
            "space.recipe.learning_rate: recipe.learning_rate varies, but a supernet's networks",
        ),
        (
            {},
            {"specs": ["unet-2015", "fcn-8s"], "spec": {"classes": 3}},
            "specs: these are networks of several families",
        ),
        (
            {"channels": [[2, 4, 8], [4, 8, 16]]},
            {},
            "space.channels: widths of a supernet are those of base_channels; list them there",
        ),
        (
            {"topology": ["unet", "frrn"]},
            {"match": {"parameters": 50000}},
            "match: it gives each network a width of its own",
        ),
        (
            {
                "topology": ["unet", "resnet"],
                "base_channels": {"values": [4, 8], "when": {"topology": "unet"}},
            },
            {"spec": FIELDS["spec"] | {"base_channels": 4}},
            "space.base_channels.when: a supernet trains every topology in every width",
        ),
    ],
)
def test_a_study_of_other_networks_is_refused(space, fields, said):
    with pytest.raises(SpecError) as caught:
        supernet_of(study(space, **fields))
    assert str(caught.value).startswith(said), str(caught.value)


def test_data_is_wanted_beside_a_spec_and_refused_beside_a_study(tmp_path):
    with pytest.raises(UsageError, match="give --data"):
        train_supernet(SPEC, folder=tmp_path / "run")
    with pytest.raises(UsageError, match="--data: the study says it"):
        train_supernet(study({"base_channels": [4, 8]}), "shapes", folder=tmp_path / "run")


def test_a_recipe_without_a_supernet_trains_all_sub_topologies(tmp_path):
    from tests.supernet.conftest import RECIPE

    run = train_supernet(SPEC, "shapes", RECIPE.but(supernet=None), folder=tmp_path / "run")
    assert run.recipe.supernet.topologies == "every"
