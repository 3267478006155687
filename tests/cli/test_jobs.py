"""Which job of a cluster a name means."""

from cluster.job_server import Job, next_id
from sweep.cli.jobs import last_job


def job(sweep: str, number: int) -> Job:
    return Job(f"{sweep}-{number}", sweep, "anna", "RUNNING", "", None, None)


def test_a_sweeps_full_name_is_not_that_of_its_final_choice() -> None:
    jobs = [job("order-3f9a1c", 1), job("order-3f9a1c", 2), job("order-3f9a1c-final", 1)]
    assert last_job(jobs, "order-3f9a1c") == jobs[1]
    assert last_job(jobs, "order-3f9a1c-final") == jobs[2]
    assert last_job(jobs, "order") == jobs[1]
    assert last_job(jobs, "orde") is None
    assert last_job(jobs[2:], "order-3f9a1c") is None


def test_an_attempt_s_number_is_above_all_that_are_known_though_earlier_ones_were_deleted() -> None:
    assert next_id("order-3f9a1c", []) == "order-3f9a1c-1"
    assert next_id("order-3f9a1c", [job("order-3f9a1c", 2)]) == "order-3f9a1c-3"
    assert next_id("order-3f9a1c", [job("order-3f9a1c", 9), job("order-3f9a1c", 10)]) == "order-3f9a1c-11"
