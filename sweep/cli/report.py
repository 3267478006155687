"""sweep report: what a sweep showed, as one file of HTML or Markdown."""

from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.options import SweepDir
from sweep.cli.terminal import say
from sweep.store.folder import open_folder

Out = Annotated[
    Path | None,
    typer.Option(help="A .html or .md file; default: report.html in the sweep's folder, or NAME-report.html here."),
]


def report(sweep_dir: SweepDir, out: Out = None) -> None:
    """Write a self-contained HTML report, or its text as Markdown; works while the sweep runs."""
    import analysis
    from analysis.page.report import UnknownFormatError

    sweep = open_folder(sweep_dir)
    try:
        beside = sweep.path / "report.html" if sweep.path else Path(f"{sweep.name}-report.html")
        print(analysis.report(analysis.load(sweep_dir), out or beside))
    except UnknownFormatError as error:
        say(f"error: {error}")
        raise typer.Exit(2) from None
