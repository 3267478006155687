"""Sweeps on real clusters of several nodes: the same as at home, whatever happens to a node or to the driver's job."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from real_cluster import RealCluster
from real_network import RealNetwork
from real_sweeps import RealSweep, check_exactly_once, check_same_numbers, reference_rows

MakeSweep = Callable[..., RealSweep]
MakeCluster = Callable[..., RealCluster]

TRIALS, EPOCHS = 6, 30  # more than are trained while the commands start


def study(cifar10: Path) -> dict[str, Any]:
    return {
        "name": "clustered",
        "model": "mlp",
        "model_args": {"hidden": [64]},
        "dataset": f"parquet:{cifar10}",
        "train_size": 2000,
        "epochs": EPOCHS,
        "space": {"lr": {"loguniform": [1e-4, 1e-2]}, "drop_rate": {"uniform": [0.0, 0.5]}},
        "search": {"algorithm": "random", "trials": TRIALS},
        "scheduler": "none",
        "precision": "fp32",  # at home and there
    }


class ClusterSweep:
    """One sweep handed to one cluster, through the commands that a person types; they share the storage only."""

    def __init__(self, sweep: RealSweep, cluster: RealCluster) -> None:
        self.sweep = sweep
        self.cluster = cluster
        sweep.environment |= cluster.client_environment
        sweep.within = cluster.within
        self._storage = ("--storage", str(sweep.storage))
        self.planned = sweep.study["search"]["trials"] * sweep.study["epochs"]

    def submit(self) -> dict[str, Any]:
        spec = self.sweep.storage / "study.yaml"
        printed = self.sweep.run("submit", str(spec), *self._storage, "--address", self.cluster.url, "--json")
        return last_json(printed)

    def status(self) -> dict[str, Any]:
        return last_json(self.sweep.run("status", "clustered", *self._storage, "--address", self.cluster.url, "--json"))

    def stop(self, *options: str) -> str:
        return self.sweep.run("stop", "clustered", *self._storage, *options)

    def wait_for_rows(self, rows: int) -> None:
        deadline = time.monotonic() + 240
        while self.sweep.rows() < rows:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.2)

    def wait_for_end(self) -> str:
        """Follow the log until the job ends. Returns all of it."""
        return self.sweep.run("logs", "clustered", "-f", "--address", self.cluster.url)

    def log(self) -> str:
        return self.sweep.run("logs", "clustered", "--address", self.cluster.url)

    def check_like_at_home(self, make_sweep: MakeSweep) -> pd.DataFrame:
        """Every epoch once, with the numbers of the same spec run on this machine. Returns the trials."""
        epochs, trials = self.sweep.tables()
        check_exactly_once(epochs, trials)
        home = make_sweep(self.sweep.study, "home")
        home.run()
        home_epochs, home_trials = home.tables()
        assert check_same_numbers(epochs, home_epochs) == len(epochs) == len(home_epochs) == self.planned
        assert set(trials["trial_id"]) == set(home_trials["trial_id"])
        assert set(trials["status"]) == {"COMPLETED"}
        return trials


def last_json(printed: str) -> Any:
    return json.loads(printed.strip().splitlines()[-1])


def test_a_small_sweep_through_the_job_server_from_doctor_to_its_end(
    make_sweep: MakeSweep, make_cluster: MakeCluster
) -> None:
    cluster = make_cluster()
    small = {"dataset": "digits", "train_size": 200, "epochs": 2, "search": {"algorithm": "random", "trials": 2}}
    here = ClusterSweep(make_sweep({**study(Path()), **small}), cluster)
    at = ("--address", cluster.url)
    (node,) = last_json(here.sweep.run("doctor", *at, "--storage", str(here.sweep.storage), "--json"))
    assert (node["host"], node["problems"]) == ("head", [])
    first = here.submit()
    assert "COMPLETED" in here.wait_for_end()
    status = here.status()
    assert (status["state"], status["epochs"], [job["job_state"] for job in status["jobs"]]) == (
        "COMPLETED",
        4,
        ["SUCCEEDED"],
    )
    epochs, trials = here.sweep.tables()
    check_exactly_once(epochs, trials)
    assert check_same_numbers(epochs, reference_rows(here.sweep, trials)) == 4
    assert here.submit()["sweep_id"] == first["sweep_id"], "the same spec is the same sweep"
    assert f"{first['sweep_id']}: COMPLETED, not running" in here.stop(*at)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_submitted_watched_stopped_and_resumed_on_three_nodes_it_is_the_local_sweep(
    make_sweep: MakeSweep, make_cluster: MakeCluster, cifar10_parquet: Path
) -> None:
    cluster = make_cluster({"RAY_AUTH_TOKEN": "f" * 40})
    cluster.add("east")
    cluster.add("west")
    here = ClusterSweep(make_sweep(study(cifar10_parquet)), cluster)
    first = here.submit()
    assert first["new"]
    again = here.submit()
    assert (again["new"], again["job"]) == (False, first["job"]), "the same spec is the same sweep"
    here.wait_for_rows(6)
    status = here.status()
    assert (status["state"], status["planned"], status["sweep_id"]) == ("RUNNING", TRIALS, first["sweep_id"])
    assert "INTERRUPTED" in here.stop()
    status = here.status()
    assert status["state"] == "INTERRUPTED"
    assert 6 <= status["epochs"] < TRIALS * EPOCHS
    stopped_at = status["epochs"]
    assert "waiting for the running epochs" in here.log()
    here.sweep.run("resume", str(here.sweep.folder), "--address", cluster.url)
    assert here.sweep.rows() >= stopped_at
    assert "COMPLETED" in here.wait_for_end()
    assert here.status()["state"] == "COMPLETED"
    here.check_like_at_home(make_sweep)
    epochs, _ = here.sweep.tables()
    assert set(epochs["node"]) == {"head", "east", "west"}
    everything = b"".join(path.read_bytes() for path in here.sweep.folder.rglob("*") if path.is_file())
    assert b"f" * 40 not in everything, "the token is in the results"
    assert "f" * 40 not in here.log()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_trials_of_a_dead_node_move_and_go_on(
    make_sweep: MakeSweep, make_cluster: MakeCluster, cifar10_parquet: Path
) -> None:
    cluster = make_cluster()
    doomed = cluster.add("doomed")
    # Long enough for the spare to come up while there is work left.
    here = ClusterSweep(make_sweep({**study(cifar10_parquet), "epochs": 40}), cluster)
    here.submit()
    here.wait_for_rows(5)
    doomed.kill()
    cluster.add("spare")
    assert "COMPLETED" in here.wait_for_end()
    trials = here.check_like_at_home(make_sweep)
    assert (trials["attempts"] > 1).sum() == 1
    epochs, _ = here.sweep.tables()
    assert set(epochs["node"]) == {"head", "doomed", "spare"}
    died, moved = (epochs.loc[epochs["node"] == "doomed", "timestamp"].max(), epochs.loc[epochs["attempt"] == 2])
    assert epochs["timestamp"].between(died, moved["timestamp"].min(), inclusive="neither").any(), "the head waited"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_job_stopped_by_ray_goes_on_when_it_is_submitted_again(
    make_sweep: MakeSweep, make_cluster: MakeCluster, cifar10_parquet: Path
) -> None:
    cluster = make_cluster()
    here = ClusterSweep(make_sweep(study(cifar10_parquet)), cluster)
    first = here.submit()
    here.wait_for_rows(4)
    cluster.ray("job", "stop", "--address", cluster.url, first["job"])
    stored = here.sweep.rows()
    assert "SIGTERM: storing what is there" in here.log()
    assert here.status()["state"] == "INTERRUPTED"
    second = here.submit()
    assert (second["sweep_id"], second["new"]) == (first["sweep_id"], True)
    assert second["job"] != first["job"]
    assert here.sweep.rows() >= stored
    assert "COMPLETED" in here.wait_for_end()
    here.check_like_at_home(make_sweep)
    assert here.submit()["new"], "a job that finds the sweep complete"
    assert "nothing is left to train" in here.wait_for_end()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_node_cut_off_for_a_minute_costs_no_row_and_doubles_none(
    make_sweep: MakeSweep, make_cluster: MakeCluster, cifar10_parquet: Path, network: RealNetwork
) -> None:
    cluster = make_cluster(network=network)
    cluster.add("remote")
    three_long_ones = {"epochs": 150, "search": {"algorithm": "random", "trials": 3}}
    here = ClusterSweep(make_sweep({**study(cifar10_parquet), **three_long_ones}), cluster)
    here.submit()
    here.wait_for_rows(20)
    network.cut()
    time.sleep(60)
    network.mend()
    assert "COMPLETED" in here.wait_for_end()
    trials = here.check_like_at_home(make_sweep)
    epochs, _ = here.sweep.tables()
    assert set(epochs["node"]) == {"head", "remote"}
    assert (trials["attempts"] > 1).any(), "the cut was not noticed"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_sweep_outlives_a_restart_of_rays_control_process(
    make_sweep: MakeSweep, make_cluster: MakeCluster, cifar10_parquet: Path, redis: str
) -> None:
    cluster = make_cluster({"RAY_REDIS_ADDRESS": redis, "RAY_external_storage_namespace": "gapsweep"})
    cluster.add("east")
    here = ClusterSweep(make_sweep({**study(cifar10_parquet), "epochs": 40}), cluster)
    here.submit()
    here.wait_for_rows(6)
    cluster.nodes["head"].restart_gcs(down_s=5)
    stored = here.sweep.rows()
    assert stored < here.planned
    here.wait_for_rows(here.planned)
    assert "COMPLETED" in here.wait_for_end()
    here.check_like_at_home(make_sweep)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_after_the_death_of_the_head_the_same_submission_goes_on_on_a_new_one(
    make_sweep: MakeSweep, make_cluster: MakeCluster, cifar10_parquet: Path
) -> None:
    first = make_cluster()
    here = ClusterSweep(make_sweep(study(cifar10_parquet)), first)
    here.submit()
    here.wait_for_rows(6)
    first.shutdown()
    stored = here.sweep.rows()
    assert 6 <= stored < TRIALS * EPOCHS
    here = ClusterSweep(here.sweep, make_cluster())
    assert here.submit()["new"]
    assert "COMPLETED" in here.wait_for_end()
    here.check_like_at_home(make_sweep)
