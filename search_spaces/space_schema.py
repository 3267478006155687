"""JSON Schema (draft 2020-12) of the `space` mapping, built from HYPERPARAMETERS, for editors."""

import math

from search_spaces.domains import MAX_POINTS, RANGES, domain_kinds
from search_spaces.hyperparameters import HYPERPARAMETERS, Hyperparameter
from search_spaces.layer_order import VALID_ORDERS

Schema = dict[str, object]


def space_schema() -> Schema:
    """The schema of `space`: every hyper-parameter, each a plain value or a domain."""
    return {
        "type": "object",
        "properties": {name: _hyperparameter_schema(entry) for name, entry in HYPERPARAMETERS.items()},
        "additionalProperties": False,
    }


def value_schema(hyperparameter: Hyperparameter) -> Schema:
    """The schema of one plain value, with its bounds."""
    if hyperparameter.kind == "str":
        return {"type": "string", "enum": list(hyperparameter.strings or VALID_ORDERS)}
    schema: Schema = {"type": "integer" if hyperparameter.kind == "int" else "number"}
    if math.isfinite(hyperparameter.low):
        schema["exclusiveMinimum" if hyperparameter.low_open else "minimum"] = hyperparameter.low
    if math.isfinite(hyperparameter.high):
        schema["exclusiveMaximum" if hyperparameter.high_open else "maximum"] = hyperparameter.high
    return schema


def _hyperparameter_schema(entry: Hyperparameter) -> Schema:
    default = "the augment preset's" if entry.default is None else entry.default
    return {
        "description": f"{entry.doc}: {entry.allowed} (default: {default})",
        "oneOf": [value_schema(entry), *(_domain_schema(kind, entry) for kind in domain_kinds(entry))],
    }


def _domain_schema(kind: str, entry: Hyperparameter) -> Schema:
    value = value_schema(entry)
    properties: dict[str, Schema] = {}
    if kind == "permutations":
        properties[kind] = value | {"description": "all orders of these letters"}
    elif kind == "choice":
        properties[kind] = {
            "description": "one of these values",
            "type": "array",
            "items": value,
            "minItems": 1,
            "uniqueItems": True,
        }
    elif kind in RANGES:
        ends = {"exclusiveMinimum": 0} if kind == "loguniform" else {}
        properties[kind] = {
            "description": "[low, high], low < high, both included",
            "type": "array",
            "items": value | ends,
            "minItems": 2,
            "maxItems": 2,
            "uniqueItems": True,
        }
        properties["points"] = {
            "description": "take this many spaced values of the range, both ends included",
            "type": "integer",
            "minimum": 2,
            "maximum": MAX_POINTS,
        }
    return {"type": "object", "properties": properties, "required": [kind], "additionalProperties": False}
