"""sweep logs: what the driver of a submitted sweep prints."""

from typing import Annotated

import typer

from sweep.cli.jobs import job_of
from sweep.cli.options import JobAddress
from sweep.cli.terminal import pass_on


def logs(
    sweep: Annotated[
        str, typer.Argument(metavar="SWEEP", help="The name of its folder, or of its spec (then the newest).")
    ],
    address: JobAddress,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Until the job ends; Ctrl-C leaves it running.")
    ] = False,
) -> None:
    """Print the log of a sweep's last job on a cluster. With --follow, exit 1 if the job does not succeed."""
    server, job = job_of(sweep, address)
    if not follow:
        pass_on(server.log(job))
        return
    ended = server.follow(job, pass_on)
    if ended.state in ("FAILED", "STOPPED"):
        raise typer.Exit(1)
