"""A sweep as a person writes it: the YAML of a study file, checked before anything starts.

`SweepSpec.load("study.yaml", ["space.lr=0.01"])` reads, overrides and checks; every mistake is one line of a SpecError.
Light on purpose: no torch, no ray, no numpy, so that `sweep validate` answers at once.
"""

import json
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from search_spaces.domains import Fixed, Value
from search_spaces.errors import SpecError
from search_spaces.hyperparameters import HYPERPARAMETERS
from search_spaces.listed import resolve_listed
from search_spaces.model_args import check_model_args
from search_spaces.overrides import apply_overrides, mark_overridden
from search_spaces.space import SearchSpace
from search_spaces.space_schema import space_schema
from search_spaces.spec_errors import error_lines
from search_spaces.study_file import read_mapping
from search_spaces.wording import shown
from sweep.data.errors import DataError
from sweep.data.source import ALLOWED, absolute_name, check_dataset, parse_dataset
from sweep.resources import ResourceSettings
from sweep.search_settings import SearchSettings
from sweep.spec_agreement import TOP_LEVEL, disagreements
from sweep.spec_defaults import with_defaults
from sweep.stopping.budget import BudgetSettings
from sweep.stopping.settings import SchedulerSettings, StopRuleSettings

# Strict: "20" is no number and neither is true. A description says first what is allowed: errors quote it.
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

# More mistakes than this say that it is the wrong file.
MAX_LINES = 30


