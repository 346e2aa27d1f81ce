"""gridgen as it is installed where the clone has never been: its wheel, in a new environment."""

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Environment:
    """A Python with gridgen's wheel and what that needs: no clone, no tools of development."""

    folder: Path

    def run(self, *command: str, cwd: Path) -> str:
        """What a program of the environment prints; it must succeed."""
        # PYTHONPATH may name the clone.
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        program = self.folder / "bin" / command[0]
        return output([program, *command[1:]], cwd=cwd, env=env)


def build_wheel(folder: Path) -> Path:
    """The wheel that is built from the clone's source distribution; both are in `folder`."""
    output([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder], cwd=ROOT)
    [source] = folder.glob("*.tar.gz")
    command = [sys.executable, "-m", "pip", "wheel", "--no-index", "--no-deps"]
    output([*command, "--no-build-isolation", "-w", folder, source], cwd=folder)
    [wheel] = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Environment:
    """Make an environment in `folder` and install the wheel there.

    What the wheel needs is linked from the environment of the tests, since to install torch once
    more takes minutes. pip then finds it there, or says what is missing.
    """
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/*/site-packages")
    for needed in [*requirements("gridgen"), distribution("stardist")]:
        for name in {file.parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
            (packages / name).symlink_to(needed.locate_file(name))
    (folder / "bin" / "graphviz-pure").symlink_to(Path(sys.executable).parent / "graphviz-pure")
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index"]
    output([*command, wheel], cwd=folder)
    return Environment(folder)


def requirements(name: str) -> Iterator[Distribution]:
    """The distributions that one needs, and those that they need, without any extras."""
    seen, left = {canonicalize_name(name)}, [name]
    while left:
        for line in distribution(left.pop()).requires or ():
            wanted = Requirement(line)
            key = canonicalize_name(wanted.name)
            if key in seen or not (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
                continue
            seen.add(key)
            left.append(wanted.name)
            yield distribution(wanted.name)


def output(command: list[str | Path], cwd: Path, env: dict[str, str] | None = None) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout
