"""`--set key.path=value`: changes to a study file made on the command line."""

from collections.abc import Collection, Sequence
from copy import deepcopy

from search_spaces.errors import SpecError
from search_spaces.wording import shown
from search_spaces.yaml_reader import read_yaml

_OUT = object()
_ALLOWED = "allowed: KEY=VALUE with the value in YAML, for example --set space.lr=0.01 or --set scheduler=none"


def apply_overrides(
    mapping: dict[str, object], overrides: Sequence[str], *, may_be_null: Collection[str] = ()
) -> tuple[dict[str, object], list[str]]:
    """A changed copy of `mapping`, and the key paths that were set. The last override of a key wins.

    null takes a key out, but for those of `may_be_null`, whose value it becomes.

    Whether a key exists and its value fits is for the spec to say. SpecError, a line a mistake, for text without `=`,
    an empty key, a value that is no YAML, and a path through something that is not a mapping.
    """
    changed = deepcopy(mapping)
    paths: list[str] = []
    faults: list[str] = []
    for override in overrides:
        path, equals, text = override.partition("=")
        keys = [key.strip() for key in path.split(".")]
        if not equals:
            faults.append(f"--set {shown(override)}: has no '='; {_ALLOWED}")
        elif not all(keys):
            faults.append(f"--set {shown(override)}: has an empty key; {_ALLOWED}")
        else:
            try:
                value = read_yaml(text)
                takes_out = value is None and bool(text.strip()) and ".".join(keys) not in may_be_null
                _put(changed, keys, _OUT if takes_out else value)
            except SpecError as error:
                faults += [f"--set {'.'.join(keys)}: {line}; got {shown(text)}" for line in str(error).splitlines()]
            paths.append(".".join(keys))
    if faults:
        raise SpecError("\n".join(faults))
    return changed, paths


def _put(mapping: dict[str, object], keys: list[str], value: object) -> None:
    for depth, key in enumerate(keys[:-1], start=1):
        inner = mapping.get(key)
        if inner is None and value is _OUT:
            return
        if inner is None:
            inner = mapping[key] = {}
        if not isinstance(inner, dict):
            above = ".".join(keys[:depth])
            raise SpecError(f"{above} is {shown(inner)}, not a mapping; allowed: --set {above}=VALUE as a whole")
        mapping = inner
    if value is _OUT:
        mapping.pop(keys[-1], None)
    else:
        mapping[keys[-1]] = value


def mark_overridden(lines: Sequence[str], paths: Sequence[str]) -> list[str]:
    """`lines` (each opening with its key path), with `--set` before those whose key an override has set."""
    return [f"--set {line}" if any(_concerns(line, path) for path in paths) else line for line in lines]


def _concerns(line: str, path: str) -> bool:
    return line.startswith(path) and line[len(path) :][:1] in (".", "[", ":")
