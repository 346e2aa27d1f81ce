"""The wheel holds the package and what comes along, each file as it is, and nothing else."""

from zipfile import ZipFile

from installed import ROOT, build_wheel

import gridgen
from gridgen.project.shipped import shipped


def test_a_wheel_from_the_source_distribution_holds_all_that_a_clone_has(tmp_path):
    package = [path for path in ROOT.glob("gridgen/**/*") if path.is_file()]
    wanted = {
        path.relative_to(ROOT).as_posix(): path
        for path in package
        if "__pycache__" not in path.parts
    }
    wanted |= {
        f"gridgen/project/{name}": path
        for name, path in shipped().items()
        if not name.startswith("recipes/")
    }
    with ZipFile(build_wheel(tmp_path)) as wheel:
        found = {name: wheel.read(name) for name in wheel.namelist() if name.startswith("gridgen/")}
        others = set(wheel.namelist()) - set(found)
    assert found == {name: path.read_bytes() for name, path in wanted.items()}
    assert {name.split("/")[0] for name in others} == {f"gridgen-{gridgen.__version__}.dist-info"}
