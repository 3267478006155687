"""Real `sweep` commands in processes of their own, to be killed, and what they leave behind."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import yaml

from sweep.data.dataset import load_dataset
from sweep.store import StoreError
from sweep.store.folder import LocalFolder
from sweep.store.generations import committed
from sweep.store.schema import EPOCHS
from sweep.training.trial import Trial

MARK = "GAPSWEEP_TEST_MARK"
# Of an epoch, what may be otherwise when it is trained again: all else is the same bit for bit.
CIRCUMSTANCES = ["sweep_id", "attempt", "epoch_s", "images_per_s", "timestamp", "node"]


@dataclass
class RealSweep:
    """One sweep on one storage. `study`: the spec's mapping; its name is the sweep's."""

    study: dict[str, Any]
    storage: Path
    cache: Path

    def __post_init__(self) -> None:
        self.storage.mkdir(parents=True, exist_ok=True)
        self._spec = self.storage / "study.yaml"
        self._spec.write_text(yaml.safe_dump(self.study))
        # The mark tells this sweep's processes, Ray's included, from those of any other on the machine.
        self.within: list[str] = []  # what its commands begin with, to run on another network
        self.environment = {**os.environ, "GAPSWEEP_CACHE": str(self.cache), MARK: uuid4().hex}

    @property
    def folder(self) -> Path:
        """The sweep's own folder."""
        (folder,) = (path.parent for path in self.storage.glob("*/sweep.json"))
        return folder

    def command(self, *arguments: str) -> list[str]:
        return [*self.within, sys.executable, "-c", "from sweep.cli.app import main; main()", *arguments]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """`sweep run` without arguments, `sweep ARGUMENTS` with."""
        arguments = arguments or ("run", str(self._spec), "--storage", str(self.storage))
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, code: int | None = 0) -> str:
        """Wait for the command; returns what it printed. code: the exit code wanted, None for any."""
        process = self.start(*arguments)
        printed, _ = process.communicate(timeout=900)
        assert code is None or process.returncode == code, f"exit code {process.returncode}, wanted {code}:\n{printed}"
        return printed

    def resume(self, *options: str, code: int | None = 0) -> str:
        return self.run("resume", str(self.folder), *options, code=code)

    def rows(self) -> int:
        """Epochs stored so far; 0 before there is a sweep."""
        try:
            lists = committed(LocalFolder(self.folder) / "log")
        except (ValueError, StoreError):
            return 0
        return sum(part.rows for part in lists.of("epochs")) if lists else 0

    def wait_for_rows(self, process: "subprocess.Popen[str]", rows: int, within_s: float = 180) -> None:
        """Come back when at least `rows` epochs are stored; fails if the process ends before."""
        deadline = time.monotonic() + within_s
        while self.rows() < rows:
            assert process.poll() is None, f"the sweep ended with {self.rows()} rows:\n{process.communicate()[0]}"
            assert time.monotonic() < deadline, f"no {rows} rows within {within_s} s"
            time.sleep(0.1)

    def processes(self, name: str = "") -> list[int]:
        """Living processes of this sweep whose command line holds `name`."""
        mark = f"{MARK}={self.environment[MARK]}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                # Those of a zombie are empty.
                if mark in (entry / "environ").read_bytes() and name.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found

    def workers(self) -> list[int]:
        """The processes in which Tune runs trials."""
        return self.processes("ray::ImplicitFunc")

    def kill_all(self) -> None:
        """kill -9 of driver, Ray and workers, at once."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def wait_until_gone(self, within_s: float = 30) -> None:
        deadline = time.monotonic() + within_s
        while self.processes():
            assert time.monotonic() < deadline, f"still there: {self.processes()}"
            time.sleep(0.1)

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The published files, read as a user does; the epochs in a fixed order."""
        epochs = pd.read_parquet(self.folder / "epochs.parquet").sort_values(["trial_id", "epoch"], ignore_index=True)
        return epochs, pd.read_parquet(self.folder / "trials.parquet")


def check_exactly_once(epochs: pd.DataFrame, trials: pd.DataFrame) -> None:
    """Each trial's epochs from 1 to its last, once each, and a trials row that agrees."""
    assert trials["trial_id"].is_unique
    assert not epochs.duplicated(["trial_id", "epoch"]).any()
    counts = epochs.groupby("trial_id")["epoch"].agg(["min", "max", "size"])
    assert (counts["min"] == 1).all()
    assert (counts["max"] == counts["size"]).all()
    assert trials.set_index("trial_id")["epochs_run"].to_dict() == counts["size"].to_dict()


def reference_rows(sweep: RealSweep, trials: pd.DataFrame) -> pd.DataFrame:
    """Every epoch of these trials, trained here, one after the other, without Ray and without a kill."""
    dataset = load_dataset(sweep.study["dataset"], cache_dir=sweep.cache)
    precision = json.loads((sweep.folder / "sweep.json").read_text())["precision"]
    rows: list[dict[str, Any]] = []
    for line in trials.itertuples():
        trial = Trial(
            dataset,
            json.loads(line.configuration),
            model=sweep.study["model"],
            model_args=sweep.study["model_args"],
            sweep_seed=sweep.study.get("search", {}).get("seed", 0),
            replicate=line.replicate,
            train_size=sweep.study.get("train_size"),
            precision=precision,
            decompose=sweep.study.get("mode") == "study",
        )
        rows += [{"trial_id": line.trial_id, **trial.train_epoch()} for _ in range(line.epochs_run)]
    return pa.Table.from_pylist(rows, EPOCHS).select(list(rows[0])).to_pandas()


def check_same_numbers(epochs: pd.DataFrame, others: pd.DataFrame) -> int:
    """Where both have a (trial, epoch), the metrics of the second are equal bitwise. Returns how many both have."""
    compared = [name for name in others if name not in CIRCUMSTANCES]
    both = epochs[compared].merge(others[compared], on=["trial_id", "epoch"], suffixes=("", "_other"))
    for name in set(compared) - {"trial_id", "epoch"}:
        pd.testing.assert_series_equal(both[name], both[f"{name}_other"], check_exact=True, check_names=False)
    return len(both)
