"""Peak memory of a sweep with two trials at once, against the usual way of doing the same.

Summed over all processes of the command, Ray's own included, is the proportional set size (Pss of
/proc/PID/smaps_rollup): a page that n processes share counts 1/n in each, so that the sum counts it once. The sum is
taken about twice a second; its peak counts. `python -m benchmarks.memory`
"""

import argparse
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_line
from benchmarks.pairs import in_turns, print_ratio
from benchmarks.sides import prepare_usual_data, scratch_folder, start_ours, start_usual, wait_for

INTERVAL_S = 0.5
LRS = [1e-3, 1e-2]


class Descendants:
    """A process and all that ever came from it; who outlives its parent still counts."""

    def __init__(self, root: int) -> None:
        self._known = {root}

    def alive(self) -> list[int]:
        """Process ids, now."""
        parents = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and (stat := _read(folder / "stat")):
                # pid (name) state parent …; the name may hold spaces and brackets itself.
                parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
        known = self._known & parents.keys()
        while grown := {process for process, parent in parents.items() if parent in known} - known:
            known |= grown
        self._known = known
        return sorted(known)


def memory_kib(root: int, processes: list[int]) -> Counter[str]:
    """Proportional set sizes by kind of process."""
    sizes: Counter[str] = Counter()
    for process in processes:
        lines = _read(Path(f"/proc/{process}/smaps_rollup")).splitlines()
        sizes[kind(process, root)] += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return sizes


def kind(process: int, root: int) -> str:
    """driver, trial (a worker that runs one), or Ray's own (workers that wait for one included)."""
    if process == root:
        return "driver"
    title = _read(Path(f"/proc/{process}/cmdline"))
    return "trials" if title.startswith("ray::") and not title.startswith("ray::IDLE") else "Ray's own"


def peak_kib(process: subprocess.Popen[bytes], scratch: Path) -> Counter[str]:
    """Watch a started side to its end; the sample with the largest sum. Raises SideFailedError."""
    family = Descendants(process.pid)
    peak: Counter[str] = Counter()
    while process.poll() is None:
        peak = max(peak, memory_kib(process.pid, family.alive()), key=Counter.total)
        time.sleep(INTERVAL_S)
    wait_for(process, scratch)
    return peak


def compare(dataset: str, model: str, augment: str, epochs: int, pairs: int) -> None:
    """Both sides in turns, printed."""
    job = {"model": model, "augment": augment, "epochs": epochs, "lrs": LRS, "drop_rates": [0.25]}
    spec = {
        "name": "memory",
        "model": model,
        "dataset": dataset,
        "epochs": epochs,
        "mode": "study",
        "decompose": False,
        "space": {"lr": {"choice": LRS}, "drop_rate": 0.25, "augment": augment},
        "resources": {"max_concurrent": 2},
    }

    def ours() -> Counter[str]:
        with scratch_folder() as scratch:
            return peak_kib(start_ours(spec, scratch), scratch)

    def usual(data: dict[str, Any]) -> Counter[str]:
        with scratch_folder() as scratch:
            return peak_kib(start_usual({**job, **data}, scratch), scratch)

    with scratch_folder() as folder:
        data = prepare_usual_data(dataset, folder)
        peaks = in_turns(ours, lambda: usual(data), pairs, f"{model}, {augment}, 2 trials x {epochs} epochs")
    for part in ("sum", "driver", "trials", "Ray's own"):
        gib = [[(peak.total() if part == "sum" else peak[part]) / 1024**2 for peak in pair] for pair in peaks]
        what = "peak of the sum" if part == "sum" else f"  of which {part}"
        print_ratio(what, [ours for ours, _ in gib], [usual for _, usual in gib], "GiB")


def _read(path: Path) -> str:
    """The text, or nothing if the process has just ended."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def main() -> None:
    """Every model in turn."""
    parser = argparse.ArgumentParser(description="Peak memory of two trials at once, against the usual way.")
    parser.add_argument("--data", default="cifar10", help="as in a spec; 50,000 images of CIFAR-10")
    parser.add_argument("--model", action="append", choices=("mlp", "cnn"), help="may be given twice; mlp by default")
    parser.add_argument("--augment", default="full", choices=("none", "crop-flip", "full"))
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=2)
    given = parser.parse_args()
    print(machine_line())
    for model in given.model or ["mlp"]:
        compare(given.data, model, given.augment, given.epochs, given.pairs)


if __name__ == "__main__":
    main()
