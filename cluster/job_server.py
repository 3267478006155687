"""A cluster's job server: Ray's own, which runs a sweep's driver on the head node and keeps its log."""

import asyncio
import logging
import shlex
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster.environment import forget_ray_address, prepare_ray_environment
from cluster.errors import ClusterError
from cluster.job_access import request_headers

# Longer than the driver takes from SIGTERM to its last file; Ray's own default of 3 s is not.
STOP_WAIT_S = 60


@dataclass(frozen=True)
class Job:
    """One attempt at driving a sweep. state: PENDING, RUNNING, STOPPED, SUCCEEDED, FAILED; times: None before them."""

    submission_id: str
    sweep: str
    owner: str
    state: str
    message: str
    started: datetime | None
    ended: datetime | None
    storage: str = ""  # that its sweep is in; not known of an earlier version's

    @property
    def is_alive(self) -> bool:
        """Whether it runs or will."""
        return self.state in ("PENDING", "RUNNING")


class JobServer:
    """Raises ClusterError, when it is made, for a server that is out of reach or not safe to use."""

    def __init__(self, address: str) -> None:
        """address: http://HOST:PORT of the cluster's dashboard."""
        headers = request_headers(address)
        prepare_ray_environment()
        forget_ray_address()
        try:
            from ray.job_submission import JobSubmissionClient

            # They tell of every upload, and of the end of every log.
            talkative = (
                "dashboard.modules.dashboard_sdk",
                "dashboard.modules.job.sdk",
                "_private.runtime_env.packaging",
            )
            for name in talkative:
                logging.getLogger(f"ray.{name}").setLevel(logging.WARNING)
            self._client = JobSubmissionClient(address, headers=headers)
        except (RuntimeError, ImportError) as error:
            if "ray[default]" in str(error):
                raise ClusterError(
                    "talking to a cluster needs more of Ray than is installed: pip install 'ray[default]'"
                ) from None
            raise ClusterError(f"--address {address}: {error}") from None
        except (ConnectionError, ValueError) as error:
            raise ClusterError(f"--address {address}: {error}") from None
        self.address = address

    def jobs(self, sweep: str | None = None) -> list[Job]:
        """The attempts at one sweep, or at all, the oldest first."""
        found = [
            Job(
                submission_id=details.submission_id,
                sweep=details.metadata["gapsweep"],
                owner=details.metadata.get("owner", ""),
                storage=details.metadata.get("storage", ""),
                state=str(details.status.value),
                message=details.message or "",
                started=_time(details.start_time),
                ended=_time(details.end_time),
            )
            for details in self._asked(self._client.list_jobs)
            if details.submission_id and "gapsweep" in (details.metadata or {})
        ]
        found.sort(key=lambda job: (job.started is None, job.started, job.submission_id))
        return [job for job in found if sweep in (None, job.sweep)]

    def submit(
        self,
        sweep: str,
        command: Sequence[str],
        *,
        storage: str,
        files: Path,
        owner: str,
        environment: Mapping[str, str],
    ) -> Job:
        """Let the head node run a command in a copy of the folder `files`; a sweep that a job drives keeps that one.

        storage: where the sweep is. Raises ClusterError if a job drives one of that name elsewhere.
        """
        earlier = self.jobs(sweep)
        alive = [job for job in earlier if job.is_alive]
        if alive:
            if alive[-1].storage not in ("", storage):
                raise ClusterError(
                    f"{sweep}: job {alive[-1].submission_id} drives one of that name into {alive[-1].storage}, not "
                    f"into {storage}; allowed: that storage, or `sweep submit --new`"
                )
            return alive[-1]
        submission_id = next_id(sweep, earlier)
        try:
            self._asked(
                lambda: self._client.submit_job(
                    entrypoint=shlex.join(command),
                    submission_id=submission_id,
                    metadata={"gapsweep": sweep, "owner": owner, "storage": storage},
                    runtime_env={
                        "working_dir": str(files),
                        "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_WAIT_S), **environment},
                    },
                )
            )
        except ClusterError:
            # Ray takes an id once: somebody else submitted the same sweep at the same moment.
            for job in self.jobs(sweep):
                if job.submission_id == submission_id:
                    return job
            raise
        return self.job(submission_id)

    def job(self, submission_id: str) -> Job:
        """That job as it is now."""
        for job in self.jobs():
            if job.submission_id == submission_id:
                return job
        raise ClusterError(
            f"--address {self.address}: no longer knows the job {submission_id}, as after a new start of the cluster's "
            "head; submit the sweep again, which goes on with what is stored"
        )

    def stop(self, job: Job) -> None:
        """End a job by a signal to its driver; one that has ended is fine."""
        self._asked(lambda: self._client.stop_job(job.submission_id))

    def log(self, job: Job) -> str:
        """All that the job has printed."""
        return _without_rays_line(str(self._asked(lambda: self._client.get_job_logs(job.submission_id))))

    def follow(self, job: Job, write: Callable[[str], None]) -> Job:
        """Hand what the job prints to `write`, as it comes, until it ends. Returns it as it is then."""

        async def copy() -> None:
            pieces: AsyncIterator[str] = self._client.tail_job_logs(job.submission_id)
            begun = ""
            async for piece in pieces:
                begun += piece
                if "\n" in begun:
                    write(_without_rays_line(begun))
                    break
            async for piece in pieces:
                write(piece)

        self._asked(lambda: asyncio.run(copy()))
        return self.job(job.submission_id)

    def _asked(self, question: Callable[[], Any]) -> Any:
        from aiohttp import ClientError  # Ray's own client's, where it follows a log

        try:
            return question()
        except (RuntimeError, OSError, ClientError) as error:
            raise ClusterError(f"--address {self.address}: {error}") from None


def next_id(sweep: str, earlier: Sequence[Job]) -> str:
    """Of a sweep's next attempt; Ray takes an id once, and people delete jobs."""
    numbers = [int(number) for job in earlier if (number := job.submission_id.rpartition("-")[2]).isdigit()]
    return f"{sweep}-{max(numbers, default=0) + 1}"


def _without_rays_line(log: str) -> str:
    """A job's log but for its first line, in which Ray repeats the command."""
    first, _, rest = log.partition("\n")
    return rest if first.startswith("Running entrypoint for job") else log


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
