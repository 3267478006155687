"""sweep submit: the same sweep, driven by a cluster."""

import hashlib
import json as json_module
import secrets
from typing import Annotated

import typer

from sweep.cli.jobs import shown_job, submit_command
from sweep.cli.options import DEFAULT_STORAGE, JobAddress, Json, Set, Spec, Storage
from sweep.cli.terminal import print_json, shown
from sweep.spec import SweepSpec
from sweep.store.folder import open_folder


def submit(
    spec: Spec,
    address: JobAddress,
    set_: Set = None,
    storage: Storage = DEFAULT_STORAGE,
    warm_start: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="An earlier sweep whose results a search that learns (tpe, …) begins with."),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Another sweep, even if this spec was submitted before.")] = False,
    json: Json = False,
) -> None:
    """Hand a sweep to a cluster and return once its nodes have passed their checks.

    The same spec is the same sweep: submitted again, it goes on where it was, or stays as it is while it runs. The
    storage is a path or URI that every node reaches by the same name.
    """
    checked = SweepSpec.load(spec, set_ or (), elsewhere=True)

    from cluster.job_server import JobServer
    from sweep.tuning.launch import folder_name

    text = json_module.dumps(checked.to_dict(), sort_keys=True)
    earlier = "" if warm_start is None else str(open_folder(warm_start))
    identity = hashlib.blake2b((text + earlier).encode(), digest_size=3).hexdigest()
    sweep_id = secrets.token_hex(3) if new else identity
    name = folder_name(checked, sweep_id)
    place = str(open_folder(storage))
    arguments = ["run", "study.yaml", "--id", sweep_id, "--storage", place, "--address", "auto"]
    if warm_start is not None:
        arguments += ["--warm-start", earlier]
    # YAML has no pairs of \\u escapes for what lies beyond U+FFFF.
    study = json_module.dumps(checked.to_dict(), ensure_ascii=False)
    job, is_new = submit_command(JobServer(address), name, arguments, storage=place, files={"study.yaml": study})
    path = str(open_folder(storage) / name)
    if json:
        print_json({"sweep_id": name, "path": path, "new": is_new, **shown_job(job)})
        return
    print(f"{'submitted' if is_new else 'already there'}: {name}, job {job.submission_id} ({job.state})")
    print(f"files: {path}")
    print(f"next:  sweep status {name} --storage {shown(place)} --address {address}")
    print(f"       sweep logs {name} -f --address {address}")
    print(f"       sweep stop {name} --storage {shown(place)}")
