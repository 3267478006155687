"""Options that several commands share."""

from typing import Annotated

import typer

Spec = Annotated[str, typer.Argument(metavar="SPEC", help="A YAML file, or the name of a shipped study.")]
SweepDir = Annotated[str, typer.Argument(metavar="DIR", help="A sweep's folder or URI, as `sweep run` printed it.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as space.lr=0.01.")
]
Storage = Annotated[
    str, typer.Option(help="What holds the sweeps' folders: a folder, or a URI such as s3://bucket/results.")
]
Address = Annotated[str | None, typer.Option(help="A Ray cluster's address; without it, a Ray of this machine alone.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON value on stdout; everything else on stderr.")]
DEFAULT_STORAGE = "results"