class SweepSpec(BaseModel):
    """One sweep: what to train, on what, which configurations, and with what."""

    model_config = _STRICT

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,59}$",
        description="1 to 60 of the characters a-z, 0-9 and -, not starting with - (the results folder's name)",
    )
    model: Literal["mlp", "cnn"] = Field(description="one of mlp, cnn")
    model_args: dict[str, Any] = Field(
        default_factory=dict,
        validate_default=True,
        description="a mapping: for mlp hidden (1 to 8 widths up to 65536, default [512]); for cnn channels (1 to 5 "
        "widths up to 4096, default [32, 64]) and kernel_size (odd, up to 11, default 3)",
    )
    dataset: str = Field(description="one of digits, cifar10, cifar100, parquet:PATH, folder:PATH")
    train_size: int | None = Field(
        default=None,
        ge=10,
        description="an integer from 10 (training images to use), or null for all of the training split",
    )
    epochs: int = Field(ge=1, le=100_000, description="an integer from 1 to 100000 (passes over the training images)")
    batch_size: int | None = Field(
        default=None,
        ge=2,
        le=65_536,
        description="an integer from 2 to 65536 (images a step; default 100), unless it stands in space",
    )
    optimizer: Literal["adam", "sgd"] | None = Field(
        default=None, description="one of adam (default), sgd, unless it stands in space"
    )
    precision: Literal["auto", "fp32", "bf16", "int16"] = Field(
        default="auto",
        description="one of auto (the fastest on this machine's CPU: bf16 if it multiplies that natively; else int16 "
        "for mlp with at most 2 CPUs a trial and every layer order beginning with l, if it has AVX2 but not AVX-512; "
        "else, and on a cluster, fp32), fp32 (on a GPU with convolutions in TF32), bf16, int16 (for mlp on a CPU: a "
        "large first layer that begins a block multiplies pixels of 8 bits by weights and gradients of 16; all else as "
        "fp32)",
    )
    mode: Literal["search", "study"] = Field(
        default="search",
        description="one of search (early stopping may cut trials), study (full factorial, nothing is cut)",
    )
    decompose: bool = Field(
        default=False,
        description="true or false (measure what tells overfitting from regularisation; default: in mode study)",
    )
    replicates: int = Field(default=1, ge=1, le=1000, description="an integer from 1 to 1000 (seeds per configuration)")
    space: Annotated[dict[str, Any], WithJsonSchema(space_schema())] = Field(
        default_factory=dict, description="a mapping of hyper-parameters, each a value or a domain"
    )
    configurations: list[Any] | None = Field(
        default=None,
        description="a list of mappings, each hyper-parameters with plain values: these are tried and no others; what "
        "they leave open is as in space",
    )
    search: SearchSettings = Field(
        default_factory=SearchSettings,
        description="a mapping of algorithm, trials, seed (how configurations are chosen)",
    )
    scheduler: SchedulerSettings = Field(
        default_factory=SchedulerSettings,
        description="none, asha, or a mapping of type, variant, rank_by, grace_period, reduction_factor, brackets "
        "(early stopping)",
    )
    stop_rules: StopRuleSettings = Field(
        default_factory=StopRuleSettings,
        description="a mapping of gl, pq, up, gap, plateau, divergence, each a mapping of its settings",
    )
    resources: ResourceSettings = Field(
        default_factory=ResourceSettings,
        description="a mapping of cpus_per_trial, gpus_per_trial, max_concurrent",
    )
    budget: BudgetSettings = Field(
        default_factory=BudgetSettings,
        description="a mapping of max_trials, max_epochs_total, max_hours, max_cost, price_per_cpu_hour, "
        "price_per_gpu_hour",
    )
    max_retries: int = Field(
        default=3, ge=0, le=1000, description="an integer from 0 to 1000 (restarts of a crashed trial)"
    )
    trial_timeout: float | None = Field(
        default=3600.0,
        ge=1,
        le=10_000_000,
        description="a number from 1 to 10000000 (seconds without an epoch before a trial is restarted), or null",
    )

    @classmethod
    def load(
        cls,
        source: "str | Path | Mapping[str, Any] | SweepSpec",
        overrides: Sequence[str] = (),
        *,
        elsewhere: bool = False,
        stored: bool = False,
    ) -> Self:
        """The checked spec of a file, a shipped study's name, a mapping or a spec; `overrides` are key.path=value.

        elsewhere: it is to run on other machines, whose data sets are not looked for here. stored: of a sweep that has
        begun, maybe when less was refused.
        Raises SpecError: a line a mistake, each with the key path, the value got and what is allowed.
        """
        if isinstance(source, cls) and not overrides:
            return source
        if isinstance(source, SweepSpec):
            mapping: dict[str, Any] = source.to_dict()
        elif isinstance(source, Mapping):
            mapping = dict(source)
        else:
            mapping = read_mapping(str(source))
        mapping, paths = apply_overrides(mapping, overrides, may_be_null=("trial_timeout",))
        lines = [] if isinstance(source, Mapping | SweepSpec) else _rules_without_a_word(mapping.get("stop_rules"))
        try:
            checked = cls.model_validate(mapping, context={"elsewhere": elsewhere, "stored": stored})
            if not lines:
                return checked
        except ValidationError as error:
            lines += mark_overridden(error_lines(error, cls), paths)
        if len(lines) > MAX_LINES:
            lines = [*lines[:MAX_LINES], f"and {len(lines) - MAX_LINES} more mistakes"]
        raise SpecError("\n".join(lines))

    @property
    def search_space(self) -> SearchSpace:
        """`space`, with the batch size and optimiser of the top level as fixed values."""
        space = SearchSpace.parse(self.space)
        given = {name: getattr(self, name) for name in TOP_LEVEL if name not in space.domains}
        fixed = {
            name: Fixed(HYPERPARAMETERS[name].check(HYPERPARAMETERS[name].default if value is None else value))
            for name, value in given.items()
        }
        return SearchSpace({**space.domains, **fixed})

    def every_configuration(self) -> list[dict[str, Value]]:
        """What a sweep that tries all is to try: the listed configurations, or the full factorial of the space.

        Raises SpecError if the space has no full factorial.
        """
        if self.configurations is None:
            return self.search_space.grid()
        return resolve_listed(self.configurations, self.search_space)

    def to_dict(self) -> dict[str, Any]:
        """The spec in full as plain JSON types; load(to_dict()) gives an equal spec."""
        return self.model_dump(mode="json")

    @model_validator(mode="before")
    @classmethod
    def _fill_what_depends_on_the_mode(cls, data: Any) -> Any:
        return with_defaults(data) if isinstance(data, Mapping) else data

    @field_validator("dataset")
    @classmethod
    def _dataset_exists(cls, value: str, info: ValidationInfo) -> str:
        try:
            if info.context is not None and info.context["elsewhere"]:
                parse_dataset(value)
            else:
                check_dataset(value)
        except DataError as error:
            reason = str(error).removeprefix(f"dataset {value!r}: ")
            allowed = "" if "allowed" in reason else f"; allowed: {ALLOWED}"
            raise SpecError(f"dataset: got {shown(value)}; {reason}{allowed}") from None
        return absolute_name(value)

    @field_validator("model_args")
    @classmethod
    def _model_args_fit_the_model(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if "model" not in info.data:
            return value  # the model itself is wrong, which has its own line
        try:
            return dict(check_model_args(info.data["model"], value))
        except ValueError as error:
            raise SpecError(str(error)) from None

    @field_validator("configurations", mode="before")
    @classmethod
    def _plain_numbers(cls, value: Any) -> Any:
        """numpy's become Python's, as in space; what is wrong stays, and is found later."""
        if not isinstance(value, list):
            return value
        return [
            {name: _plain(each) for name, each in one.items()} if isinstance(one, Mapping) else one for one in value
        ]

    @field_validator("space", mode="before")
    @classmethod
    def _space_is_usable(cls, value: Any) -> Any:
        SearchSpace.parse(value)
        # Tuples become lists and numpy's numbers plain ones, so that to_dict() and load() meet.
        return json.loads(json.dumps(dict(value), default=float))

    @model_validator(mode="after")
    def _parts_fit_together(self, info: ValidationInfo) -> Self:
        stored = info.context is not None and info.context["stored"]
        if lines := disagreements(self, stored=stored):
            raise SpecError("\n".join(lines))
        return self


def _rules_without_a_word(stop_rules: Any) -> list[str]:
    """A line for each rule that a file names and leaves empty. One that names all rules is a spec in full, as `to_dict`
    gives it, where null is a rule that is off.
    """
    if not isinstance(stop_rules, Mapping) or stop_rules.keys() == StopRuleSettings.model_fields.keys():
        return []
    return [
        f"stop_rules.{name}: got null; allowed: {{}} for its defaults, or a mapping of its settings; leave it out for "
        "no such rule"
        for name, value in stop_rules.items()
        if value is None
    ]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, Real) and hasattr(value, "item") else value


def spec_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a study file, for editors. It holds what can be said of one key at a time."""
    schema = SweepSpec.model_json_schema()
    properties = schema["properties"]
    settings = properties["scheduler"]["$ref"]
    # It follows from other keys.
    del schema["$defs"][settings.rpartition("/")[2]]["properties"]["grace_period"]["default"]
    properties["scheduler"] = {
        "description": properties["scheduler"]["description"],
        "oneOf": [{"enum": ["none", "asha"]}, {"$ref": settings}],
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
