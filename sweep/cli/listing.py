"""sweep list: the sweeps on one storage."""

from rich.table import Table

from search_spaces.errors import SpecError
from sweep.cli.options import DEFAULT_STORAGE, Json, Storage
from sweep.cli.terminal import print_json, print_table, say
from sweep.store.errors import NotASweepError, StoreError
from sweep.store.folder import open_folder


def list_sweeps(storage: Storage = DEFAULT_STORAGE, json: Json = False) -> None:
    """List the sweeps on a storage, the newest first: who started them, how far they are, their best result."""
    from sweep.progress.wording import duration
    from sweep.tuning.overview import overview

    sweeps = []
    place = open_folder(storage)
    for name in place.folders():
        try:
            sweeps.append(overview(place / name))
        except (NotASweepError, PermissionError):  # somebody else's folder is not ours to warn of
            continue
        except (StoreError, SpecError, OSError) as error:
            say(f"warning: {error}")
    sweeps.sort(key=lambda sweep: sweep["created"], reverse=True)
    if json:
        print_json(sweeps)
        return
    if not sweeps:
        print(f"no sweeps in {storage}")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("sweep", "owner", "state", "trials", "epochs", "left", "best", "created"):
        table.add_column(name, no_wrap=True)
    for sweep in sweeps:
        table.add_row(
            sweep["sweep_id"],
            sweep["owner"] or "",
            sweep["state"],
            f"{sweep['ended']}/{sweep['planned']}",
            str(sweep["epochs"]),
            "" if sweep["seconds_left"] is None else duration(sweep["seconds_left"]),
            "" if sweep["best_val_acc"] is None else f"{sweep['best_val_acc']:.4f}",
            sweep["created"][5:16].replace("T", " "),
        )
    print_table(table)
