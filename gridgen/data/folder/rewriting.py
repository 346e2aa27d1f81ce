"""Setting fields of a YAML file by changing their lines alone: comments and all else stay."""

import json
from collections.abc import Iterator, Mapping

import yaml

Fields = Mapping[str, "str | Mapping[str, str]"]
Edit = tuple[int, int, str]
"""First character, the one after the last, and what takes their place."""


def with_fields(text: str, fields: Fields) -> str:
    r"""The YAML `text`, whose top level is a mapping, or nothing, with these fields set.

    >>> print(with_fields("white: 4095  # of 12 bits\n", {"splits": {"val": "val.txt"}}), end="")
    white: 4095  # of 12 bits
    splits:
      val: "val.txt"
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    if not text:
        return "".join(f"{line}{newline}" for line in _lines(fields))
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    assert isinstance(root, yaml.MappingNode)
    for first, end, new in sorted(_edits(text, root, fields, newline), reverse=True):
        text = f"{text[:first]}{new}{text[end:]}"
    return text if text.endswith("\n") else text + newline


def _edits(text: str, node: yaml.MappingNode, fields: Fields, newline: str) -> Iterator[Edit]:
    there = {key.value: value for key, value in node.value}
    for name in fields.keys() & there.keys():
        old, new = there[name], fields[name]
        if isinstance(old, yaml.MappingNode) and not isinstance(new, str):
            yield from _edits(text, old, new, newline)
        else:
            first, end = old.start_mark.index, old.end_mark.index
            yield first, end, f"{' ' * (first == end)}{_inline(new)}"
    added = {name: value for name, value in fields.items() if name not in there}
    if added and not node.value:  # {}
        yield node.start_mark.index, node.end_mark.index, _inline(added)
        return
    last = _end(node.value[-1][1])
    if added and node.flow_style:
        yield last, last, "".join(f", {name}: {_inline(value)}" for name, value in added.items())
    elif added:
        # After what else stands in the last line, which may be a comment.
        rest = text[last:].splitlines()[:1]
        place = last + len("".join(rest))
        indent = " " * node.start_mark.column
        yield place, place, "".join(f"{newline}{indent}{line}" for line in _lines(added))


def _end(node: yaml.Node) -> int:
    """Where a node ends; PyYAML counts what follows a block to it, comments among it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)


def _lines(fields: Fields) -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, str):
            yield f"{name}: {_inline(value)}"
        else:
            yield f"{name}:"
            yield from (f"  {line}" for line in _lines(value))


def _inline(value: "str | Fields") -> str:
    """A value as YAML on one line. Text is quoted: `{name}` would be a mapping."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"{{{', '.join(f'{name}: {_inline(each)}' for name, each in value.items())}}}"
