"""The tables of docs/study-file.md say what the code says."""

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import get_args

from pydantic import BaseModel

from search_spaces.domains import RANGES
from search_spaces.hyperparameters import HYPERPARAMETERS
from sweep.spec import SweepSpec

PAGE = (Path(__file__).parents[1] / "docs" / "study-file.md").read_text()


def key_lines(model: type[BaseModel] = SweepSpec, prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        default = "" if field.default_factory or field.is_required() or field.default is None else field.default
        shown = f" (default {str(default).lower() if isinstance(default, bool) else default})" if default != "" else ""
        yield f"| `{prefix}{name}` | {field.description}{'' if 'default' in (field.description or '') else shown} |"
        kinds = get_args(field.annotation) if isinstance(field.annotation, UnionType) else [field.annotation]
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from key_lines(kind, f"{prefix}{name}.")


def hyperparameter_lines() -> Iterator[str]:
    for name, each in HYPERPARAMETERS.items():
        default = "as `augment` says" if each.default is None else each.default
        yield f"| `{name}` | {each.allowed} | {default} | {each.doc} |"


def test_every_key_stands_there_with_what_it_allows() -> None:
    missing = [line for line in key_lines() if line not in PAGE]
    assert not missing


def test_every_hyperparameter_stands_there_with_bounds_and_default() -> None:
    missing = [line for line in hyperparameter_lines() if line not in PAGE]
    assert not missing


def test_every_domain_stands_there() -> None:
    assert all(f"{{{kind}: [" in PAGE for kind in ("choice", *RANGES))
