import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from gridgen.grid import FUSIONS, TOPOLOGIES, UNITS, Grid, build_grid
from gridgen.grid.ends import HEADS, STEMS
from gridgen.grid.styles import ACTIVATIONS, NORMS
from gridgen.spec import GridSpec
from gridgen.spec.gridspec import STEM_STRIDES

settings.register_profile("gridgen", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2000)  # --hypothesis-profile long
settings.load_profile("gridgen")


# What a shell starts in the background ignores Ctrl-C, and so would the programs that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Workers whose OpenMP threads spin for the same cores need ten times as long, or look hung; and a
# training that shares the cores gives the bits of one with as many threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")


# What takes longest is begun first, so that no worker is left alone with it at the end. In seconds
# of one quiet core, as `--durations=40` shows them.
LONGEST = {
    "tests/test_readme.py": 250,
    "tests/emit/test_counts.py": 75,
    "tests/training/loop/test_processes.py": 60,
    "tests/training/loop/test_nothing_lost.py": 40,
    "tests/structure/test_adding_a_layer.py": 36,
    "tests/test_typing.py": 33,
    "tests/study/engine/test_children.py": 150,
    "tests/study/engine/test_engines.py": 90,
    "tests/study/engine/test_ray.py": 110,
    "tests/study/driver/test_search.py": 50,
    "tests/test_trained_weights.py": 30,
}


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: -LONGEST.get(item.nodeid.split("::")[0], 0))


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
def tables():
    """The tables of names that others may add to; what a test enters is gone after it."""
    found = (*UNITS.values(), FUSIONS, TOPOLOGIES, HEADS, STEMS, NORMS, ACTIVATIONS, STEM_STRIDES)
    before = [dict(table) for table in found]
    yield found
    for table, names in zip(found, before, strict=True):
        table.clear()
        table.update(names)


@pytest.fixture
def shared_data() -> Path:
    """Real dataset folders beside the repository, which do not come with it."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real dataset folders in {folder}")
    return folder
