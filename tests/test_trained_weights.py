"""The weights that travel with the project: small, whole, and as good as their table says."""

import re
from pathlib import Path

import pytest
from hypothesis import settings

from gridgen.training import evaluate, open_model

WEIGHTS = Path(__file__).parent.parent / "weights"
FILES = sorted(WEIGHTS.glob("*.safetensors"))
README = (WEIGHTS / "README.md").read_text("utf-8")
MOST_BYTES = 3 * 2**20
# What bf16 on another CPU may change.
NEAR = 0.003

# Half a minute of a quiet machine for each hundred images.
SPLITS = ["val", "holdout"] if settings.default.max_examples >= 1000 else ["val"]

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def row(path: Path) -> list[str]:
    """The cells of a file's line in the table."""
    [line] = [line for line in README.splitlines() if line.startswith(f"| `{path.name}` |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_there_are_some():
    assert FILES


@every_file
def test_they_are_small_and_say_what_they_are(path):
    assert path.stat().st_size <= MOST_BYTES
    model = open_model(path)
    parameters = sum(parameter.numel() for parameter in model.network.parameters())
    _, data, topology, told, *_ = row(path)
    assert (model.data, model.spec.title, f"{parameters:,}") == (data, topology, told)
    assert model.named
    assert model.holdout
    assert not re.search(rb'"/(home|work|root|tmp|data)', path.read_bytes()[:100_000])


@pytest.mark.slow
@every_file
@pytest.mark.parametrize("split", SPLITS)
def test_they_are_as_good_as_they_are_said_to_be(path, split, shared_data):
    data = shared_data / row(path)[1]
    if not data.is_dir():
        pytest.skip(f"no {data}")
    told = float(row(path)[4 if split == "val" else 5])
    found = evaluate(open_model(path), str(data), split, baseline=False, device="cpu")
    assert found.network.value == pytest.approx(told, abs=NEAR)
