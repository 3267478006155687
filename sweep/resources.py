"""What one trial occupies."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from search_spaces.errors import SpecError

SMALLEST_SHARE = 0.0001


class ResourceSettings(BaseModel):
    """What one trial occupies, and how many run at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    cpus_per_trial: float = Field(
        default=1.0, ge=0.01, le=10_000, description="a number from 0.01 to 10000 (CPU cores)"
    )
    gpus_per_trial: float = Field(
        default=0.0,
        ge=0,
        le=1000,  # what earlier versions took; above 1 only in a sweep that has begun
        description="a number from 0 to 1 (trials may share a GPU; none takes more than one)",
    )
    max_concurrent: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="an integer from 1 to 100000 (trials at once), or null for as many as fit",
    )

    @field_validator("gpus_per_trial")
    @classmethod
    def _a_part_that_ray_gives_out(cls, value: float) -> float:
        if 0 < value < SMALLEST_SHARE:
            raise SpecError(
                f"resources.gpus_per_trial: got {value!r}; allowed: 0, or from {SMALLEST_SHARE}, the smallest part "
                "that Ray gives out"
            )
        return value
