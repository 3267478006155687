"""A trial's state on disk: written whole or not at all, read without unpickling code."""

import io
from typing import Any

import torch

from sweep.store.folder import Folder
from sweep.training.trial import Trial

FORMAT = 2


class CheckpointError(RuntimeError):
    """A checkpoint exists but cannot be continued from."""


def save_checkpoint(trial: Trial, folder: Folder, name: str) -> None:
    """Write the trial's state and history. Raises OSError (disk full, read-only)."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "configuration": trial.configuration, **trial.state_dict()}, buffer)
    folder.write(name, buffer.getvalue())


def load_checkpoint(trial: Trial, folder: Folder, name: str) -> bool:
    """Continue `trial` from its file; False if there is none.

    Raises CheckpointError if the file is damaged or belongs to another configuration.
    """
    path = folder.file(name)
    try:
        data = folder.read(name)
    except FileNotFoundError:
        return False
    try:
        content: dict[str, Any] = torch.load(io.BytesIO(data), map_location=trial.device, weights_only=True)
    except Exception as error:  # torch.load raises many unrelated types for a damaged file
        raise CheckpointError(f"{path}: damaged ({error}); remove it to train this trial from its start") from error
    if content.get("format") != FORMAT or content.get("configuration") != trial.configuration:
        raise CheckpointError(f"{path}: of another format or configuration; remove it to train from the start")
    trial.load_state_dict(content)
    return True
