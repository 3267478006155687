"""Real Ray clusters of several nodes on this machine, each started as a user would: by `ray start`."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from ray.autoscaler._private.fake_multi_node.node_provider import FAKE_HEAD_NODE_ID
from real_network import RealNetwork

MARK = "GAPSWEEP_TEST_NODE"
BIN = Path(sys.executable).parent


class Node:
    """A `ray start` and all processes that it brings about."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        folder: Path,
        environment: Mapping[str, str],
        prepare: str = "true",
        within: Sequence[str] = (),
    ) -> None:
        """prepare: a shell command in the node's own mount namespace, before Ray. within: what puts it on a network."""
        self.name = name
        self._mark = uuid4().hex
        self._log = folder / f"{name}.log"
        agent, agent_grpc = free_ports(2)
        command = [
            *(str(BIN / "ray"), "start", "--disable-usage-stats", *arguments),
            f"--dashboard-agent-listen-port={agent}",
            f"--dashboard-agent-grpc-port={agent_grpc}",
            # One for each node: they would unpack what is sent to them over each other.
            f"--temp-dir={folder / name}",
        ]
        # A host name and mounts of its own, as nodes have.
        own_host = ["unshare", "--uts", "--mount", "sh", "-c", f'hostname {name} && {prepare} && exec "$@"', "sh"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*within, *own_host, *command],
                env={**os.environ, **environment, MARK: self._mark, "PATH": f"{BIN}:{os.environ['PATH']}"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_up(self, within_s: float = 90) -> None:
        deadline = time.monotonic() + within_s
        while "Ray runtime started" not in self.log():
            assert self._process.poll() in (None, 0), self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def log(self) -> str:
        return self._log.read_text()

    def restart_gcs(self, down_s: float) -> None:
        """kill -9 of Ray's control process alone, and the same command again after a while, as its container would."""
        (pid,) = self._processes("gcs_server")
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        environment = dict(variable.split(b"=", 1) for variable in variables if b"=" in variable)
        os.kill(pid, signal.SIGKILL)
        time.sleep(down_s)
        with self._log.open("a") as log:
            subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        """kill -9 of all its processes, workers included, as when a machine loses its power."""
        while pids := self._processes():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        self._process.wait()

    def _processes(self, name: str = "") -> list[int]:
        mark = f"{MARK}={self._mark}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            # Those of a zombie are empty; of another user's, unreadable.
            with contextlib.suppress(OSError):
                program = (entry / "cmdline").read_bytes().partition(b"\0")[0]
                if mark in (entry / "environ").read_bytes() and program.endswith(name.encode()):
                    found.append(int(entry.name))
        return found


class RealCluster:
    """A head and as many nodes as are added, one CPU each."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        dashboard_host: str = "127.0.0.1",
        network: RealNetwork | None = None,
        autoscaled: Mapping[str, float] | None = None,
    ) -> None:
        """folder: short, as Ray puts sockets there. environment: of every node's processes.

        network: the head is its host left, and every other node its host right; what reaches the cluster is then run by
        `self.within`. autoscaled: what a node has that Ray's autoscaler starts when trials wait for it, two at most;
        the head then has no CPU.
        """
        self._network = network
        self.within = [] if network is None else network.enter("left")
        self._folder = folder
        self._environment = {
            "RAY_AUTH_MODE": "token" if "RAY_AUTH_TOKEN" in environment else "disabled",
            **environment,
        }
        token = environment.get("RAY_AUTH_TOKEN")
        self.client_environment = {} if token is None else {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
        self.nodes: dict[str, Node] = {}
        port, dashboard, client = free_ports(3)
        self.dashboard_port = dashboard
        self.url = f"http://127.0.0.1:{dashboard}"
        self.address = f"{self._address('head')}:{port}"
        autoscaler_options, autoscaler_environment = (), {}
        if autoscaled is not None:
            autoscaler_options, autoscaler_environment = self._autoscaler(autoscaled)
        self._start(
            "head",
            "--head",
            f"--port={port}",
            f"--ray-client-server-port={client}",
            "--include-dashboard=true",
            f"--dashboard-host={dashboard_host}",
            f"--dashboard-port={dashboard}",
            f"--num-cpus={1 if autoscaled is None else 0}",
            *autoscaler_options,
            environment=autoscaler_environment,
        )
        self._wait_for_dashboard()

    def add(self, name: str, *, environment: Mapping[str, str] | None = None, prepare: str = "true") -> Node:
        """Another node."""
        return self._start(
            name, f"--address={self.address}", "--num-cpus=1", environment=environment or {}, prepare=prepare
        )

    def ray(self, *arguments: str) -> str:
        """Ray's own command. Returns what it printed."""
        environment = {**os.environ, **self.client_environment}
        done = subprocess.run(
            [*self.within, BIN / "ray", *arguments], env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shutdown(self) -> None:
        for node in reversed(self.nodes.values()):
            node.kill()

    def _start(
        self, name: str, *arguments: str, environment: Mapping[str, str] = MappingProxyType({}), prepare: str = "true"
    ) -> Node:
        arguments = (f"--node-ip-address={self._address(name)}", *arguments)
        within = [] if self._network is None else self._network.enter(host_of(name))
        node = Node(name, list(arguments), self._folder, {**self._environment, **environment}, prepare, within)
        self.nodes[name] = node
        node.wait_until_up()
        return node

    def _autoscaler(self, resources: Mapping[str, float]) -> tuple[tuple[str, ...], dict[str, str]]:
        """Options and environment of a head that starts further raylets on this machine, as it would start machines."""
        provider = {
            # Named as a class: the defaults of Ray's own name for it are missing from the wheel.
            "type": "external",
            "module": "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider",
            "gcs_address": self.address,
            "head_node_id": FAKE_HEAD_NODE_ID,
            "launch_multiple": True,
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
        }
        config = {
            "cluster_name": "autoscaled",
            "max_workers": 2,
            "idle_timeout_minutes": 1,
            "provider": provider,
            "head_node_type": "ray.head.default",
            "available_node_types": {
                "ray.head.default": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
                "worker": {"resources": dict(resources), "node_config": {}, "max_workers": 2},
            },
            # Ray wants them all, and gives a class of one's own no defaults.
            **{key: {} for key in ("auth", "docker", "file_mounts")},
            **{f"{whose}_commands": [] for whose in ("initialization", "setup", "head_setup", "worker_setup")},
            **{f"{whose}_start_ray_commands": [] for whose in ("head", "worker")},
            **{key: [] for key in ("cluster_synced_files", "rsync_exclude", "rsync_filter")},
            "file_mounts_sync_continuously": False,
        }
        path = self._folder / "autoscaler.yaml"
        path.write_text(json.dumps(config))  # JSON is YAML
        return (f"--autoscaling-config={path}",), {
            "RAY_FAKE_CLUSTER": "1",
            "RAY_enable_autoscaler_v2": "1",
            "RAY_CLOUD_INSTANCE_ID": FAKE_HEAD_NODE_ID,
            "RAY_OVERRIDE_NODE_ID_FOR_TESTING": FAKE_HEAD_NODE_ID,
            "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        }

    def _wait_for_dashboard(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            look = f"import socket; socket.create_connection(('127.0.0.1', {self.dashboard_port}), 5)"
            if subprocess.run([*self.within, sys.executable, "-c", look], capture_output=True).returncode == 0:
                return
            assert time.monotonic() < deadline, self.nodes["head"].log()
            time.sleep(0.2)

    def _address(self, name: str) -> str:
        return "127.0.0.1" if self._network is None else self._network.addresses[host_of(name)]


def host_of(name: str) -> str:
    """Where a node of a cluster on a network is."""
    return "left" if name == "head" else "right"


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on right now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def can_rename_hosts() -> bool:
    """Whether nodes can have host names of their own here."""
    return (
        shutil.which("unshare") is not None and subprocess.run(["unshare", "--uts", "--mount", "true"]).returncode == 0
    )
