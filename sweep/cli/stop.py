"""sweep stop: end a sweep, wherever it is driven, so that it can be resumed."""

import time
from typing import Annotated

import typer

from sweep.cli.jobs import job_of
from sweep.cli.options import DEFAULT_STORAGE, Json, OptionalJobAddress, Storage, SweepName
from sweep.cli.terminal import STDERR, print_json, say
from sweep.store.errors import NotASweepError
from sweep.store.find import find_sweep
from sweep.store.folder import Folder, open_folder
from sweep.store.lease import holder
from sweep.store.manifest import read_manifest
from sweep.store.stop_request import request_stop

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
        folder = find_sweep(open_folder(storage), sweep)
    except NotASweepError:
        if address is None:
            raise
        _stop_job(sweep, address)
        _tell(sweep, "INTERRUPTED", json)
        return
    if holder(folder) is not None:
        # Its driver's number: a sweep that is resumed in the meantime goes on.
        request_stop(folder, read_manifest(folder).get("generation", 0), now=now)
        say("asked its driver to stop" + ("" if now else " after the epochs that run; Ctrl-C stops waiting only"))
        _wait(folder, address, now)
    elif address is not None:
        _stop_job(folder.name, address)
    _tell(folder.name, read_manifest(folder)["state"], json)


def _wait(folder: Folder, address: str | None, now: bool) -> None:
    deadline = time.monotonic() + NOW_WITHIN_S
    with STDERR.status("waiting until it has stopped"):
        while holder(folder) is not None:
            if now and address is not None and time.monotonic() > deadline:
                _stop_job(folder.name, address)
                deadline = float("inf")
            time.sleep(0.5)


def _stop_job(sweep: str, address: str) -> None:
    server, job = job_of(sweep, address)
    if not job.is_alive:
        return
    server.stop(job)
    with STDERR.status("waiting until its job has ended"):
        while server.job(job.submission_id).is_alive:
            time.sleep(0.5)


def _tell(name: str, state: str, json: bool) -> None:
    state = "COMPLETED" if state == "COMPLETED" else "INTERRUPTED"
    if json:
        print_json({"sweep_id": name, "state": state})
    else:
        print(f"{name}: {state}, not running")
