"""Turns pydantic's list of errors into this package's wording, a line a mistake.

The text after `allowed:` is the description of the field, so a field says in one place what it takes: to the reader of
an error, and to an editor through the JSON Schema.
"""

from collections.abc import Iterator, Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from search_spaces.hyperparameters import HYPERPARAMETERS
from search_spaces.wording import shown, unknown_key


def error_lines(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line (each with key path, value got, allowed) a mistake; a nested SpecError keeps its own lines."""
    return [line for details in error.errors(include_url=False) for line in _lines(details, model)]


def _lines(details: ErrorDetails, model: type[BaseModel]) -> list[str]:
    path = ".".join(map(str, details["loc"]))
    value = details.get("input")
    if details["type"] == "value_error":
        return str(details["ctx"]["error"]).splitlines()
    level, description = _field(model, details["loc"])
    first, dot, rest = str(details["loc"][-1]).partition(".") if details["loc"] else ("", "", "")
    if first in level.model_fields and dot and details["type"] in ("extra_forbidden", "invalid_key"):
        return [f"{path}: unknown key (got {shown(value)}); allowed: {first}: {{{rest}: ...}}; dots are for --set"]
    if details["type"] in ("extra_forbidden", "invalid_key"):
        return [unknown_key(path, value, level.model_fields, _elsewhere(path, model))]
    if details["type"] == "missing":
        return [f"{path}: missing; allowed: {description}; add the key"]
    return [f"{path}: got {shown(value)}; allowed: {description}"]


def _field(model: type[BaseModel], loc: Sequence[int | str]) -> tuple[type[BaseModel], str]:
    """The model in which the last key of `loc` stands, and the description of that key's field."""
    level, description = model, "a mapping"
    for depth, key in enumerate(loc):
        field = level.model_fields.get(str(key))
        if field is None:
            break
        description = field.description or description
        inner = _model_of(field.annotation)
        if depth + 1 < len(loc) and inner is not None:
            level = inner
    return level, description


def _elsewhere(path: str, model: type[BaseModel]) -> str | None:
    """Where the last key of a wrong path would be right, if that is one place: `lr` at the top means space.lr, `trials`
    search.trials.
    """
    key = path.rpartition(".")[2]
    if key in HYPERPARAMETERS:
        return f"space.{key}"
    places = [known for known in _known_paths(model, "") if known.rpartition(".")[2] == key]
    return places[0] if len(places) == 1 else None


def _known_paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        inner = _model_of(field.annotation)
        if inner is not None:
            yield from _known_paths(inner, f"{prefix}{name}.")


def _model_of(annotation: object) -> type[BaseModel] | None:
    """The model that a field holds, also one that may be left out."""
    candidates = get_args(annotation) or (annotation,)
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)
