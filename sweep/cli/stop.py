"""sweep stop: end a sweep, wherever it is driven, so that it can be resumed."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli.jobs import job_of
from sweep.cli.options import DEFAULT_STORAGE, Json, OptionalJobAddress, Storage, SweepName
from sweep.cli.terminal import STDERR, print_json, say, shown
from sweep.store.errors import NotASweepError
from sweep.store.find import find_sweep
from sweep.store.folder import Folder, open_folder
from sweep.store.lease import Holder, holder
from sweep.store.manifest import read_manifest
from sweep.store.stop_request import request_stop

if TYPE_CHECKING:
    from cluster.job_server import Job

# How long a driver gets that was asked to stop at once, before its job is ended by signals.
NOW_WITHIN_S = 20


def stop(
    sweep: SweepName,
    storage: Storage = DEFAULT_STORAGE,
    address: OptionalJobAddress = None,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for the epochs that run.")] = False,
    json: Json = False,
) -> None:
    """Stop a sweep: running epochs finish, everything is stored, `sweep resume` goes on. Waits until it has stopped.

    Works from any machine that shares the storage. --address also ends a job that has not begun, or, from a machine
    without the storage, one that runs, without waiting for its epochs.
    """
    try:
        folder = find_sweep(open_folder(storage), sweep, running=True)
    except NotASweepError:
        if address is None:
            raise
        job = _stop_job(sweep, address)
        _tell(job.sweep, None, "COMPLETED" if job.state == "SUCCEEDED" else "INTERRUPTED", json)
        return
    driver = holder(folder)
    if driver is not None:
        say("asked its driver to stop" + ("" if now else " after the epochs that run; Ctrl-C stops waiting only"))
        _wait(folder, driver, address, now)
    elif address is not None:
        _stop_job(folder.name, address)
    elif read_manifest(folder)["state"] != "COMPLETED":
        say("no driver shows a sign of life; --address ends the job of one that still starts, or waits for nodes")
    ended = "COMPLETED" if read_manifest(folder)["state"] == "COMPLETED" else "INTERRUPTED"
    _tell(folder.name, folder, ended if holder(folder) is None else "RUNNING", json)


def _wait(folder: Folder, driver: Holder, address: str | None, now: bool) -> None:
    deadline = time.monotonic() + NOW_WITHIN_S
    asked: int | None = None
    with STDERR.status("waiting until it has stopped"):
        # A sweep that another driver has resumed in the meantime goes on.
        while (seen := holder(folder)) is not None and seen.token == driver.token:
            # One that has just begun takes its number some time after its first sign of life.
            number = read_manifest(folder).get("generation", 0)
            if number != asked:
                request_stop(folder, number, now=now)
                asked = number
            if now and address is not None and time.monotonic() > deadline:
                _stop_job(folder.name, address)
                deadline = float("inf")
            time.sleep(0.5)


def _stop_job(sweep: str, address: str) -> "Job":
    """Returns it as it has ended."""
    server, job = job_of(sweep, address)
    if not job.is_alive:
        return job
    server.stop(job)
    with STDERR.status("waiting until its job has ended"):
        while (job := server.job(job.submission_id)).is_alive:
            time.sleep(0.5)
    return job


def _tell(name: str, folder: Folder | None, state: str, json: bool) -> None:
    if json:
        print_json({"sweep_id": name, "state": state})
    else:
        print(f"{name}: {state}, {'by a later driver' if state == 'RUNNING' else 'not running'}")
        if folder is not None and state == "INTERRUPTED":
            print(f"go on: sweep resume {shown(str(folder))}")
