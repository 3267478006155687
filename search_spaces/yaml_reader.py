"""Reads the plain part of YAML strictly: what is written is what is meant.

Unlike PyYAML's safe loader: 1e-3 is a number (YAML 1.2's rules, so `no` and `on` are text, too), a key that comes twice
is an error, keys are text, and tags, anchors' aliases and deep nesting are refused. With no alias a file cannot expand
beyond its own length, and with no tag it cannot make anything but text, numbers, true/false, null, lists and mappings.
"""

import re
from collections.abc import Callable

import yaml

from search_spaces.errors import SpecError

MAX_DEPTH = 20
MAX_VALUES = 10_000  # about a second's reading; a study has a hundred

_PREFIX = "tag:yaml.org,2002:"
_ALLOWED = "allowed: plain text, numbers, true/false, null, lists and mappings"


class _StrictLoader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own class attribute)

    depth = 0
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()
        where = f"line {event.start_mark.line + 1}, column {event.start_mark.column + 1}"
        if isinstance(event, yaml.AliasEvent):
            raise SpecError(f"{where}: got the alias *{event.anchor}; {_ALLOWED}; write the value out")
        if self.depth >= MAX_DEPTH:
            raise SpecError(f"{where}: got more than {MAX_DEPTH} levels of nesting; allowed: up to {MAX_DEPTH}")
        self.nodes += 1
        if self.nodes > MAX_VALUES:
            raise SpecError(f"{where}: got more than {MAX_VALUES} keys and values; allowed: up to {MAX_VALUES}")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


for _name, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"(?:[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+)$", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("float", r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", list("-+.")),
):
    _StrictLoader.add_implicit_resolver(_PREFIX + _name, re.compile(_pattern), _first)


def read_yaml(text: str | bytes) -> object:
    """The value written in `text`; None for an empty document. SpecError with line and column, a line a mistake."""
    loader = None
    try:
        loader = _StrictLoader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise SpecError(f"{where}not valid YAML ({reason})") from None
    except yaml.YAMLError as error:
        raise SpecError(f"not readable as YAML text in UTF-8 ({str(error).splitlines()[0]})") from None
    finally:
        if loader is not None:
            loader.dispose()
    faults: list[str] = []
    value = None if node is None else _plain(node, "", faults)
    if faults:
        raise SpecError("\n".join(faults))
    return value


def _plain(node: yaml.Node, path: str, faults: list[str]) -> object:
    """The node as plain Python. What is wrong is added to `faults`, each with key path and line."""
    where = f"{path + ': ' if path else ''}line {node.start_mark.line + 1}:"
    kind = node.tag.removeprefix(_PREFIX)
    if isinstance(node, yaml.MappingNode) and kind == "map":
        return _mapping(node, path, faults)
    if isinstance(node, yaml.SequenceNode) and kind == "seq":
        return [_plain(item, f"{path}[{index}]", faults) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode) and kind in _SCALARS:
        try:
            return _SCALARS[kind](node.value)
        except (ValueError, KeyError):
            faults.append(f"{where} got {node.value[:80]!r}, which does not read as {kind}; {_ALLOWED}")
            return None
    faults.append(f"{where} got the tag !!{kind}; {_ALLOWED}; remove the tag")
    return None


def _mapping(node: yaml.MappingNode, path: str, faults: list[str]) -> dict[str, object]:
    mapping: dict[str, object] = {}
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value
        if not isinstance(key, str) or key_node.tag != _PREFIX + "str" or not key.isprintable():
            got = repr(key) if isinstance(key, str) else f"a {key_node.id}"
            faults.append(f"{path + ': ' if path else ''}line {line}: got the key {got}; allowed: keys that are names")
            continue
        key_path = f"{path}.{key}" if path else key
        if key in mapping:
            faults.append(f"{key_path}: duplicate key, on line {lines[key]} and on line {line}; allowed: each key once")
            continue
        lines[key] = line
        mapping[key] = _plain(value_node, key_path, faults)
    return mapping


def _integer(text: str) -> int:
    digits = text.lower()
    return int(digits, 16) if "x" in digits else int(digits, 8) if "o" in digits else int(digits)


def _real(text: str) -> float:
    return float(text.replace(".inf", "inf").replace(".nan", "nan")) if text[-1:].isalpha() else float(text)


_SCALARS: dict[str, Callable[[str], object]] = {
    "str": str,
    "int": _integer,
    "float": lambda text: _real(text.lower()),
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "null": lambda text: None,
}
