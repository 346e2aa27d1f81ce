from pathlib import Path

import pytest
from hypothesis import settings

from gridgen.grid import Grid, build_grid
from gridgen.spec import GridSpec

settings.register_profile("gridgen", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2000)  # --hypothesis-profile long
settings.load_profile("gridgen")


@pytest.fixture(scope="session")
def paper_spec() -> GridSpec:
    """The paper's network: 5 streams, 3+3 columns, F0 = 16, 19 classes."""
    return GridSpec(streams=5, columns="3+3", base_channels=16, classes=19)


@pytest.fixture(scope="session")
def paper_grid(paper_spec: GridSpec) -> Grid:
    return build_grid(paper_spec)


def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true", help="Rewrite the golden files.")


@pytest.fixture
def rewrite(request) -> bool:
    return request.config.getoption("--rewrite")


@pytest.fixture
def shared_data() -> Path:
    """Real dataset folders beside the repository, which do not come with it."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real dataset folders in {folder}")
    return folder
