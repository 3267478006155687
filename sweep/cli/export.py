"""sweep export: the two tables for programs other than pandas, or the figures as images."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli.options import SweepDir
from sweep.cli.terminal import say
from sweep.store.folder import open_folder

if TYPE_CHECKING:
    import numpy as np


class Format(StrEnum):
    """What `sweep export` writes."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


TABLES = {Format.CSV, Format.JSON, Format.PARQUET}


def export(
    sweep_dir: SweepDir,
    format_: Annotated[
        Format,
        typer.Option("--format", help="json: an object a line; svg, png, pdf: the figures."),
    ] = Format.CSV,
    out: Annotated[
        Path | None, typer.Option(help="Folder; default: the sweep's own, or NAME here (figures: figures/ in it).")
    ] = None,
) -> None:
    """Write epochs and trials as CSV, JSON lines or Parquet, or the figures as images; works while the sweep runs."""
    import analysis

    results = analysis.load(sweep_dir)
    sweep = open_folder(sweep_dir)
    folder = out or sweep.path or Path(sweep.name)
    if format_ not in TABLES:
        try:
            written = analysis.save_figures(results, out or folder / "figures", format_.value)
        except RuntimeError as error:
            say(f"error: {error}")
            raise typer.Exit(1) from None
        print(*written, sep="\n")
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (("epochs", results.epochs), ("trials", results.trials)):
        # The sweep's own Parquet files are the store's; an export beside them must not replace them.
        path = folder / (f"{name}-export.parquet" if format_ is Format.PARQUET else f"{name}.{format_.value}")
        if format_ is Format.CSV:
            if "variance_shift" in table:  # a list in each cell, which would come out as NumPy prints it
                table = table.assign(variance_shift=table["variance_shift"].map(_as_json, na_action="ignore"))
            table.to_csv(path, index=False)
        elif format_ is Format.JSON:
            table.to_json(path, orient="records", lines=True, date_format="iso", date_unit="us", double_precision=15)
        else:
            table.to_parquet(path, index=False)
        print(path)


def _as_json(values: "np.ndarray") -> str:
    return json.dumps(values.tolist())
