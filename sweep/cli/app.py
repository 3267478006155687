"""The commands, and what their exit codes mean.

0 done; 1 every trial failed, or files could not be read or written, or are damaged (verify); 2 bad usage or spec, or
refused; 3 done or given up, some trials failed; 4 a budget is used up (resumable); 130 interrupted (resumable).
"""

import sys

import typer

from cluster.errors import ClusterError
from search_spaces.errors import SpecError
from sweep.cli import (
    compare,
    doctor,
    export,
    finalize,
    listing,
    logs,
    plan,
    report,
    run,
    simulate,
    status,
    stop,
    submit,
    validate,
    verify,
)
from sweep.cli.terminal import say
from sweep.data.errors import DataError
from sweep.store.errors import StoreError

app = typer.Typer(
    name="sweep",
    help="Run hyper-parameter sweeps on Ray Tune and measure the overfitting gap.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("validate")(validate.validate)
app.command("plan")(plan.plan)
app.command("simulate")(simulate.simulate)
app.command("run")(run.run)
app.command("resume")(run.resume)
app.command("retry")(run.retry)
app.command("finalize")(finalize.finalize)
app.command("submit")(submit.submit)
app.command("status")(status.status)
app.command("logs")(logs.logs)
app.command("stop")(stop.stop)
app.command("doctor")(doctor.doctor)
app.command("verify")(verify.verify)
app.command("list")(listing.list_sweeps)
app.command("export")(export.export)
app.command("report")(report.report)
app.command("compare")(compare.compare)


def main() -> None:
    """Entry point of the `sweep` command."""
    try:
        app()
    except (SpecError, DataError, ClusterError, StoreError) as error:
        for line in str(error).splitlines():
            say(f"error: {line}")
        sys.exit(2)
    except OSError as error:
        say(f"error: {error}")
        sys.exit(1)
