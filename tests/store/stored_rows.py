"""Rows to store, and what is stored."""

from typing import Any

from sweep.store import read_sweep
from sweep.store.folder import Folder
from sweep.store.writer import StoreWriter


def epoch_row(trial: str, epoch: int, val_loss: float = 1.0) -> dict[str, Any]:
    return {"sweep_id": "s", "trial_id": trial, "epoch": epoch, "val_loss": val_loss}


def trial_row(trial: str, status: str) -> dict[str, Any]:
    return {"sweep_id": "s", "trial_id": trial, "status": status}


def keys(sweep: Folder) -> list[tuple[str, int]]:
    """(trial_id, epoch) of every stored epoch."""
    epochs = read_sweep(sweep).epochs
    return list(zip(epochs["trial_id"].to_pylist(), epochs["epoch"].to_pylist(), strict=True))


def parts(sweep: Folder, table: str) -> list[str]:
    """The names of a table's part files, whether they count or not."""
    return [name for name in (sweep / "log").files() if name.startswith(f"{table}-")]


def write_epochs(sweep: Folder, first: int, last: int) -> None:
    """One flush an epoch of trial `a`, each with its trials row."""
    writer = StoreWriter(sweep)
    for epoch in range(first, last + 1):
        writer.add_epoch(epoch_row("a", epoch, val_loss=float(epoch)))
        writer.put_trial(trial_row("a", f"epoch {epoch}"))
        writer.flush()
    writer.close()
