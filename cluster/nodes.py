"""What each node of the connected cluster is, and whether a trial can run there."""

import os
import platform
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cluster.errors import PreflightError
from cluster.shipped_code import code_digest

# What a job cannot be sent with, and other versions of which give other numbers or none.
SAME_EVERYWHERE = ("ray", "torch", "torchvision")
_ANSWER_WITHIN_S = 60


@dataclass(frozen=True)
class Node:
    """What a node has. memory_gib: of the whole node; problems: what keeps trials from running there."""

    host: str
    address: str
    cpus: float
    gpus: float
    memory_gib: float
    versions: dict[str, str]
    problems: tuple[str, ...]


def look_at_nodes(use_storage: Callable[[str], None], find_data: Callable[[], None] | None = None) -> list[Node]:
    """Ask every living node, all at once, for its versions, to use the storage, and to find the data.

    use_storage: called on each node with that node's id; raises OSError saying what is wrong. find_data: called on each
    node on which trials may run; raises OSError or ValueError likewise.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(num_cpus=0, max_retries=0)(_answer)
    nodes = [node for node in ray.nodes() if node["Alive"]]
    answers = [
        ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(
            use_storage, node["NodeID"], find_data if node["Resources"].get("CPU") else None
        )
        for node in nodes
    ]
    ray.wait(answers, num_returns=len(answers), timeout=_ANSWER_WITHIN_S)
    return [_node(node, answer) for node, answer in zip(nodes, answers, strict=True)]


def look_at_this_machine(use_storage: Callable[[str], None]) -> Node:
    """The same of the machine that this process runs on, without a Ray."""
    said = _answer(use_storage, "here", None)
    absent = [name for name, found in said["versions"].items() if found == "absent"]
    problems = [f"{name} is not installed: pip install {name}" for name in absent]
    return Node(
        host=said["host"],
        address="here",
        cpus=os.cpu_count() or 1,
        gpus=len(list(Path("/dev").glob("nvidia[0-9]*"))),
        memory_gib=said["memory_gib"],
        versions=said["versions"],
        problems=(*problems, *_storage_problems(said)),
    )


def refuse_unfit(nodes: Sequence[Node]) -> None:
    """Raise PreflightError with a line for each problem of each node."""
    lines = [f"node {node.host} ({node.address}): {problem}" for node in nodes for problem in node.problems]
    if lines:
        raise PreflightError("\n".join(lines))


def versions_here(packages: Sequence[str] = SAME_EVERYWHERE) -> dict[str, str]:
    """Of Python and of the packages; `absent` for what is not installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def _answer(use_storage: Callable[[str], None], node_id: str, find_data: Callable[[], None] | None) -> dict[str, Any]:
    """Runs on the node."""
    storage = data = None
    try:
        use_storage(node_id)
    except OSError as error:
        storage = str(error)
    try:
        if find_data is not None:
            find_data()
    except (OSError, ValueError) as error:
        data = str(error)
    return {
        "host": socket.gethostname(),
        "memory_gib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30,
        "versions": versions_here(),
        "code": code_digest(),
        "storage": storage,
        "data": data,
    }


def _node(node: dict[str, Any], answer: Any) -> Node:
    import ray

    problems = []
    versions, code = versions_here(), code_digest()
    said: dict[str, Any] = {"host": node["NodeManagerHostname"], "memory_gib": 0.0, "storage": None, "data": None}
    said |= {"versions": versions, "code": code}
    try:
        said = ray.get(answer, timeout=0)
    except ray.exceptions.GetTimeoutError:
        problems.append(f"did not answer within {_ANSWER_WITHIN_S} s; look at its raylet's log, or take it out")
    except ray.exceptions.RayError as error:
        problems.append(f"cannot run code ({str(error).strip().splitlines()[-1]}); look at its raylet's log")
    problems += _storage_problems(said)
    if said["data"] is not None:
        problems.append(f"{said['data']}; each node prepares the data itself: put it there under the same path")
    for name, version_here in versions.items():
        there = said["versions"][name]
        if there != version_here:
            problems.append(f"has {name} {there}, the driver's node {version_here}; install the same on all nodes")
    if said["code"] != code:
        problems.append("runs another version of gapsweep than the driver; install the same checkout on all nodes")
    resources = node["Resources"]
    return Node(
        host=said["host"],
        address=node["NodeManagerAddress"],
        cpus=resources.get("CPU", 0.0),
        gpus=resources.get("GPU", 0.0),
        memory_gib=said["memory_gib"],
        versions=said["versions"],
        problems=tuple(problems),
    )


def _storage_problems(said: dict[str, Any]) -> list[str]:
    if said["storage"] is None:
        return []
    return [f"{said['storage']}; mount the storage there under the same path, writable, or give a URI"]
