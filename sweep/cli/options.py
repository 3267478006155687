"""Options that several commands share."""

from typing import Annotated

import typer

Spec = Annotated[str, typer.Argument(metavar="SPEC", help="A YAML file, or the name of a shipped study.")]
SweepDir = Annotated[str, typer.Argument(metavar="DIR", help="A sweep's folder or URI, as `sweep run` printed it.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as space.lr=0.01.")
]
SetWithoutBearing = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Of resources, budget, max_retries, trial_timeout only."),
]
Storage = Annotated[
    str, typer.Option(help="What holds the sweeps' folders: a folder, or a URI such as s3://bucket/results.")
]
Address = Annotated[
    str | None,
    typer.Option(help="A Ray cluster, HOST:PORT or auto; without it, a Ray of this machine alone."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON value on stdout; everything else on stderr.")]
DriverAddress = Annotated[
    str | None,
    typer.Option(
        "--address",
        help="A Ray cluster, HOST:PORT or auto; or http://HEAD:8265, and its head node does this alone; without it, "
        "this machine alone.",
    ),
]
JobAddress = Annotated[
    str, typer.Option("--address", metavar="URL", help="The cluster's dashboard, such as http://HEAD:8265.")
]
OptionalJobAddress = Annotated[
    str | None, typer.Option("--address", metavar="URL", help="The cluster's dashboard, to know of its jobs, too.")
]
SweepName = Annotated[
    str, typer.Argument(metavar="SWEEP", help="The name of its folder, or of its spec (then the newest), or a path.")
]
DEFAULT_STORAGE = "results"
