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

# All images take minutes; every fifth one is enough to see that a change made them worse.
LONG = settings.default.max_examples >= 1000
EVERY_FIFTH = {"camvid-small": 0.6336}

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
def test_every_fifth_image_of_val_is_predicted_as_well_as_ever(path, shared_data, tmp_path):
    for kind in ("images", "labels"):
        (tmp_path / "val" / kind).mkdir(parents=True)
        files = sorted((data_of(path, shared_data) / "val" / kind).iterdir())
        for file in files[::5]:
            (tmp_path / "val" / kind / file.name).symlink_to(file)
    (tmp_path / "classes.txt").symlink_to(data_of(path, shared_data) / "classes.txt")
    require_score(path, tmp_path, "val", EVERY_FIFTH[path.stem])


@pytest.mark.slow
@pytest.mark.skipif(not LONG, reason="minutes; --hypothesis-profile long")
@every_file
@pytest.mark.parametrize(("split", "cell"), [("val", 4), ("holdout", 5)])
def test_they_are_as_good_as_they_are_said_to_be(path, split, cell, shared_data):
    require_score(path, data_of(path, shared_data), split, float(row(path)[cell]))


def data_of(path: Path, shared_data: Path) -> Path:
    data = shared_data / row(path)[1]
    if not data.is_dir():
        pytest.skip(f"no {data}")
    return data


def require_score(path: Path, data: Path, split: str, told: float) -> None:
    found = evaluate(open_model(path), str(data), split, baseline=False, device="cpu")
    assert found.network.value == pytest.approx(told, abs=NEAR)
