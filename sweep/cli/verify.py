"""sweep verify: every file of a sweep, read with its checksums."""

from contextlib import closing
from typing import Annotated

import typer

from sweep.cli.options import Json, SweepDir
from sweep.cli.terminal import print_json, shown


def verify(
    sweep_dir: SweepDir,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Move damaged files away, so that the rest reads and resumes.")
    ] = False,
    compact: Annotated[
        bool, typer.Option("--compact", help="Then write epochs.parquet and trials.parquet from what is stored.")
    ] = False,
    json: Json = False,
) -> None:
    """List all damage in a sweep's folder. Exit code 1 if there is any and it stays."""
    from sweep.store import read_sweep, verify
    from sweep.store.errors import DamagedFileError
    from sweep.store.folder import open_folder
    from sweep.store.writer import StoreWriter

    sweep = open_folder(sweep_dir)
    damages = verify.quarantine(sweep) if quarantine else verify.verify(sweep)
    if compact:
        try:
            with closing(StoreWriter(sweep)) as writer:
                writer.compact()
        except DamagedFileError:
            if quarantine or not damages:  # else it is on the list
                raise
        damages = damages if quarantine else verify.verify(sweep)
    sound = quarantine or not damages
    rows = read_sweep(sweep) if sound else None
    if json:
        counts = {"epochs": len(rows.epochs), "trials": len(rows.trials)} if rows else None
        print_json({"damages": [str(damage) for damage in damages], "quarantined": quarantine, "rows": counts})
    else:
        for damage in damages:
            print(damage)
        if damages and quarantine:
            print(f"moved to {sweep.file('quarantine')}; `sweep resume {shown(sweep_dir)}` trains again what is lost")
        elif damages:
            print(f"{len(damages)} damaged; `sweep verify {shown(sweep_dir)} --quarantine` goes on without them")
        if rows is not None:
            print(f"sound: {len(rows.epochs)} epochs of {len(rows.trials)} trials")
    raise typer.Exit(0 if sound else 1)
