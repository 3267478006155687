"""What the commands do with a cluster's job server: hand it a command of ours, find the job of a sweep."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.environment import owner
from cluster.errors import ClusterError, PreflightError
from sweep.cli.terminal import STDERR, say

if TYPE_CHECKING:
    from cluster.job_server import Job, JobServer

# What the driver says once nothing is left that could be refused.
PASSED = "trials at once"
NOTHING_LEFT = "is complete; nothing is left to train"
WAIT_S = 120


def is_job_server(address: str) -> bool:
    """Whether --address is a dashboard's, whose job server runs the driver, and not a Ray to connect to."""
    return address.startswith(("http://", "https://"))


def submit_command(
    server: "JobServer",
    sweep: str,
    arguments: Sequence[str],
    *,
    storage: str,
    files: Mapping[str, str] | None = None,
) -> "tuple[Job, bool]":
    """Let the cluster drive a sweep by `sweep ARGUMENTS`, and wait until it has passed its checks.

    Returns the job, and whether it is new: one that drives the sweep already stays the only one.
    Raises PreflightError with what the driver refused, if it did so within WAIT_S.
    """
    before = {job.submission_id for job in server.jobs(sweep)}
    job = start_command(server, sweep, arguments, storage=storage, files=files)
    if job.submission_id in before:
        return job, False
    with STDERR.status("the cluster is checking its nodes"):
        return _checked(server, job), True


def start_command(
    server: "JobServer",
    subject: str,
    arguments: Sequence[str],
    *,
    storage: str,
    files: Mapping[str, str] | None = None,
) -> "Job":
    """Let the cluster run `sweep ARGUMENTS`. files: contents by name, in the directory that it runs in."""
    from cluster.shipped_code import ship_code

    with tempfile.TemporaryDirectory(prefix="gapsweep-") as folder:
        ship_code(Path(folder))
        for name, content in (files or {}).items():
            (Path(folder) / name).write_text(content, encoding="utf-8")
        return server.submit(
            subject,
            ["python", "-m", "sweep", *arguments],
            storage=storage,
            files=Path(folder),
            owner=owner(),
            environment={"GAPSWEEP_OWNER": owner()},
        )


def job_of(sweep: str, address: str) -> "tuple[JobServer, Job]":
    """The server, and the last job of a sweep, named in full or by its spec's name. Raises ClusterError."""
    from cluster.job_server import JobServer

    server = JobServer(address)
    job = last_job(server.jobs(), sweep)
    if job is None:
        raise ClusterError(f"--address {address}: no job of a sweep {sweep!r} there")
    return server, job


def last_job(jobs: "Sequence[Job]", sweep: str) -> "Job | None":
    """Of a sweep, named in full or by its spec's name; the latest of `jobs`, the oldest of which come first."""
    named = [job for job in jobs if job.sweep == sweep]
    if not named:
        searches = [job for job in jobs if not job.sweep.endswith("-final")]  # a final choice is named in full only
        named = [job for job in searches if job.sweep.rpartition("-")[0] == sweep]
    return named[-1] if named else None


def plain(values: Mapping[str, Sequence[str]]) -> list[str]:
    """Options as they are typed: {"--set": ["a=1", "b=2"]}."""
    return [part for option, given in values.items() for value in given for part in (option, value)]


def _checked(server: "JobServer", job: "Job") -> "Job":
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        job = server.job(job.submission_id)
        log = server.log(job)  # read after the state, so that the log of an ended job is whole
        done = NOTHING_LEFT in log and not job.is_alive  # though with exit code 3, of trials that failed before
        if PASSED in log or done or job.state == "SUCCEEDED":
            return job
        if not job.is_alive:
            refused = [line for line in log.splitlines() if line.startswith("error: ")]
            if refused:
                raise PreflightError("\n".join(line.removeprefix("error: ") for line in refused))
            raise ClusterError(
                f"job {job.submission_id} {job.state.lower()} before its first trial: {job.message}\n"
                + "\n".join(log.splitlines()[-10:])
            )
        time.sleep(0.5)
    say(
        f"job {job.submission_id} is {job.state.lower()} and has not begun yet; "
        f"`sweep logs {job.sweep} -f --address {server.address}` shows why"
    )
    return job


def shown_job(job: "Job") -> dict[str, Any]:
    """A job as plain values, for --json."""
    return {"job": job.submission_id, "job_state": job.state, "owner": job.owner}
