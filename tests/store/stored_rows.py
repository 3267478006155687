"""Rows to store, and what is stored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweep.store import read_sweep
from sweep.store.folder import Folder, LocalFolder
from sweep.store.manifest import write_manifest
from sweep.store.writer import StoreWriter

EPOCHS = 7


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


def new_sweep(folder: Path) -> LocalFolder:
    """A sweep that has not begun to write."""
    sweep = LocalFolder(folder)
    write_manifest(sweep, {"sweep_id": "s"})
    return sweep


def drive(sweep: Folder, tell: Callable[[int], object] = lambda epoch: None) -> None:
    """What a driver does with one trial: epochs it finds are known, the others are flushed one by one and told, then
    all is compacted."""
    writer = StoreWriter(sweep)
    try:
        for epoch in range(1, EPOCHS + 1):
            writer.put_trial(trial_row("a", f"epoch {epoch}"))
            if writer.add_epoch(epoch_row("a", epoch)):
                writer.flush()
                tell(epoch)
        writer.compact()
    finally:
        writer.close()
