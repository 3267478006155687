"""Who a trial is: a hash of what it trains, so that the same trial has the same name in every process and sweep."""

import hashlib
import json
from collections.abc import Mapping


def trial_id(model: str, model_args: Mapping[str, object], configuration: Mapping[str, object], replicate: int) -> str:
    """12 hex digits for one replicate of a canonical configuration (SearchSpace.resolve) of a model."""
    return _hash([model, model_args, configuration, replicate])


def configuration_id(model: str, model_args: Mapping[str, object], configuration: Mapping[str, object]) -> str:
    """12 hex digits shared by all replicates of a configuration."""
    return _hash([model, model_args, configuration])


def _hash(parts: list[object]) -> str:
    # json writes a float as repr does: the shortest text that reads back as the same number, on every machine.
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False, default=dict)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
