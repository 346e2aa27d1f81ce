"""What only a GPU can show. Run with `python -m pytest -m gpu`."""

import pytest
import torch
from tiny import RECIPE, SPEC

from gridgen.emit import GridNetwork
from gridgen.grid import TOPOLOGIES, build_grid, prune
from gridgen.spec import GridSpec
from gridgen.training import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_logits_are_those_of_the_cpu(topology):
    spec = GridSpec(streams=3, columns="2+2", base_channels=8, classes=4, size="pad")
    network = GridNetwork(prune(build_grid(spec), topology)).eval()
    image = torch.rand(2, 3, 33, 65)
    expected = network(image)
    found = network.cuda()(image.cuda()).cpu()
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


def test_total_dropout_compiles_with_a_mask():
    network = GridNetwork(build_grid(SPEC)).cuda()
    compiled = torch.compile(network, fullgraph=True)
    image = torch.rand(2, 3, 16, 16, device="cuda")
    outcomes = {float(compiled(image).detach()[0, 0, 0, 0]) for _ in range(30)}
    assert len(outcomes) > 1


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_training_runs(precision, tmp_path):
    recipe = RECIPE.but(precision=precision)
    run = train(build_grid(SPEC), "shapes", recipe, folder=tmp_path / "run", device="cuda")
    assert run.rows()[-1]["epoch"] == RECIPE.epochs
