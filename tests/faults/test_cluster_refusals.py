"""What `sweep submit` refuses before a trial starts: unsafe clusters, strangers, unfit nodes."""

import re
import socket
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import psutil
import pytest
from real_cluster import RealCluster
from real_sweeps import RealSweep

MakeSweep = Callable[..., RealSweep]
MakeCluster = Callable[..., RealCluster]

STUDY: dict[str, Any] = {
    "name": "refused",
    "model": "mlp",
    "dataset": "digits",
    "epochs": 1,
    "search": {"algorithm": "random", "trials": 1},
}


def refusal(sweep: RealSweep, address: str) -> str:
    """What `sweep submit` says while it exits with code 2."""
    spec = str(sweep.storage / "study.yaml")
    began = time.monotonic()
    said = sweep.run("submit", spec, "--storage", str(sweep.storage), "--address", address, code=2)
    print(f"refused after {time.monotonic() - began:.1f} s: {said.strip().splitlines()[-1]}")
    return said


def test_a_cluster_with_a_token_is_closed_to_who_has_none_or_another_ones(
    make_sweep: MakeSweep, make_cluster: MakeCluster, tmp_path: Path
) -> None:
    cluster = make_cluster({"RAY_AUTH_TOKEN": "a" * 40})
    sweep = make_sweep(STUDY)
    sweep.environment["HOME"] = str(tmp_path)  # where no token is
    assert "wants a token, and there is none here" in refusal(sweep, cluster.url)
    sweep.environment["RAY_AUTH_TOKEN"] = "b" * 40
    said = refusal(sweep, cluster.url)
    assert "refuses the token of RAY_AUTH_TOKEN" in said
    assert "b" * 40 not in said


def test_what_is_no_job_server_is_named(make_sweep: MakeSweep) -> None:
    sweep = make_sweep(STUDY)
    assert "nothing answers there" in refusal(sweep, "http://127.0.0.1:1")
    assert "allowed: the address of a cluster's dashboard" in refusal(sweep, "ray://127.0.0.1:1")


def test_a_job_server_open_to_the_network_without_a_token_is_refused(
    make_sweep: MakeSweep, make_cluster: MakeCluster
) -> None:
    addresses = [each.address for each in chain(*psutil.net_if_addrs().values()) if each.family == socket.AF_INET]
    address = next((address for address in addresses if not address.startswith("127.")), None)
    if address is None:
        pytest.skip("this machine has no address but the loopback's")
    cluster = make_cluster(dashboard_host="0.0.0.0")
    sweep = make_sweep(STUDY)
    assert "answers without a token" in refusal(sweep, f"http://{address}:{cluster.dashboard_port}")
    # From the head itself, where localhost does answer: the driver knows the dashboard's own address.
    assert "answers without a token" in sweep.run(
        "run", str(sweep.storage / "study.yaml"), "--storage", str(sweep.storage), "--address", cluster.address, code=2
    )


@pytest.mark.slow
def test_nodes_with_another_torch_or_without_the_storage_are_named(
    make_sweep: MakeSweep, make_cluster: MakeCluster, tmp_path: Path
) -> None:
    sweep = make_sweep(STUDY)
    about = tmp_path / "other" / "torch-1.0.0.dist-info" / "METADATA"
    about.parent.mkdir(parents=True)
    about.write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.0.0\n")
    cluster = make_cluster()
    cluster.add("older", environment={"PYTHONPATH": str(about.parents[1])})
    cluster.add("blind", prepare=f"mount -t tmpfs none {sweep.storage}")
    cluster.add("reader", prepare=f"mount -o bind,ro {sweep.storage} {sweep.storage}")
    said = re.sub(r"\([\d.]+\)", "", refusal(sweep, cluster.url))  # the nodes' addresses
    assert "node older : has torch 1.0.0, the driver's node" in said
    assert f"node blind : --storage {sweep.storage}" in said
    assert "what the driver wrote is not there" in said
    assert f"node reader : --storage {sweep.storage}" in said
    assert "cannot be written (Read-only file system)" in said
    assert not list(sweep.storage.glob("refused-*")), "a sweep that was refused has begun"
