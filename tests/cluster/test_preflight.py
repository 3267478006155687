"""Against a real Ray: how many trials fit, and who is refused."""

import os
from functools import partial
from pathlib import Path

import pytest
import ray

from cluster.connect import ray_session
from cluster.errors import ClusterError, PreflightError
from cluster.nodes import look_at_nodes
from cluster.preflight import check_this_machine, idle_gpus, trials_at_once
from cluster.scratch_folder import scratch_folder
from cluster.waiting import wait_for_a_place
from sweep.data.source import check_dataset


def test_trials_fit_as_often_as_a_node_holds_them_and_a_second_session_is_refused() -> None:
    with ray_session(num_cpus=5):
        assert trials_at_once(1, 0) == 5
        assert trials_at_once(2, 0) == 2
        assert trials_at_once(0.5, 0) == 10
        assert trials_at_once(6, 0) == 0
        with pytest.raises(PreflightError, match=r"resources\.cpus_per_trial: .*5 CPUs, 0 GPUs"):
            wait_for_a_place(6, 0, print)
        with pytest.raises(PreflightError, match=r"resources\.gpus_per_trial"):
            wait_for_a_place(1, 1, print)
        with pytest.raises(ClusterError, match=r"ray\.shutdown"), ray_session():
            pass
        (node,) = look_at_nodes(lambda node_id: None, partial(check_dataset, "parquet:/nowhere"))
        (problem,) = node.problems
        assert "there is no /nowhere" in problem
        assert problem.endswith("each node prepares the data itself: put it there under the same path")
        assert look_at_nodes(lambda node_id: None, partial(check_dataset, "digits"))[0].problems == ()


def test_gpus_that_no_trial_asks_for_are_counted() -> None:
    with scratch_folder() as folder:
        # Ray believes what it is told of GPUs; nothing here computes on them.
        ray.init(address="local", num_cpus=1, num_gpus=2, include_dashboard=False, _temp_dir=str(folder))
        try:
            assert idle_gpus(0) == 2
            assert idle_gpus(0.5) == 0
            assert trials_at_once(0.01, 0.6) == 2, "a trial's part is of one GPU"
            assert trials_at_once(0.01, 0.3) == 6
            assert trials_at_once(0.01, 2) == 1
        finally:
            ray.shutdown()


def test_a_cluster_that_does_not_answer_is_named() -> None:
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:1"), ray_session("127.0.0.1:1"):
        pass


def test_this_machine_is_refused_what_it_has_not() -> None:
    check_this_machine(os.cpu_count() or 1, 0)
    with pytest.raises(PreflightError, match=r"cpus_per_trial: 100000 asked"):
        check_this_machine(100_000, 0)
    if not list(Path("/dev").glob("nvidia[0-9]*")):
        with pytest.raises(PreflightError, match=r"gpus_per_trial: 0.5 asked, this machine has no GPU"):
            check_this_machine(1, 0.5)
