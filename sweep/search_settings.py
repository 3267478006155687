"""How configurations are chosen."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SearchSettings(BaseModel):
    """How configurations are chosen from the space."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    algorithm: Literal["grid", "random", "qmc", "tpe", "gp", "multi-objective", "nsga2"] = Field(
        default="qmc",
        description="one of grid (all configurations), random, qmc (evenly spread), tpe, gp (both learn from results), "
        "multi-objective (TPE: accuracy up, gap down), nsga2 (the same by evolution); default qmc, and grid in mode "
        "study and for configurations",
    )
    trials: int | None = Field(
        default=20,
        ge=1,
        le=1_000_000,
        description="an integer from 1 to 1000000 (configurations to try), or null for all of a grid; default 20, and "
        "null for grid",
    )
    seed: int = Field(
        default=0, ge=0, le=2**32 - 1, description="an integer from 0 to 4294967295 (all randomness follows it)"
    )
