"""sweep export: the two tables for programs other than pandas."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.options import SweepDir
from sweep.store.folder import open_folder


class Format(StrEnum):
    """What `sweep export` writes."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def export(
    sweep_dir: SweepDir,
    format_: Annotated[Format, typer.Option("--format", help="json is one object a line.")] = Format.CSV,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; default: the sweep's own, or here.")] = None,
) -> None:
    """Write epochs and trials as CSV, JSON lines or Parquet; works while the sweep runs."""
    from analysis import load

    results = load(sweep_dir)
    folder = out or open_folder(sweep_dir).path or Path()
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (("epochs", results.epochs), ("trials", results.trials)):
        # The sweep's own Parquet files are the store's; an export beside them must not replace them.
        path = folder / (f"{name}-export.parquet" if format_ is Format.PARQUET else f"{name}.{format_.value}")
        if format_ is Format.CSV:
            table.to_csv(path, index=False)
        elif format_ is Format.JSON:
            table.to_json(path, orient="records", lines=True, date_format="iso")
        else:
            table.to_parquet(path, index=False)
        print(path)
