"""sweep doctor: whether sweeps can run here, or on a cluster, and what to do if not."""

from secrets import token_hex
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from sweep.cli.jobs import is_job_server
from sweep.cli.options import DEFAULT_STORAGE, DriverAddress, Json, Storage
from sweep.cli.terminal import pass_on, print_json, print_table
from sweep.store.folder import open_folder
from sweep.store.storage_probe import StorageProbe

if TYPE_CHECKING:
    from cluster.nodes import Node


def doctor(storage: Storage = DEFAULT_STORAGE, address: DriverAddress = None, json: Json = False) -> None:
    """Check this machine, or every node of a cluster: versions, CPUs, GPUs, memory, and that all share the storage.

    Exit code 0 if sweeps can run, 2 if something is wrong.
    """
    if address is not None and is_job_server(address):
        raise typer.Exit(_on_the_cluster(address, str(open_folder(storage)), json))
    nodes = _nodes(storage, address)
    if json:
        print_json([{**vars(node), "problems": list(node.problems)} for node in nodes])
    else:
        _print(nodes)
    raise typer.Exit(2 if any(node.problems for node in nodes) else 0)


def _nodes(storage: str, address: str | None) -> "list[Node]":
    from cluster.nodes import look_at_nodes, look_at_this_machine

    folder = open_folder(storage)
    try:
        probe = StorageProbe(folder)
    except OSError as error:
        from sweep.tuning.launch import cannot_write

        raise cannot_write(folder, error) from None
    try:
        if address is None:
            return [look_at_this_machine(probe)]
        from cluster.connect import ray_session

        with ray_session(address):
            return look_at_nodes(probe)
    finally:
        probe.clear()


def _on_the_cluster(address: str, storage: str, json: bool) -> int:
    """Let the head look at its nodes, and pass on what it prints."""
    from cluster.job_server import JobServer
    from sweep.cli.jobs import start_command

    server = JobServer(address)
    arguments = ["doctor", "--storage", storage, "--address", "auto", *["--json"] * json]
    job = server.follow(start_command(server, f"doctor-{token_hex(3)}", arguments, storage=storage), pass_on)
    return 0 if job.state == "SUCCEEDED" else 2


def _print(nodes: "list[Node]") -> None:
    table = Table(box=None, pad_edge=False)
    names = [name for name in nodes[0].versions if name != "torchvision"]
    for column in ("node", "address", "CPUs", "GPUs", "memory", *names, "fit"):
        table.add_column(column)
    for node in nodes:
        versions = [node.versions.get(name, "?") for name in names]
        memory = f"{node.memory_gib:.1f} GiB"
        fit = "no" if node.problems else "yes"
        table.add_row(node.host, node.address, f"{node.cpus:g}", f"{node.gpus:g}", memory, *versions, fit)
    print_table(table)
    for node in nodes:
        for problem in node.problems:
            print(f"{node.host}: {problem}")
