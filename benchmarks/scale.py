"""What a driver costs as sweeps grow: its CPU time per trial and per result, against bare Ray Tune in the same run.

Both train what `benchmarks.overhead` trains, an MLP of 16 hidden units on 100 digits, so that the driver is what is
measured. Its own CPU time only, of all threads; Ray's processes and the workers are others. What a start costs, from a
run of a few trials, is taken off: the figures are those of each further trial and of each further result.

    python -m benchmarks.scale                       sizes 100 and 1,000
    python -m benchmarks.scale --sizes 100 1000 10000
    python -m benchmarks.scale --nodes 4             one sweep of 1,000 trials over four nodes: who uses the CPU
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import psutil

from benchmarks.machine import machine_line
from benchmarks.overhead import BARE, TUNE_SIDE, study
from benchmarks.sides import scratch_folder, start, wait_for
from cluster.environment import cache_dir
from sweep.data.dataset import load_dataset
from sweep.spec import SweepSpec

FEW = 10  # trials of the run that says what a start costs
MORE_EPOCHS = 4
IMAGES = 100
OURS = "from sweep.cli.app import main; main()"
# Runs a side's code and writes its own CPU seconds, however it ends.
TIMED = """
import pathlib, time
try:
    {code}
finally:
    pathlib.Path({path!r}).write_text(str(time.process_time()))
"""


@dataclass(frozen=True)
class Cost:
    """Of one run: seconds on the clock, and CPU seconds of the driver's process."""

    wall_s: float
    cpu_s: float


def run_ours(trials: int, epochs: int) -> Cost:
    """`sweep run` on this machine."""
    with scratch_folder() as scratch:
        return _timed(OURS, [*_run_command(scratch, trials, epochs)], scratch)


def run_bare(trials: int, epochs: int) -> Cost:
    """Ray Tune without loggers and snapshots."""
    spec = _study(trials, epochs)
    with scratch_folder() as scratch:
        job = {
            **{name: spec[name] for name in ("model", "model_args", "train_size", "epochs")},
            "configurations": SweepSpec.load(spec).search_space.grid() * spec["replicates"],
            "max_concurrent": None,
            "cache": str(cache_dir()),
            "scratch": str(scratch),
        }
        path = scratch / "job.json"
        path.write_text(json.dumps(job))
        return _timed(TUNE_SIDE.format(str(path)), [], scratch, **BARE)


def _study(trials: int, epochs: int) -> dict[str, Any]:
    """At most 1,000 learning rates, and replicates beyond."""
    replicates = max(1, trials // 1000)
    return {**study(trials // replicates, epochs, IMAGES, None), "replicates": replicates}


def _run_command(scratch: Path, trials: int, epochs: int) -> list[str]:
    path = scratch / "spec.yaml"
    path.write_text(json.dumps(_study(trials, epochs)))  # JSON is YAML
    return ["run", str(path), "--storage", str(scratch / "storage")]


def _timed(code: str, arguments: list[str], scratch: Path, **environment: str) -> Cost:
    cpu = scratch / "cpu_s"
    command = [sys.executable, "-c", TIMED.format(code=code, path=str(cpu)), *arguments]
    started = time.monotonic()
    wait_for(start(command, scratch, **environment), scratch)
    return Cost(time.monotonic() - started, float(cpu.read_text()))


def by_size(sizes: list[int], results_up_to: int) -> None:
    """A line a size: the driver's CPU per trial and per result on both sides."""
    sides = {"ours": run_ours, "bare Tune": run_bare}
    few = {side: run(FEW, 1) for side, run in sides.items()}
    for size in sizes:
        for side, run in sides.items():
            one = run(size, 1)
            per_trial = 1000 * (one.cpu_s - few[side].cpu_s) / (size - FEW)
            wall = 1000 * (one.wall_s - few[side].wall_s) / (size - FEW)
            line = f"  {size:>6} trials, {side:<9}  {per_trial:6.2f} ms CPU, {wall:6.1f} ms wall a trial of one result"
            if size <= results_up_to:
                more = run(size, MORE_EPOCHS)
                per_result = 1000 * (more.cpu_s - one.cpu_s) / (size * (MORE_EPOCHS - 1))
                line += f"; {per_result:6.2f} ms CPU a further result"
            print(line, flush=True)


def over_nodes(nodes: int, trials: int) -> None:
    """One sweep over a cluster of several nodes on this machine: results a second, and who used the CPU."""
    with scratch_folder() as scratch, _cluster(nodes) as address, _CpuByRole() as roles:
        cost = _timed(OURS, [*_run_command(scratch, trials, MORE_EPOCHS), "--address", address], scratch)
        results = trials * MORE_EPOCHS
        print(
            f"  {trials} trials x {MORE_EPOCHS} epochs over {nodes} nodes: {cost.wall_s:.0f} s, "
            f"{results / cost.wall_s:.1f} results/s; the driver {cost.cpu_s:.1f} s CPU "
            f"({100 * cost.cpu_s / cost.wall_s:.0f} % of a core, {1000 * cost.cpu_s / results:.2f} ms a result)"
        )
        for role, cpu_s in roles.seconds().most_common():
            print(f"    {role:<22} {cpu_s:7.1f} s CPU")


@contextmanager
def _cluster(nodes: int) -> Iterator[str]:
    """Nodes of one CPU each, as Ray's own tests make them."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=1)
        yield cluster.address
    finally:
        cluster.shutdown()


class _CpuByRole:
    """Looks twice a second at the processes of this one, and remembers the CPU time of each as it last was."""

    ROLES: ClassVar = {  # by a part of the command line; the first that fits
        "Agent": "Ray's other processes",
        "ray::": "workers",
        "gcs_server": "Ray's control process",
        "raylet/raylet": "raylets",
        "sweep.cli": "driver",
    }

    def __enter__(self) -> "_CpuByRole":
        self._seen: dict[tuple[int, float], tuple[str, float]] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def seconds(self) -> Counter[str]:
        """CPU seconds by role."""
        total: Counter[str] = Counter()
        for role, cpu_s in list(self._seen.values()):
            total[role] += cpu_s  # type: ignore[assignment]
        return total

    def _watch(self) -> None:
        while not self._done.wait(0.5):
            for process in psutil.Process().children(recursive=True):
                try:
                    line = " ".join(process.cmdline())
                    times = process.cpu_times()
                    key = (process.pid, process.create_time())
                except psutil.Error:
                    continue
                role = next((role for part, role in self.ROLES.items() if part in line), "Ray's other processes")
                self._seen[key] = (role, times.user + times.system)


def main() -> None:
    """Either comparison, printed."""
    parser = argparse.ArgumentParser(description="What a driver costs as sweeps grow.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000], help="trials of one sweep")
    parser.add_argument("--results-up-to", type=int, default=1000, help="the largest size that is run for results, too")
    parser.add_argument("--nodes", type=int, help="one sweep of the largest size over that many nodes instead")
    given = parser.parse_args()
    print(machine_line())
    load_dataset("digits", cache_dir=cache_dir())  # decoded once, which no side shall pay
    if given.nodes:
        over_nodes(given.nodes, max(given.sizes))
    else:
        by_size(given.sizes, given.results_up_to)


if __name__ == "__main__":
    main()
