"""Where a sweep keeps what."""

import re

MANIFEST = "sweep.json"
PUBLISHED = {"epochs": "epochs.parquet", "trials": "trials.parquet"}
LOG = "log"
CHECKPOINTS = "checkpoints"
QUARANTINE = "quarantine"
WARM_START = "warm-start.json"  # the outcomes that the search began with
_PART = re.compile(rf"(?:{'|'.join(PUBLISHED)})-g(\d+)-.*\.parquet")
STUDY_JOURNAL = "optuna.journal"  # the search's study, for optuna-dashboard; nothing of ours reads it


def checkpoint_name(trial_id: str) -> str:
    """The file in which a trial keeps its state while it is unfinished."""
    return f"{trial_id}.pt"


def part_name(table: str, generation: int, number: int) -> str:
    """Name of a part, used once: `number` counts the parts of a driver's generation."""
    return f"{table}-g{generation:04d}-{number:08d}.parquet"


def generation_of_part(name: str) -> int | None:
    """The generation of the driver that wrote a file of the log; None for one that holds no rows."""
    found = _PART.fullmatch(name)
    return int(found[1]) if found else None


def is_part(name: str) -> bool:
    """Whether a file of the log holds rows."""
    return generation_of_part(name) is not None
