"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Spec = Annotated[str, typer.Argument(metavar="SPEC", help="A YAML file, or the name of a shipped study.")]
SweepDir = Annotated[Path, typer.Argument(metavar="DIR", help="A sweep's folder, as `sweep run` printed it.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as space.lr=0.01.")
]
Storage = Annotated[Path, typer.Option(help="The folder that holds the sweeps' folders.")]
Address = Annotated[str | None, typer.Option(help="A Ray cluster's address; without it, a Ray of this machine alone.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON value on stdout; everything else on stderr.")]
DEFAULT_STORAGE = Path("results")
