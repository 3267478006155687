"""sweep status: one sweep at a glance, from its files, and its jobs if a cluster is named."""

from typing import Any

from sweep.cli.jobs import last_job, shown_job
from sweep.cli.options import DEFAULT_STORAGE, Json, OptionalJobAddress, Storage, SweepName
from sweep.cli.terminal import print_json, shown
from sweep.store.errors import NotASweepError
from sweep.store.find import find_sweep
from sweep.store.folder import open_folder


def status(
    sweep: SweepName, storage: Storage = DEFAULT_STORAGE, address: OptionalJobAddress = None, json: Json = False
) -> None:
    """Say how a sweep stands: state, owner, progress, time left, best accuracy, trials by node."""
    from sweep.tuning.overview import overview

    jobs = []
    if address is not None:
        from cluster.job_server import JobServer

        jobs = JobServer(address).jobs()
    try:
        seen: dict[str, Any] = overview(find_sweep(open_folder(storage), sweep))
    except NotASweepError:
        # Submitted, and not begun yet, or on a storage that this machine reaches by another name or not at all.
        last = last_job(jobs, sweep)
        if last is None:
            raise
        seen = {"sweep_id": last.sweep, "state": last.state, "path": None}
    jobs = [job for job in jobs if job.sweep == seen["sweep_id"]]
    if json:
        print_json({**seen, "jobs": [shown_job(job) for job in jobs]})
        return
    for label, text in _lines(seen, storage):
        print(f"{label:<9}{text}")
    for job in jobs:
        cause = f": {job.message.splitlines()[0]}" if job.state == "FAILED" and job.message else ""
        print(f"{'job':<9}{job.submission_id} {job.state}{cause}")


def _lines(seen: dict[str, Any], storage: str) -> list[tuple[str, str]]:
    from sweep.progress.wording import duration

    lines = [("sweep", seen["sweep_id"]), ("state", seen["state"])]
    if seen["path"] is None:
        return [*lines, ("files", f"none in {storage}: not begun, or its files are elsewhere (--storage)")]
    if seen["host"]:
        lines[-1] = ("state", f"{seen['state']} (driver: pid {seen['pid']} on {seen['host']})")
    if seen["owner"]:
        lines.append(("owner", seen["owner"]))
    words = {} if seen["host"] else {"RUNNING": "unfinished"}
    counts = "".join(f", {number} {words.get(name, name.lower())}" for name, number in sorted(seen["statuses"].items()))
    lines.append(("trials", f"{seen['ended']} of {seen['planned']} ended{counts}; {seen['epochs']} epochs stored"))
    if seen["seconds_left"] is not None:
        lines.append(("left", f"about {duration(seen['seconds_left'])}"))
    if seen["best_val_acc"] is not None:
        lines.append(("best", f"val_acc {seen['best_val_acc']:.4f}"))
    nodes = ", ".join(f"{name}: {number}" for name, number in sorted(seen["nodes"].items()))
    lines.append(("nodes", f"trials by node: {nodes or 'none yet'}"))
    lines.append(("files", seen["path"]))
    if seen["state"] == "INTERRUPTED":
        lines.append(("go on", f"sweep resume {shown(seen['path'])}"))
    return lines
