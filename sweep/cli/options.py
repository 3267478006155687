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
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change resources.KEY, budget.KEY, max_retries or trial_timeout; nothing else can be changed.",
    ),
]
Storage = Annotated[str, typer.Option(help="The folder or URI that holds the sweeps, such as s3://bucket/results.")]
Address = Annotated[
    str | None,
    typer.Option(help="HOST:PORT of a Ray cluster, or auto; without it, a Ray of this machine alone."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON value on stdout; everything else on stderr.")]
DriverAddress = Annotated[
    str | None,
    typer.Option(
        "--address",
        help="HOST:PORT of a Ray cluster, or auto: its nodes train; http://HEAD:8265: its head node drives, too; "
        "without it, this machine alone.",
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
