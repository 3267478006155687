"""Configurations written one by one, where a space would try more than what is asked."""

import json
from collections.abc import Mapping, Sequence

from search_spaces.domains import Value, parse_domain
from search_spaces.errors import SpecError
from search_spaces.hyperparameters import HYPERPARAMETERS
from search_spaces.space import SearchSpace
from search_spaces.wording import shown, unknown_key


def resolve_listed(listed: Sequence[object], space: SearchSpace) -> list[dict[str, Value]]:
    """Each configuration in full: what it does not name is as `space` fixes it, or the default.

    listed: mappings of hyper-parameters to plain values. Raises SpecError, a line a mistake: something searched, in the
    space or in a configuration; an unknown name; a value out of bounds; the same configuration twice; an empty list.
    """
    faults = [
        f"space.{name}: got {shown(str(domain))} beside configurations; allowed: a plain value, which then holds for "
        "all of them"
        for name, domain in space.searched.items()
    ]
    if not listed:
        faults.append("configurations: got []; allowed: at least one mapping, such as {lr: 0.001, drop_rate: 0.2}")
    for index, raw in enumerate(listed):
        faults += _faults(f"configurations.{index}", raw)
    if faults:
        raise SpecError("\n".join(faults))
    resolved: dict[str, tuple[int, dict[str, Value]]] = {}
    for index, raw in enumerate(listed):
        assert isinstance(raw, Mapping)
        configuration = space.resolve(raw)
        first, _ = resolved.setdefault(json.dumps(configuration), (index, configuration))
        if first != index:
            raise SpecError(
                f"configurations.{index}: got {shown(raw)}, the same as configurations.{first}; allowed: each once; "
                "ask for more seeds with replicates"
            )
    return [configuration for _, configuration in resolved.values()]


def _faults(key: str, raw: object) -> list[str]:
    if not isinstance(raw, Mapping):
        return [f"{key}: got {shown(raw)}; allowed: a mapping of hyper-parameters to values, such as {{lr: 0.001}}"]
    faults = []
    for name, value in raw.items():
        try:
            if name not in HYPERPARAMETERS:
                raise SpecError(unknown_key(f"{key}.{name}", value, HYPERPARAMETERS))
            if isinstance(value, dict):
                raise SpecError(f"{key}.{name}: got {shown(value)}; allowed: a plain value; write searches under space")
            parse_domain(f"{key}.{name}", value, HYPERPARAMETERS[name])
        except SpecError as error:
            faults.append(str(error))
    return faults
