"""sweep report: what a sweep showed, as one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.options import SweepDir
from sweep.store.folder import open_folder


def report(
    sweep_dir: SweepDir,
    out: Annotated[Path | None, typer.Option(help="The HTML file; default: report.html in the sweep's folder.")] = None,
) -> None:
    """Write a self-contained HTML report; works while the sweep runs."""
    import analysis

    sweep = open_folder(sweep_dir)
    print(analysis.report(analysis.load(sweep_dir), out or (sweep.path or Path()) / "report.html"))
