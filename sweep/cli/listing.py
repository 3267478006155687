"""sweep list: the sweeps on one storage."""

from typing import Any

from rich.console import Console
from rich.table import Table

from sweep.cli.options import DEFAULT_STORAGE, Json, Storage
from sweep.cli.terminal import print_json, say
from sweep.store.errors import NotASweepError, StoreError
from sweep.store.folder import Folder, open_folder
from sweep.store.reader import read_sweep


def list_sweeps(storage: Storage = DEFAULT_STORAGE, json: Json = False) -> None:
    """List the sweeps on a storage, the newest first, with their state and best result."""
    sweeps = []
    place = open_folder(storage)
    for name in place.folders():
        try:
            sweeps.append(_summary(place / name))
        except NotASweepError:
            continue
        except StoreError as error:
            say(f"warning: {error}")
    sweeps.sort(key=lambda sweep: sweep["created"], reverse=True)
    if json:
        print_json(sweeps)
        return
    if not sweeps:
        print(f"no sweeps in {storage}")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("sweep", "state", "model", "dataset", "trials", "epochs", "best", "created"):
        table.add_column(name, no_wrap=name != "dataset", overflow="fold")
    for sweep in sweeps:
        best = "" if sweep["best_val_acc"] is None else f"{sweep['best_val_acc']:.4f}"
        cells = (sweep[name] for name in ("sweep_id", "state", "model", "dataset", "trials", "epochs"))
        table.add_row(*map(str, cells), best, sweep["created"][:16].replace("T", " "))
    Console(highlight=False, markup=False).print(table)


def _summary(sweep: Folder) -> dict[str, Any]:
    tables = read_sweep(sweep)
    scores = [score for score in tables.trials["best_val_acc"].to_pylist() if score is not None]
    return {
        "sweep_id": tables.manifest["sweep_id"],
        "path": str(sweep),
        "state": tables.manifest["state"],
        "model": tables.manifest["spec"]["model"],
        "dataset": tables.manifest["spec"]["dataset"],
        "trials": len(tables.trials),
        "epochs": len(tables.epochs),
        "best_val_acc": max(scores, default=None),
        "created": tables.manifest["created"],
    }
