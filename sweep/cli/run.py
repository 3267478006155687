"""sweep run, sweep resume: train, with a live table."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.errors import ClusterError
from sweep.cli.jobs import is_job_server, plain, shown_job, submit_command
from sweep.cli.options import (
    DEFAULT_STORAGE,
    Address,
    DriverAddress,
    Json,
    Set,
    SetWithoutBearing,
    Spec,
    Storage,
    SweepDir,
)
from sweep.cli.terminal import STDERR, print_json, say, shown
from sweep.spec import SweepSpec
from sweep.store.folder import open_folder

if TYPE_CHECKING:
    from sweep.tuning.ledger import Ledger, Listener
    from sweep.tuning.result import SweepResult
    from sweep.tuning.watch import Watch


TakeOver = Annotated[
    bool, typer.Option("--take-over", help="Even if another driver seems to live: you know it is dead or paused.")
]


def run(
    spec: Spec,
    set_: Set = None,
    storage: Storage = DEFAULT_STORAGE,
    warm_start: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="An earlier sweep whose results a search that learns (tpe, …) begins with."),
    ] = None,
    id_: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="ID", help="Name it NAME-ID, and go on with it if it is there: the same command retries."
        ),
    ] = None,
    address: Address = None,
    json: Json = False,
) -> None:
    """Run a sweep in the foreground. Ctrl-C stops it so that `sweep resume` can go on."""
    if address is not None and is_job_server(address):
        raise typer.BadParameter(f"--address {address}: that is a job server's; hand it the sweep with `sweep submit`")
    checked = SweepSpec.load(spec, set_ or ())

    from sweep.tuning.launch import run as run_sweep

    result = watched(
        lambda watch: run_sweep(
            checked, storage=storage, warm_start=warm_start, sweep_id=id_, address=address, watch=watch
        )
    )
    told(result, json)


def resume(
    sweep_dir: SweepDir,
    extend: Annotated[
        list[str] | None,
        typer.Option(
            "--extend",
            metavar="KEY=N",
            help="trials=N configurations, or epochs=N, for which completed trials are trained from their start again.",
        ),
    ] = None,
    set_: SetWithoutBearing = None,
    take_over: TakeOver = False,
    address: DriverAddress = None,
    json: Json = False,
) -> None:
    """Go on with a sweep that was interrupted or killed, or, with --extend, is complete."""
    if address is not None and is_job_server(address):
        options = plain({"--extend": extend or [], "--set": set_ or []}) + ["--take-over"] * take_over
        submitted("resume", sweep_dir, options, address, json)
        return
    from sweep.tuning.launch import resume as resume_sweep

    result = watched(
        lambda watch: resume_sweep(
            sweep_dir, extend=extend or (), overrides=set_ or (), take_over=take_over, address=address, watch=watch
        )
    )
    told(result, json)


def retry(
    sweep_dir: SweepDir,
    failed: Annotated[bool, typer.Option("--failed", help="Which trials: those that failed. Required.")] = False,
    set_: SetWithoutBearing = None,
    take_over: TakeOver = False,
    address: DriverAddress = None,
    json: Json = False,
) -> None:
    """Run failed trials again, once what made them fail is mended."""
    if not failed:
        raise typer.BadParameter("say which trials to try again: --failed")
    if address is not None and is_job_server(address):
        options = ["--failed", *plain({"--set": set_ or []}), *["--take-over"] * take_over]
        submitted("retry", sweep_dir, options, address, json)
        return
    from sweep.tuning.launch import resume as resume_sweep

    result = watched(
        lambda watch: resume_sweep(
            sweep_dir, overrides=set_ or (), retry_failed=True, take_over=take_over, address=address, watch=watch
        )
    )
    told(result, json)


def submitted(command: str, sweep_dir: str, options: list[str], address: str, json: bool) -> None:
    """Let a cluster drive a stored sweep, or its final choice, which is a job of its own."""
    from cluster.job_server import JobServer

    sweep = open_folder(sweep_dir)
    subject = f"{sweep.name}-final" if command == "finalize" else sweep.name
    arguments = [command, str(sweep), *options, "--address", "auto"]
    job, is_new = submit_command(JobServer(address), subject, arguments, storage=str(sweep.parent))
    if not is_new and options:
        raise ClusterError(
            f"{subject}: job {job.submission_id} drives it already, and knows nothing of {shlex.join(options)}; first "
            f"`sweep stop {shown(str(sweep))}`"
        )
    if json:
        print_json({"sweep_id": sweep.name, "path": str(sweep), "new": is_new, **shown_job(job)})
    else:
        print(f"{'submitted' if is_new else 'already there'}: {subject}, job {job.submission_id} ({job.state})")
        follow = f"logs {subject} -f" if command == "finalize" else f"status {shown(str(sweep))}"
        print(f"next:  sweep {follow} --address {address}")


def watched(drive: "Callable[[Watch], SweepResult]") -> "SweepResult":
    """Drive sweeps while showing them."""
    from sweep.progress.line_log import LineLog
    from sweep.progress.live_table import LiveTable
    from sweep.progress.tally import Tally
    from sweep.tuning.watch import Watch

    tables: list[LiveTable] = []

    def listener(spec: SweepSpec, ledger: "Ledger") -> "Listener":
        tally = Tally(spec, ledger)
        for earlier in tables:
            earlier.stop()
        if not STDERR.is_terminal or STDERR.is_dumb_terminal:  # on which nothing can be drawn anew
            return LineLog(tally, say)
        tables.append(LiveTable(tally, STDERR))
        return tables[-1]

    try:
        return drive(Watch(announce=say, listener=listener))
    finally:
        for table in tables:
            table.stop()


def told(result: "SweepResult", json: bool, next_step: str | None = None) -> None:
    """Print a result and what to do next, and exit with its code."""
    if json:
        print_json(
            {
                "path": str(result.path),
                "state": result.state,
                "statuses": dict(result.statuses),
                "best": result.best,
                "budget": result.budget,
            }
        )
    else:
        _print_result(result)
        print(next_step or _next_step(result))
    raise typer.Exit(result.exit_code)


def _print_result(result: "SweepResult") -> None:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(result.statuses.items())) or "no trial started"
    print(f"{result.state}: {counts}")
    if result.budget is not None:
        print(f"used up: {result.budget}")
    if result.best is not None:
        best = result.best
        print(
            f"best: trial {best['trial_id']}, val_acc {best['best_val_acc']:.4f} at epoch {best['best_epoch']}, "
            f"gap {best['gap_at_best']:+.4f}"
        )
        print(f"      {best['configuration']}")
    if result.first_error is not None:
        error = result.first_error.strip()
        print(f"first error: {error if result.only_failures else error.rpartition(chr(10))[2]}")
    print(f"files: {shown(result.path)}")


def _next_step(result: "SweepResult") -> str:
    path = shown(result.path)
    if result.only_failures or (result.state, result.exit_code) == ("INTERRUPTED", 3):
        return f"once the cause is mended: sweep retry {path} --failed"
    if result.state == "INTERRUPTED":
        more = f" --set {result.budget.partition(':')[0]}=MORE" if result.budget else ""
        return f"go on: sweep resume {path}{more}"
    return f"next:  sweep report {path}"
