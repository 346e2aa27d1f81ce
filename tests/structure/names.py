"""Public types that are defined twice, and functions under the name of a module of their package:
`python -m tests.structure.names`.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator

from tests.structure.package import dotted, modules


def types(tree: ast.Module) -> Iterator[str]:
    """Public classes and type aliases that a module defines at its top level."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                found = name
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                found = name
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_type(name, value):
                found = name
            case _:
                continue
        if not found.startswith("_"):
            yield found


def _is_type(name: str, value: ast.expr) -> bool:
    """Whether an assignment names a type: in CamelCase, and no plain value."""
    camel = name[0].isupper() and any(letter.islower() for letter in name)
    plain = isinstance(value, ast.Constant | ast.Dict | ast.List | ast.Tuple)
    return camel and not plain


def defined_twice(trees: dict[str, ast.Module] | None = None) -> dict[str, list[str]]:
    """Each type name that several modules define, with these modules."""
    places: dict[str, list[str]] = defaultdict(list)
    for module, tree in (modules() if trees is None else trees).items():
        for name in types(tree):
            places[name].append(module)
    return {name: found for name, found in sorted(places.items()) if len(found) > 1}


def shadowed(trees: dict[str, ast.Module] | None = None) -> list[str]:
    """Each module that its package hides behind a function or class of the same name."""
    trees = modules() if trees is None else trees
    found = []
    for init in (module for module in trees if module.endswith("__init__.py")):
        folder = init.removesuffix("__init__.py")
        for name in sorted(set(_given(trees[init], dotted(init)))):
            places = f"{folder}{name}.py", f"{folder}{name}/__init__.py"
            found += [place for place in places if place in trees]
    return found


def _given(tree: ast.Module, package: str) -> Iterator[str]:
    """What a package's namespace holds beside its modules; names in tables come when asked for."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=origin, names=names) if origin != package:
                yield from (alias.asname or alias.name for alias in names)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Dict(keys=keys):
                yield from (key.value for key in keys if isinstance(key, ast.Constant))


def main() -> None:
    """Both lists."""
    print("types that are defined twice:")
    for name, places in defined_twice().items():
        print(f"  {name}: {', '.join(places)}")
    print("modules behind a function of the same name:")
    for module in shadowed():
        print(f"  {module}")


if __name__ == "__main__":
    main()
