"""What other systems lack is taken away: all but training works, and training says what it needs.

The packages that gridgen uses are imported before, under the system that they were installed for.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BEFORE = """
import builtins, importlib, io, os, pkgutil, signal, sys, warnings

def import_all():
    import gridgen
    for module in pkgutil.walk_packages(gridgen.__path__, "gridgen."):
        if module.name.rpartition(".")[2] != "__main__":
            importlib.import_module(module.name)

def lacking(function, lacks):
    def call(path, *arguments, **options):
        if lacks(path):
            raise PermissionError(13, "Permission denied", str(path))
        return function(path, *arguments, **options)
    return call

warnings.simplefilter("ignore", EncodingWarning)
warnings.filterwarnings("error", category=EncodingWarning, module="gridgen")
import_all()
from gridgen.cli.app import run
for line in COMMANDS:  # what their packages import later
    run(line.split())
import torch._dynamo  # what an optimizer does; Debian's Python has no part that it needs on a Mac
for name in [name for name in sys.modules if name.split(".")[0] == "gridgen"]:
    del sys.modules[name]

sys.platform = PLATFORM
del os.sched_getaffinity
of_proc = lambda path: str(path).startswith(("/proc", "/sys"))
builtins.open = io.open = lacking(open, of_proc)
if PLATFORM == "win32":
    for name in ("fcntl", "resource", "pwd", "grp", "termios"):
        sys.modules[name] = None
    for name in ("SIGKILL", "SIGBUS", "SIGHUP", "SIGALRM", "SIGUSR1", "pthread_sigmask"):
        delattr(signal, name)
    del os.fork, os.sysconf, os.getuid, os.killpg
    os.environ["PATHEXT"] = "-pure"  # what graphviz-pure.exe is called here
    os.open = lacking(os.open, os.path.isdir)

import_all()
from gridgen.cli.app import run
for line in [*COMMANDS, TRAINING]:
    print("exit", run(line.split()), line, file=sys.stderr)
"""
COMMANDS = [
    "render specs/unet-small.yaml -o unet.svg",
    "render specs/unet-small.yaml --paths -o paths.svg",
    "count specs/unet-small.yaml --size 64x64 --batch 2",
    "build specs/unet-small.yaml -o unet.safetensors",
    "lint specs/unet-small.yaml",
    "paths specs/unet-small.yaml",
    "diff specs/unet-small.yaml unet-2015 -o both.svg",
    "feasible studies/budget.yaml -o feasible.png",
    "list recipes",
]
TRAINING = "train specs/nuclei.yaml --data nuclei --recipe quick.yaml -o run"
RECIPE = """\
epochs: 1
batch: 8
learning_rate: 0.01
crop: {smallest: 32, largest: 32, size: 32}
"""
NO_TRAINING = (
    "trainings and searches lock their folders, which win32 cannot do; train on Linux, macOS or WSL"
)


def ran_under(platform: str, folder: Path) -> list[str]:
    """What is said on stderr by all commands where a Python says that it runs on `platform`."""
    for name in ("specs", "studies"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "quick.yaml").write_text(RECIPE)
    given = {"PLATFORM": platform, "COMMANDS": COMMANDS, "TRAINING": TRAINING}
    code = "\n".join(f"{name} = {value!r}" for name, value in given.items()) + BEFORE
    done = subprocess.run(
        # Text that is read or written without saying how would be another one on Windows.
        [sys.executable, "-X", "warn_default_encoding", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


@pytest.mark.slow
def test_all_but_training_works_on_windows(tmp_path):
    said = ran_under("win32", tmp_path)
    assert said == [*(f"exit 0 {line}" for line in COMMANDS), NO_TRAINING, f"exit 2 {TRAINING}"]
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_all_works_on_a_mac(tmp_path):
    ended = [line for line in ran_under("darwin", tmp_path) if line.startswith("exit ")]
    assert ended == [f"exit 0 {line}" for line in [*COMMANDS, TRAINING]]
    assert (tmp_path / "run" / "weights.safetensors").is_file()
