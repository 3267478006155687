"""A trial's state on disk: written whole or not at all, read without unpickling code."""

from pathlib import Path
from typing import Any

import torch

from sweep.store.layout import write_atomically
from sweep.training.trial import Trial

FORMAT = 2


class CheckpointError(RuntimeError):
    """A checkpoint exists but cannot be continued from."""


def save_checkpoint(trial: Trial, path: Path) -> None:
    """Write the trial's state and history. Raises OSError (disk full, read-only)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"format": FORMAT, "configuration": trial.configuration, **trial.state_dict()}
    write_atomically(path, lambda file: torch.save(content, file))


def load_checkpoint(trial: Trial, path: Path) -> bool:
    """Continue `trial` from `path`; False if there is no such file.

    Raises CheckpointError if the file is damaged or belongs to another configuration.
    """
    if not path.exists():
        return False
    try:
        content: dict[str, Any] = torch.load(path, map_location=trial.device, weights_only=True)
    except Exception as error:  # torch.load raises many unrelated types for a damaged file
        raise CheckpointError(f"{path}: damaged ({error}); remove it to train this trial from its start") from error
    if content.get("format") != FORMAT or content.get("configuration") != trial.configuration:
        raise CheckpointError(f"{path}: of another format or configuration; remove it to train from the start")
    trial.load_state_dict(content)
    return True
